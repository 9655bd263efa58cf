"""Cases of one's own: what a line means, and what is said of one that means nothing."""

import json
import os

import pytest
from PIL import Image

from vlcheck.cases import Box, with_target
from vlcheck.datasets.jsonl import LONGEST_LINE
from vlcheck.datasets.registry import open_source
from vlcheck.errors import UsageError

LINE = {"image": "one.png", "caption": "A dog on a red rug.", "target": "dog", "tags": ["object"]}


@pytest.fixture
def write(tmp_path):
    """Write lines (objects, or text as it is) and a picture; returns the spec."""

    def write(*lines):
        Image.new("RGB", (40, 30), "red").save(tmp_path / "one.png")
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        (tmp_path / "cases.jsonl").write_text("\n".join(texts), encoding="utf-8")
        return f"jsonl:{tmp_path}/cases.jsonl"

    return write


def refusal(spec):
    with pytest.raises(UsageError) as raised:
        open_source(spec)
    return str(raised.value)


def test_the_four_needed_fields_are_enough(write):
    (case,) = open_source(write(LINE)).cases
    assert (case.id, case.masked, case.bare, case.candidates, case.region) == (
        "line-1",
        "A [MASK] on a red rug.",
        None,
        (),
        (),
    )
    assert case.about == {"dog"}
    assert case.present == {"a", "dog", "on", "red", "rug"}


def test_every_field_is_taken_over(write):
    more = {
        "id": "mine/1",
        "bare": "a photo of a [MASK]",
        "candidates": ["cat", "bus"],
        "foils": ["A cat on a red rug."],
        "about": ["dog", "rug"],
        "present": ["dog"],
        "region": [[1, 2, 3.5, 4]],
        "other_region": [[5, 6, 7, 8]],
        "source": "my camera",
        "licence": "CC0",
    }
    (case,) = open_source(write(LINE | more)).cases
    assert (case.id, case.bare, case.candidates) == ("mine/1", "a photo of a [MASK]", ("cat", "bus"))
    assert case.foils == ("A cat on a red rug.",)
    assert (case.about, case.present) == ({"dog", "rug"}, {"dog"})
    assert (case.region, case.source, case.licence) == ((Box(1, 2, 3.5, 4),), "my camera", "CC0")
    assert case.other_region == (Box(5, 6, 7, 8),)


def test_what_is_said_of_a_picture_in_one_line_is_present_in_all_of_its_lines(write):
    dog, rug = open_source(write(LINE, LINE | {"caption": "A cat, too.", "target": "cat"})).cases
    assert {"dog", "cat"} <= dog.present
    assert dog.present == rug.present


def test_blank_lines_and_a_byte_order_mark_are_passed_over(write):
    spec = write("\ufeff" + json.dumps(LINE), "", "   ", LINE | {"id": "second"})
    assert [case.id for case in open_source(spec).cases] == ["line-1", "second"]


