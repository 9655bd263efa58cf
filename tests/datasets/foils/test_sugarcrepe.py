"""SugarCrepe, as it is published and on a few pairs of our own."""

import json
from collections import Counter

import pytest

from tests.datasets.conftest import Folder
from tests.datasets.foils.conftest import sugarcrepe_pair
from vlcheck.cases.words import tokenize
from vlcheck.datasets.foils.suite import TWICE
from vlcheck.datasets.registry import open_source

ALL = {  # as its authors count them
    "added-object": 2062,
    "replaced-object": 1652,
    "replaced-relation": 1406,
    "replaced-attribute": 788,
    "added-attribute": 692,
    "swapped-attribute": 666,
    "swapped-object": 245,
}


def phenomena(source):
    return Counter(tag for case in source.cases for tag in case.tags - {"foil"})


@pytest.fixture(scope="module")
def whole(foils_root, tmp_path_factory):
    """All of SugarCrepe, with a file for each photograph that it names, which nobody opens."""
    pictures = tmp_path_factory.mktemp("val2017")
    for file in (foils_root / "sugar_crepe").glob("*.json"):
        for pair in json.loads(file.read_text(encoding="utf-8")).values():
            (pictures / pair["filename"]).touch()
    return open_source(f"sugarcrepe:{foils_root}/sugar_crepe@{pictures}")


def test_of_its_7511_pairs_six_are_there_twice_and_the_others_are_cases(whole):
    left_out = sum(whole.left_out.values())
    assert (len(whole.cases), left_out) == (7505, 6)
    assert [reason.startswith(TWICE) for reason in whole.left_out] == [True]
    assert len({case.id for case in whole.cases}) == 7505
    found = phenomena(whole)
    assert found.keys() == ALL.keys()
    assert sum((Counter(ALL) - found).values()) == 6


def test_a_target_is_a_word_that_the_foil_changes_unless_the_caption_begins_it_or_says_the_word_twice(whole):
    unchanged = [case for case in whole.cases if is_at_its_place(case.target, case.caption, case.foils[0])]
    begun = [case for case in unchanged if words(case.foils[0])[: len(words(case.caption))] == words(case.caption)]
    assert len(unchanged) < 0.07 * len(whole.cases)
    assert len(unchanged) - len(begun) < 0.01 * len(whole.cases)


def words(text):
    return [token.word for token in tokenize(text)]


def is_at_its_place(word, caption, foil):
    at = words(caption).index(word)
    return words(foil)[at : at + 1] == [word]


def test_pairs_whose_photographs_are_there_are_cases_with_source_and_licence(foils_root, photographs_root):
    source = open_source(f"sugarcrepe:{foils_root}/sugar_crepe@coco:{photographs_root}")
    others = sum(source.left_out.values())
    assert len(source.cases) + others == 7511
    assert source.cases, "the photographs are those of COCO, or some of them"
    case = source.cases[0]
    assert case.source.startswith("SugarCrepe add_att ")
    assert "COCO val2017 http" in case.source
    assert case.licence
    named = open_source(f"sugarcrepe:{foils_root}/sugar_crepe@coco:{photographs_root}@val2017:7:3")
    assert (named.images, named.seed, len(named.cases)) == (7, 3, len(source.cases))


def test_a_repository_has_the_files_in_data(published):
    suite = published("sugarcrepe")
    suite.write("add_att.json", {"0": sugarcrepe_pair(1), "7": sugarcrepe_pair(2)}, folder="data")
    suite.write("swap_obj.json", {"0": sugarcrepe_pair(1, caption="A mat on a cat.")}, folder="data")
    suite.picture("data/val2017/000000000001.jpg")
    source = suite.open()
    assert [case.id for case in source.cases] == ["sugarcrepe-add_att-0", "sugarcrepe-swap_obj-0"]
    assert phenomena(source) == {"added-attribute": 1, "swapped-object": 1}
    (reason,) = source.left_out
    assert reason.startswith("picture of the pair is not there, e.g. 000000000002.jpg of ")
    assert reason.endswith("add_att.json: [7]")


def test_what_is_missing_is_told_where_it_would_bring_more(published):
    suite = published("sugarcrepe")
    suite.write("add_att.json", {"0": sugarcrepe_pair(1), "7": sugarcrepe_pair(2)})
    suite.picture("000000000001.jpg")
    *files, pictures = suite.open().offer.missing
    assert {tuple(one.kinds) for one in files} == {(one,) for one in ALL if one != "added-attribute"}
    assert files[0].files == (
        "add_obj.json (SugarCrepe is at https://github.com/RAIVNLab/sugar-crepe (data/), under the MIT licence)"
    )
    assert pictures.files.startswith("the pictures of 1 pair, the photographs of COCO val2017 (https://cocodataset.org")
    assert pictures.kinds == {"added-attribute"}


def test_photographs_of_a_coco_folder_have_the_same_number_in_2014_and_2017(published, tmp_path):
    folder = Folder(tmp_path / "coco")
    (tmp_path / "coco").mkdir()
    folder.photograph("a cat")
    root = folder.write()
    suite = published("sugarcrepe")
    names = ["000000000001.jpg", "COCO_val2014_000000000001.jpg", "VisualDialog_val2018_000000000001.jpg", "1.jpg"]
    pairs = {name: sugarcrepe_pair(filename=name, caption=f"A cat on {n} mats.") for n, name in enumerate(names)}
    suite.write("add_att.json", pairs)
    cases = suite.open(f"@coco:{root}").cases
    assert [case.caption for case in cases] == ["A cat on 0 mats.", "A cat on 1 mats."]
    assert {case.image.path for case in cases} == {root / "val2017" / "000000000001.jpg"}
    assert {case.licence for case in cases} == {"Attribution License"}
