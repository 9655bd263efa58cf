"""Only a category that was looked for is known to be absent: LVIS names those, and splits look for different ones."""

import json

import pytest

from tests.datasets.conftest import CATEGORIES, Folder
from vlcheck.datasets.coco.complement_set import AllBut
from vlcheck.datasets.coco.instances import spoken
from vlcheck.datasets.jsonl_writer import write_jsonl
from vlcheck.datasets.registry import open_source

LEFT, RIGHT = (0, 0, 80, 80), (100, 0, 80, 80)
DOG, CAT, BUS, BOWL, LAPTOP = (CATEGORIES.index(name) for name in ("dog", "cat", "bus", "bowl", "laptop"))


def federated(folder, *captions, instances, absent=(), partial=()):
    """Add a photograph as LVIS annotates it: which categories are not there, and of which there may be more."""
    number = folder.photograph(*captions, instances=instances)
    folder.tables["instances"]["images"][-1] |= {
        "neg_category_ids": list(absent),
        "not_exhaustive_category_ids": list(partial),
    }
    return number


def test_only_what_was_looked_for_is_known_to_be_absent(folder):
    federated(folder, "A dog on a rug.", instances=[("dog", *LEFT)], absent=[BUS, BOWL])
    ((case,), _) = folder.offered("object")
    assert case.candidates == ("bowl", "bus")
    assert {"dog", "puppy", "cat", "kitten", "laptop"} <= case.present
    assert case.present.isdisjoint({"bus", "buses", "bowl"})


def test_a_category_that_is_said_to_be_absent_and_has_a_box_is_there(folder):
    federated(folder, "A dog and a cat.", instances=[("dog", *LEFT), ("cat", *RIGHT)], absent=[CAT])
    for case in folder.offered("object")[0]:
        assert case.candidates == ()
        assert {"dog", "cat"} <= case.present


def test_a_picture_refutes_only_what_was_looked_for_in_it(folder):
    federated(folder, "A dog.", instances=[("dog", *LEFT)], absent=[BUS])
    federated(folder, "A cat.", instances=[("cat", *LEFT)], absent=[DOG])
    federated(folder, "A bus.", instances=[("bus", *LEFT)])
    dog, cat, bus = folder.offered("object")[0]
    assert dog.refuted_by(cat)
    assert bus.refuted_by(dog)
    assert not cat.refuted_by(dog)
    assert not dog.refuted_by(bus)


@pytest.mark.parametrize(("box", "bare"), [((0, 0, 150, 100), "a photo of a [MASK]"), ((0, 0, 100, 100), None)])
def test_what_nobody_looked_for_may_fill_the_rest_of_the_picture(folder, box, bare):
    federated(folder, "A dog.", instances=[("dog", *box)], absent=[CAT])
    ((case,), _) = folder.offered("object")
    assert case.bare == bare
    assert ("single" in case.tags) == bool(bare)


def test_of_what_is_annotated_in_part_there_may_be_more(folder):
    federated(folder, "A dog.", instances=[("dog", *LEFT), ("cat", *RIGHT)], partial=[DOG])
    ((case,), _) = folder.offered("object")
    assert case.region == ()
    assert "single" not in case.tags
    assert folder.offered("side")[1] == {"fewer than two categories have one instance": 1}


def test_no_key_means_that_all_was_looked_for_and_null_that_nothing_was(folder):
    folder.photograph("A dog.", instances=[("dog", *LEFT)])
    folder.photograph("A dog.", instances=[("dog", *LEFT)])
    folder.tables["instances"]["images"][1]["neg_category_ids"] = None
    every, none = folder.offered("object")[0]
    assert {"bus", "bowl", "laptop"} <= set(every.candidates)
    assert none.candidates == ()