def test_one_case_an_image_is_chosen(write):
    source = open_source(write(LINE, LINE | {"caption": "A cat.", "target": "cat"}))
    assert len(source.cases) == 2
    assert len(source.select(with_target("object"))) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"target": 5}, "target: is 5; it has to be a text"),
        ({"caption": "  "}, "caption: is '  '; it has to be a text"),
        ({"tags": []}, "tags: is empty; it has to hold the kind of the target"),
        ({"tags": ["object", 3]}, "tags: is ['object', 3]; it has to be a list of texts"),
        ({"region": [[0, 0, 0, 5]]}, "region: [0, 0, 0, 5] is no box"),
        ({"region": 7}, "region: 7 is no box"),
        ({"other_region": [[0, 0, 0, 5]]}, "other_region: [0, 0, 0, 5] is no box"),
        ({"region": [1, 2, 8, 9]}, "region: [1, 2, 8, 9] is one box; it has to be a list of [x, y, width, height]"),
        (
            {"region": [[0.1, 0.2, 0.5, 0.6]]},
            "in shares of the picture; boxes have to be [x, y, width, height] in pixels",
        ),
        ({"region": [[5, 5, 0.5, 9]]}, "is under a pixel; boxes have to be [x, y, width, height] in pixels"),
        ({"image": "http://a.org/one.png"}, "is an address; it has to be a file's path"),
        ({"bare": "a photo"}, "bare 'a photo' has to hold [MASK] exactly once"),
        ({"caption": "A [MASK] dog"}, "caption: holds [MASK]; it has to hold the target itself"),
        ({"candidates": ["Dog"]}, "candidates: 'Dog' is the target"),
        ({"candidates": ["cat", "cat"]}, "candidates: 'cat' is there twice"),
        ({"candidates": ["cat", "bus", " CAT"]}, "candidates: ' CAT' is there twice"),
        ({"foils": "A cat."}, "foils: is 'A cat.'; it has to be a list of texts"),
        ({"foils": ["A cat.", " "]}, "foils: is ['A cat.', ' ']; it has to be a list of texts"),
        ({"foils": [LINE["caption"].upper()]}, "is the caption itself; a foil has to be false of the picture"),
        ({"foils": ["A cat.", "a  cat."]}, "foils: 'a  cat.' is there twice"),
        ({"foils": ["A [MASK]."]}, "foils: 'A [MASK].' holds [MASK]; it has to be a whole sentence"),
        ({"foils": ["cat " * 501]}, "foils: one has 2004 characters; at most 2000 are accepted"),
        ({"tags": ["foil", "counting"]}, "foils: there are none; a case with the tag 'foil' needs sentences"),
        ({"tags": ["foil", "counting"], "foils": []}, "foils: there are none"),
        (
            {"tags": ["foil", "countin"], "foils": ["A cat."]},
            "tags: 'foil' needs the thing that the foils are wrong about",
        ),
        ({"tags": ["foil", "countin"], "foils": ["A cat."]}, "counting"),
        ({"tags": ["foil"], "foils": ["A cat."]}, "swapped-attribute"),
        ({"id": "a b"}, "id: is 'a b'; it has to be printable ASCII without spaces"),
        ({"id": "h\u00fcnd"}, "id: is"),
        ({"image": "."}, "climbs out"),
        ({"image": "a\0b"}, "climbs out"),
        ({"target": "dogs"}, "is not a word of the caption"),
        ({"target": "do"}, "is not a word of the caption"),
    ],
)
def test_a_field_that_cannot_be_is_named_by_file_line_and_field(write, tmp_path, change, said):
    message = refusal(write(LINE, LINE | {"id": "two"} | change))
    assert message.startswith(f"{tmp_path}/cases.jsonl:2: ")
    assert said in message


@pytest.mark.parametrize("field", ["image", "caption", "target", "tags"])
def test_a_missing_field_is_named_with_what_is_needed(write, field):
    line = {name: value for name, value in LINE.items() if name != field}
    assert f":1: {field}: is missing; a case needs image, caption, target, tags" in refusal(write(line))


def test_a_link_into_a_hubs_cache_is_followed(write, tmp_path):
    snapshot, blob = tmp_path / "snapshots" / "1f2e", tmp_path / "blobs" / "9c8b"
    for folder in (snapshot / "images", blob.parent):
        folder.mkdir(parents=True)
    write(LINE | {"image": "images/one.png"})
    (tmp_path / "one.png").rename(blob)
    (snapshot / "images" / "one.png").symlink_to("../../../blobs/9c8b")
    (tmp_path / "cases.jsonl").rename(blob.parent / "7a6d")
    (snapshot / "cases.jsonl").symlink_to("../../blobs/7a6d")
    (case,) = open_source(f"jsonl:{snapshot}/cases.jsonl").select(with_target("object"))
    assert case.image.size == (40, 30)


