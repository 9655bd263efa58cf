"""Suites that are absent, damaged or incomplete: each is told with the place, and what would be accepted."""

import subprocess
import sys

import pytest
from PIL import Image

from tests.datasets.foils.conftest import aro_pair, sugarcrepe_pair, valse_pair, winoground_example
from tests.datasets.foils.test_layouts import SUITES
from vlcheck.cases import with_target
from vlcheck.datasets.jsonl_writer import write_jsonl
from vlcheck.datasets.registry import open_source
from vlcheck.errors import UsageError


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.scheme)
@pytest.mark.parametrize("there", [True, False])
def test_a_folder_without_the_files_says_where_they_are_to_be_had(suite, there, tmp_path):
    folder = tmp_path if there else tmp_path / "nowhere"
    with pytest.raises(UsageError) as raised:
        open_source(f"{suite.scheme}:{folder}")
    message = str(raised.value)
    assert message.startswith(f"{folder}: {'has none of' if there else 'there is no such folder'}")
    assert suite.address in message
    assert suite.licence in message
    assert not there or next(iter(suite.files)) in message


@pytest.mark.parametrize(
    ("scheme", "name", "content"),
    [
        ("sugarcrepe", "add_att.json", {"0": sugarcrepe_pair()}),
        ("valse", "existence.json", {"existence_0": valse_pair()}),
        ("aro", "visual_genome_relation.json", [aro_pair()]),
        ("winoground", "examples.jsonl", [winoground_example()]),
    ],
)
def test_a_suite_without_its_pictures_says_whose_they_are_and_how_to_name_them(published, scheme, name, content):
    suite = published(scheme)
    suite.write(name, content)
    said = suite.refused()
    assert "pair" in said
    assert "picture of the pair is not there" in said
    assert f"say {scheme}:FOLDER@coco:ROOT for photographs of COCO, {scheme}:FOLDER@FOLDER for others." in said


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("@nowhere", "nowhere: there is no such folder; the folder of the pictures follows the @."),
        ("@scenes", "scenes: has no pictures that a foil suite can name; say @coco:ROOT[@SPLIT] or @FOLDER."),
        ("@jsonl:x", "has no pictures that a foil suite can name"),
        ("@coco:nowhere", "nowhere: there is no such folder; a COCO folder holds annotations/captions_<split>.json"),
        ("@cocoo:x", "unknown source 'cocoo'. Did you mean 'coco'?"),
        ("@", "nothing follows the @. Say sugarcrepe:FOLDER[@PICTURES]."),
    ],
)
def test_pictures_that_are_none_are_named(published, at, said):
    suite = published("sugarcrepe")
    suite.write("add_att.json", {"0": sugarcrepe_pair()})
    assert said in suite.refused(at)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"0": {\n"caption": }}', r"add_att.json: not JSON (Expecting value: line 2 column 12 (char 19))."),
        (b"[1, 2]", "add_att.json: is list; it has to hold an object with a pair a key."),
        (b'{"0": {},\n "0": {}}', "add_att.json:2: not JSON ('0' is there twice)."),
        (b'{"0": "caf\xe9"}', "add_att.json: cannot be read ('utf-8' codec can't decode byte 0xe9 in position 10"),
        (b"", "add_att.json: not JSON (Expecting value: line 1 column 1 (char 0))."),
    ],
)
def test_a_file_that_is_not_json_is_named_with_its_line(published, content, said):
    suite = published("sugarcrepe")
    suite.write("add_att.json", {}).write_bytes(content)
    assert said in suite.refused()


def test_a_line_that_is_not_json_is_named(published):
    suite = published("winoground")
    path = suite.write("examples.jsonl", [winoground_example()])
    path.write_text(path.read_text() + "\n{not json}")
    assert "examples.jsonl:2: is not JSON (" in suite.refused()


@pytest.mark.parametrize(
    ("pair", "why", "example"),
    [
        ({"caption": None}, "pair cannot be used", "[bad]: caption is None; it has to be a text."),
        ({"caption": "dog " * 2_500_000}, "text has more than 2000 characters", "000000000001.jpg of "),
        ({"negative_caption": 7}, "pair cannot be used", "[bad]: negative_caption is 7; it has to be a text."),
        ({"negative_caption": "A CAT on a  mat."}, "foil is the caption itself", "add_att.json: [bad]"),
        ({"filename": "../../etc/passwd"}, "picture of the pair is not there", "../../etc/passwd of "),
        ({"filename": ""}, "picture of the pair is not there", "add_att.json: [bad]"),
        ({}, "pair is there twice", "add_att.json: [bad]"),
    ],
)
def test_a_pair_that_cannot_be_used_is_counted_by_reason(published, pair, why, example):
    suite = published("sugarcrepe")
    suite.write("add_att.json", {"good": sugarcrepe_pair(), "bad": sugarcrepe_pair(**pair)})
    suite.picture("000000000001.jpg")
    source = suite.open()
    assert [case.id for case in source.cases] == ["sugarcrepe-add_att-good"]
    ((reason, count),) = source.left_out.items()
    assert count == 1
    assert reason.startswith(f"{why}, e.g. ")
    assert example.rstrip(".") in reason