def test_what_only_another_split_looks_for_is_not_known_to_be_absent(tmp_path):
    one, other = Folder(tmp_path, "one"), Folder(tmp_path, "other")
    one.photograph("A dog.", instances=[("dog", *LEFT)])
    one.tables["instances"]["categories"] = [{"id": DOG, "name": "dog"}, {"id": BUS, "name": "bus"}]
    for _ in range(2):
        other.photograph("A cat.", instances=[("cat", *LEFT)])
    for table in other.tables.values():
        del table["images"][0], table["annotations"][0]
    one.write()
    other.write()
    dog, cat = (case for case in open_source(f"coco:{tmp_path}").cases if "object" in case.tags)
    assert dog.candidates == ("bus",)
    assert {"cat", "bowl"} <= dog.present
    assert "bowl" in cat.candidates
    assert not cat.refuted_by(dog)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fire_hydrant", "fire hydrant"),
        ("bow_(decorative_ribbons)", "bow"),
        ("monitor_(computer_equipment) computer_monitor", "monitor"),
        ("Teddy-Bear", "teddy bear"),
        ("Cell Phone", "cell phone"),
        ("Person/Man", "person man"),
        ("tv", "tv"),
        ("(odd)", "(odd)"),
    ],
)
def test_names_of_categories_become_words(name, words):
    assert spoken(name) == words


@pytest.mark.parametrize(
    ("name", "caption", "target"),
    [
        ("bow_(weapon)", "A bow on a wall.", "bow"),
        ("fire_hydrant", "A hydrant on a street.", "hydrant"),
        ("Dog", "A puppy on a street.", "puppy"),
    ],
)
def test_a_category_is_found_by_its_words(folder, name, caption, target):
    folder.photograph(caption, instances=[("dog", *LEFT), ("cat", *RIGHT)])
    for table in folder.tables.values():
        table["categories"][DOG]["name"] = name
    ((case, *_), _) = folder.offered("object")
    assert case.target == target
    assert all("_" not in side.caption for side in folder.offered("side")[0])


def test_categories_that_are_called_alike_are_one_and_absent_together(folder):
    for table in folder.tables.values():
        table["categories"][BUS]["name"], table["categories"][BOWL]["name"] = "bow_(weapon)", "bow_(ribbons)"
    federated(folder, "A dog.", instances=[("dog", *LEFT)], absent=[BUS])
    federated(folder, "A dog.", instances=[("dog", *LEFT)], absent=[BUS, BOWL])
    federated(folder, "A bow.", instances=[("bus", *LEFT), ("bowl", *LEFT)])
    half, whole, bow = folder.offered("object")[0]
    assert (half.candidates, whole.candidates) == ((), ("bow",))
    assert (bow.target, bow.region) == ("bow", (LEFT,))


@pytest.mark.parametrize(
    ("crowd", "sides"),
    [("0", 2), ("1", 0), (0, 2), (1, 0), (False, 2), (True, 0), (None, 2), ("true", 0), ("False", 2)],
    ids=repr,
)
def test_a_crowd_is_told_by_number_or_text(folder, crowd, sides):
    folder.photograph("", instances=[("dog", *LEFT), ("cat", *RIGHT)])
    folder.tables["instances"]["annotations"][0]["iscrowd"] = crowd
    assert len(folder.offered("side")[0]) == sides


def test_nearly_all_words_are_a_set_like_any_other():
    words = AllBut({"a", "b", "c", "d"}, frozenset({"c", "d"}), frozenset({"d", "e"}))
    assert (set(words), len(words)) == ({"a", "b", "d", "e"}, 4)
    assert {"a", "e"} <= words
    assert not frozenset({"c"}) <= words
    assert {"a", "c"} - words == {"c"}
    assert sorted(words | {"c"}) == ["a", "b", "c", "d", "e"]


def test_what_is_not_known_is_written_out_and_read_again(folder):
    federated(folder, "A dog.", instances=[("dog", *LEFT)], absent=[BUS])
    source = open_source(f"coco:{folder.write()}")
    write_jsonl(folder.root / "cases.jsonl", source.cases)
    (again,) = open_source(f"jsonl:{folder.root}/cases.jsonl").cases
    assert set(again.present) >= set(source.cases[0].present)
    assert "bus" not in again.present
    assert json.loads((folder.root / "cases.jsonl").read_text())["candidates"] == ["bus"]