@pytest.mark.parametrize("image", ["../one.png", "images/../../one.png", "/etc/one.png", "..", "images/.."])
def test_a_path_that_climbs_out_by_its_text_is_refused(write, image):
    assert "climbs out" in refusal(write(LINE | {"image": image}))


@pytest.mark.parametrize("field", ["id", "bare", "candidates", "about", "present", "region", "source", "licence"])
def test_null_is_as_good_as_nothing_where_nothing_is_needed(write, field):
    assert open_source(write(LINE | {field: None})).cases == open_source(write(LINE)).cases


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1]", ":1: is list, not an object"),
        ("{", ":1: is not JSON"),
        ("[" * 100_000, ":1: is not JSON"),
        ("x" * (LONGEST_LINE + 1), f":1: is longer than {LONGEST_LINE} bytes"),
        ('{"image": "a.png", "image": "b.png"}', ":1: is not JSON ('image' is there twice)"),
        ("", "has no case"),
    ],
    ids=["list", "cut short", "deep", "long", "twice", "empty"],
)
def test_a_line_that_is_no_object_is_named(write, text, said):
    assert said in refusal(write(text))


def test_bytes_that_are_no_text_are_named(write, tmp_path):
    spec = write(LINE)
    (tmp_path / "cases.jsonl").write_bytes(b'{"image": "\xff"}')
    assert "cases.jsonl:1: is not JSON" in refusal(spec)


def test_an_id_that_is_taken_is_named_with_the_other_line(write):
    assert ":3: id: 'a' is that of line 1, too" in refusal(write(LINE | {"id": "a"}, "", LINE | {"id": "a"}))


@pytest.mark.parametrize("kind", ["folder", "absent", "unreadable"])
def test_a_file_that_cannot_be_read_is_named(write, tmp_path, kind):
    spec = write(LINE)
    if kind == "unreadable" and os.getuid() == 0:
        pytest.skip("needs a user who may not read every file; this one is root")
    if kind == "unreadable":
        (tmp_path / "cases.jsonl").chmod(0)
    name = {"folder": tmp_path, "absent": tmp_path / "absent.jsonl", "unreadable": tmp_path / "cases.jsonl"}[kind]
    assert str(name) in refusal(spec if kind == "unreadable" else f"jsonl:{name}")


@pytest.mark.parametrize("box", [[30, 0, 20, 5], [-5, 0, 10, 10], [0, 29, 5, 5]])
@pytest.mark.parametrize("field", ["region", "other_region"])
def test_a_region_outside_of_its_picture_is_named_when_the_case_is_chosen(write, field, box):
    source = open_source(write(LINE | {field: [box]}))
    with pytest.raises(UsageError, match=rf":1: {field}: .* lies outside of the picture, 40 x 30 pixels"):
        source.select(with_target("object"))


@pytest.mark.parametrize(
    ("caption", "target", "present"),
    [
        ("A Dog runs.", "Dog", ["dog"]),
        ("A red fire hydrant.", "fire hydrant", ["Fire Hydrant"]),
        ("A man in a t-shirt.", "t-shirt", ["t-shirt", "man"]),
    ],
)
@pytest.mark.parametrize("said", [True, False])
def test_a_picture_that_shows_the_target_does_not_refute_its_caption(write, tmp_path, caption, target, present, said):
    Image.new("RGB", (40, 30), "blue").save(tmp_path / "two.png")
    one = LINE | {"caption": caption, "target": target}
    two = one | {"image": "two.png"} | ({"present": present} if said else {})
    first, second = open_source(write(one, two)).cases
    assert not first.refuted_by(second)
    third = two | {"caption": "A bus.", "target": "bus", "present": ["bus"]}
    first, other = open_source(write(one, third)).cases
    assert first.refuted_by(other)


def test_a_pipe_in_place_of_a_picture_is_no_file(write, tmp_path):
    source = open_source(write(LINE))
    (tmp_path / "one.png").unlink()
    os.mkfifo(tmp_path / "one.png")
    with pytest.raises(UsageError, match="is no file"):
        source.select(with_target("object"))