def test_an_entry_that_is_no_pair_is_counted(published):
    suite = published("sugarcrepe")
    pair = sugarcrepe_pair()
    del pair["filename"]
    suite.write("add_att.json", {"0": sugarcrepe_pair(), "1": "text", "2": pair})
    suite.picture("000000000001.jpg")
    ((reason, count),) = suite.open().left_out.items()
    assert (reason.partition(", e.g. ")[0], count) == ("pair cannot be used", 2)
    assert reason.endswith("add_att.json: [1] is str; it has to be a dict")


def test_keys_of_any_characters_give_ids_that_differ_and_stay_the_same(published):
    suite = published("sugarcrepe")
    keys = ["a b", "a-b", "a/b", "ä", "\u2028::error::x", "x" * 500, ""]
    pairs = {key: sugarcrepe_pair(caption=f"A cat on {n} mats.") for n, key in enumerate(keys)}
    suite.write("add_att.json", pairs)
    suite.picture("000000000001.jpg")
    ids = [case.id for case in suite.open().cases]
    assert len({*ids}) == len(keys)
    assert all(one.isascii() and one.isprintable() and " " not in one and len(one) < 100 for one in ids)
    assert ids == [case.id for case in suite.open().cases]
    assert ids[:2] == ["sugarcrepe-add_att-a-b-541e27fe", "sugarcrepe-add_att-a-b"]


def test_a_picture_that_is_none_is_left_out_when_it_is_looked_at(published):
    suite = published("sugarcrepe")
    suite.write("add_att.json", {"0": sugarcrepe_pair(1), "1": sugarcrepe_pair(2)})
    suite.picture("000000000001.jpg")
    (suite.root / "000000000002.jpg").write_bytes(b"no picture")
    source = suite.open()
    assert len(source.cases) == 2
    assert len(source.select(with_target("foil"))) == 1
    ((reason, count),) = source.left_out.items()
    assert (reason.partition(", e.g. ")[0], count) == ("picture cannot be read", 1)


def test_a_caption_of_sides_needs_a_picture_that_is_stored_upright(published):
    suite = published("sugarcrepe")
    suite.write("add_att.json", {"0": sugarcrepe_pair(caption="A cat left of a mat.")})
    exif = Image.Exif()
    exif[0x0112] = 2  # mirrored
    suite.picture("000000000001.jpg", exif=exif)
    source = suite.open()
    assert source.select(with_target("foil")) == ()
    assert next(iter(source.left_out)).startswith("photograph is stored mirrored or turned (EXIF)")


def test_folders_that_lead_in_a_circle_end(published):
    suite = published("sugarcrepe")
    suite.write("add_att.json", {"0": sugarcrepe_pair()})
    suite.picture("val2017/000000000001.jpg")
    (suite.root / "val2017" / "again").symlink_to(suite.root)
    assert len(suite.open().cases) == 1


def test_readers_are_imported_when_they_are_asked():
    code = (
        "import sys, vlcheck.datasets.registry;"
        "print(sorted(name for name in sys.modules if name.startswith('vlcheck.datasets.foils')))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_suite_of_nothing_is_told(published):
    suite = published("sugarcrepe")
    suite.write("add_att.json", {})
    assert suite.refused() == f"{suite.root}: its files of SugarCrepe have no pair."


def test_cases_that_are_written_are_read_again_with_their_foils(published, tmp_path):
    suite = published("sugarcrepe")
    suite.write("add_att.json", {"0": sugarcrepe_pair(caption="A cat is left of a mat.")})
    suite.picture("000000000001.jpg")
    (case,) = suite.open().fitting
    assert write_jsonl(tmp_path / "mine" / "cases.jsonl", [case], copy=True) == 1
    (again,) = open_source(f"jsonl:{tmp_path}/mine/cases.jsonl").fitting
    assert (again.id, again.caption, again.target) == (case.id, case.caption, case.target)
    assert (again.foils, again.tags, again.source) == (case.foils, case.tags, case.source)
