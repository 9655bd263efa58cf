"""One entry of a COCO file that cannot be used is left out and counted; it does not refuse the others."""

import pytest

from tests.datasets.conftest import Folder
from vlcheck.datasets.registry import open_source

LEFT, RIGHT = (0, 0, 80, 80), (100, 0, 80, 80)


@pytest.fixture
def two(folder):
    """Two photographs of a dog, each with a caption, a box and keypoints."""
    for _ in range(2):
        folder.photograph("A dog.", instances=[("dog", *LEFT)])
    for number in (1, 2):
        folder.person(number, left_wrist=(10, 10), right_wrist=(90, 10))
    return folder


def kept(source):
    return [case.id for case in source.cases if "object" in case.tags]


ONE, OTHER = "coco-000000000001-object-dog", "coco-000000000002-object-dog"
CAPTION, STRAY_CAPTION = "caption cannot be used", "caption is of no listed photograph"
ENTRY, ANNOTATION = "photograph's entry cannot be used", "photograph has an annotation that cannot be used"
STRAY, NOWHERE = "instance is of no listed photograph", "annotation of an unknown photograph"
KEYPOINTS, STRAY_KEYPOINTS = "keypoints cannot be used", "keypoints are of no listed photograph"


@pytest.mark.parametrize(
    ("name", "table", "field", "value", "cases", "why", "said"),
    [
        ("captions", "annotations", "caption", None, [OTHER], CAPTION, "caption is None"),
        ("captions", "annotations", "caption", 5, [OTHER], CAPTION, "caption is 5"),
        ("captions", "annotations", "caption", "dog " * 600, [OTHER], CAPTION, "has 2399 characters"),
        ("captions", "annotations", "caption", "a [MASK]", [OTHER], CAPTION, "holds [MASK]"),
        ("captions", "annotations", "caption", "\ud800", [OTHER], CAPTION, "caption is"),
        ("captions", "annotations", "image_id", None, [OTHER], CAPTION, "image_id is None"),
        ("captions", "annotations", "image_id", 77, [OTHER], STRAY_CAPTION, "image_id 77 is none of"),
        ("captions", "images", "width", None, [OTHER], ENTRY, "width is"),
        ("captions", "images", "height", "tall", [OTHER], ENTRY, "height is 'tall'"),
        ("captions", "images", "file_name", "../1.jpg", [OTHER], ENTRY, "climbs out"),
        ("instances", "annotations", "bbox", None, [OTHER], ANNOTATION, "bbox is None"),
        ("instances", "annotations", "bbox", [1, 2, 3, -4], [OTHER], ANNOTATION, "bbox is"),
        ("instances", "annotations", "area", "12.5", [OTHER], ANNOTATION, "area is '12.5'"),
        ("instances", "annotations", "iscrowd", 7, [OTHER], ANNOTATION, "iscrowd is 7"),
        ("instances", "annotations", "category_id", None, [OTHER], ANNOTATION, "category_id is"),
        ("instances", "annotations", "category_id", 99, [OTHER], ANNOTATION, "category_id 99 is none of"),
        ("instances", "annotations", "image_id", None, [OTHER], NOWHERE, "image_id is"),
        ("instances", "annotations", "image_id", 77, [OTHER], STRAY, "image_id 77 is none of"),
        ("instances", "images", "neg_category_ids", "none", [OTHER], ANNOTATION, "neg_category_ids is 'none'"),
        ("person_keypoints", "annotations", "image_id", 77, [ONE, OTHER], STRAY_KEYPOINTS, "image_id 77 is none of"),
        ("person_keypoints", "annotations", "keypoints", None, [ONE, OTHER], KEYPOINTS, "keypoints is"),
    ],
)
def test_an_entry_that_cannot_be_used_is_left_out_with_what_rests_on_it(
    two, name, table, field, value, cases, why, said
):
    two.tables[name][table][0][field] = value
    source = open_source(f"coco:{two.write()}")
    assert kept(source) == cases
    ((reason, count),) = [(reason, count) for reason, count in source.left_out.items() if reason.startswith(why)]
    assert count == 1
    assert reason.startswith(f"{why}, e.g. {two.annotations(name)}: {table}[0]: ")
    assert said in reason


@pytest.mark.parametrize(
    ("name", "table"),
    [("captions", "images"), ("captions", "annotations"), ("captions", "licenses"), ("instances", "annotations")],
)
def test_an_entry_that_is_no_object_is_left_out(two, name, table):
    two.write()
    two.tables[name][table].append(None)
    assert kept(open_source(f"coco:{two.write_annotations()}")) == [ONE, OTHER]


def test_photographs_that_a_subset_dropped_leave_their_entries_out(two):
    del two.tables["captions"]["images"][0]
    source = open_source(f"coco:{two.write()}")
    assert kept(source) == [OTHER]
    assert {why.partition(",")[0]: count for why, count in source.left_out.items() if "listed" in why} == {
        STRAY_CAPTION: 1,
        STRAY_KEYPOINTS: 1,
    }


def test_an_unusable_box_leaves_no_other_thing_of_its_photograph_alone(two):
    two.photograph("A dog and a cat.", instances=[("dog", *LEFT), ("cat", *RIGHT)])
    two.tables["instances"]["annotations"][-1]["bbox"] = None
    assert kept(open_source(f"coco:{two.write()}")) == [ONE, OTHER]


def test_names_do_not_rest_on_a_split_that_has_one_unusable_entry(tmp_path):
    for split, thing in (("train", "dog"), ("val", "bus")):
        folder = Folder(tmp_path, split)
        for _ in range(2):
            folder.photograph(f"A {thing}.", f"A red {thing}.", instances=[(thing, *LEFT)])
        folder.tables["captions"]["images"][1]["width"] = None
        folder.write()
        folder.path(1).write_bytes(folder.path(2).read_bytes() if split == "val" else folder.path(1).read_bytes())
    whole = kept(open_source(f"coco:{tmp_path}"))
    assert whole
    assert kept(open_source(f"coco:{tmp_path}@train")) + kept(open_source(f"coco:{tmp_path}@val")) == whole
