"""A picture is its content: an id names one file of a split, and copies of a picture are one."""

import json
import shutil

import pytest
from PIL import Image

from tests.datasets.conftest import SIZE, Folder
from vlcheck.cases import with_target
from vlcheck.cases.case import ImageFile
from vlcheck.cases.duplicates import Copies
from vlcheck.datasets.jsonl_writer import write_jsonl
from vlcheck.datasets.registry import open_source
from vlcheck.errors import UsageError

LEFT, RIGHT = (0, 0, 80, 80), (100, 0, 80, 80)
DOGS = with_target("object")


def ids(source):
    return [case.id for case in source.cases]


@pytest.mark.parametrize("splits", [("train", "val"), ("train2017", "val2017")])
def test_ids_may_begin_again_in_each_split(tmp_path, splits):
    one, other = (Folder(tmp_path, split) for split in splits)
    one.photograph("A dog.", instances=[("dog", *LEFT)])
    other.photograph("A cat.", instances=[("cat", *LEFT)])
    one.write()
    Image.new("RGB", SIZE, "red").save(_in_place(other))
    source = open_source(f"coco:{tmp_path}")
    assert ids(source) == [f"coco-{splits[0]}-000000000001-object-dog", f"coco-{splits[1]}-000000000001-object-cat"]
    assert [case.image.path.parent.name for case in source.select(DOGS)] in (list(splits), list(splits[::-1]))
    assert not any("two splits" in reason for reason in source.left_out)
    for split in splits:
        assert ids(open_source(f"coco:{tmp_path}@{split}")) == [name for name in ids(source) if f"-{split}-" in name]


def test_ids_that_no_other_split_has_go_without_its_name(tmp_path):
    one, other = Folder(tmp_path, "mine"), Folder(tmp_path, "yours")
    one.photograph("A dog.", instances=[("dog", *LEFT)])
    for _ in range(2):
        other.photograph("A cat.", instances=[("cat", *LEFT)])
    for table in other.tables.values():
        del table["images"][0], table["annotations"][0]
    one.write(), other.write()
    assert ids(open_source(f"coco:{tmp_path}")) == ["coco-000000000001-object-dog", "coco-000000000002-object-cat"]


@pytest.mark.parametrize("link", [True, False])
def test_one_photograph_in_two_splits_is_one(folder, link):
    folder.photograph("A red bus.")
    folder.write()
    shutil.copyfile(folder.annotations("captions"), folder.root / "annotations" / "captions_zval.json")
    if link:
        (folder.root / "zval").symlink_to(folder.split)
    else:
        shutil.copytree(folder.root / folder.split, folder.root / "zval")
    source = open_source(f"coco:{folder.root}")
    assert ids(source) == ["coco-000000000001-color-red-bus"]
    assert source.left_out["photograph is listed in two splits"] == 1


def test_an_id_of_two_files_is_an_error_that_names_both(folder):
    folder.photograph("A dog.")
    folder.photograph("A cat.")
    folder.tables["captions"]["images"][1]["id"] = 1
    folder.write()
    with pytest.raises(UsageError, match=r"images\[1\]: id 1 is that of '000000000001.jpg' and of '000000000002.jpg'"):
        open_source(f"coco:{folder.root}")


def test_instances_of_another_file_of_the_same_id_are_an_error_that_names_both(folder):
    folder.photograph("A dog.", instances=[("dog", *LEFT)])
    folder.tables["instances"]["images"][0]["file_name"] = "other.jpg"
    folder.write()
    with pytest.raises(UsageError, match=r"image 1 is 'other.jpg', and '000000000001.jpg' in .*captions_val2017"):
        open_source(f"coco:{folder.root}")


def test_two_categories_of_one_id_are_an_error_that_names_both(folder):
    folder.photograph("A dog.", instances=[("dog", *LEFT)])
    folder.tables["instances"]["categories"][2]["id"] = 1
    folder.write()
    with pytest.raises(UsageError, match=r"categories\[2\]: id 1 is that of 'dog' and of 'cat'"):
        open_source(f"coco:{folder.root}")


@pytest.mark.parametrize("again", [LEFT, (0.01, 0, 80.004, 80)])
def test_equal_boxes_of_one_category_are_one(folder, again):
    folder.photograph("", instances=[("dog", *LEFT), ("dog", *again), ("cat", *RIGHT)])
    assert [case.caption for case in folder.offered("side")[0]] == [
        "a cat to the right of a dog",
        "a dog to the left of a cat",
    ][::-1]


def test_equal_boxes_of_a_region_are_one(folder):
    folder.photograph("A dog.", instances=[("dog", *LEFT)])
    source = open_source(f"coco:{folder.write()}")
    path = folder.root / "cases.jsonl"
    write_jsonl(path, source.cases)
    path.write_text(path.read_text().replace("[[0.0, 0.0, 80.0, 80.0]]", "[[0, 0, 80, 80], [0, 0, 80.0, 80]]"))
    assert open_source(f"jsonl:{path}").cases[0].region == (LEFT,)


@pytest.fixture
def twins(folder):
    """Three photographs, two of which are one."""
    for _ in range(3):
        folder.photograph("A dog.", instances=[("dog", *LEFT)])
    folder.write()
    shutil.copyfile(folder.path(1), folder.path(2))
    return folder


def test_copies_of_a_picture_are_chosen_once_and_counted(twins):
    source = open_source(f"coco:{twins.root}")
    assert len(source.cases) == 3
    assert len(source.select(DOGS)) == 2
    assert source.left_out["picture is a copy of another one"] == 1


def test_copies_in_a_file_of_ones_own_are_chosen_once_and_counted(twins):
    path = twins.root / "cases.jsonl"
    write_jsonl(path, open_source(f"coco:{twins.root}").cases)
    source = open_source(f"jsonl:{path}")
    assert len(source.cases) == 3
    assert len(source.select(DOGS)) == 2
    assert source.left_out["picture is a copy of another one"] == 1


def test_a_copy_takes_no_place_of_another_picture(twins):
    source = open_source(f"coco:{twins.root}:2")
    assert len({case.image.key for case in source.select(DOGS)}) == 2


def _in_place(folder):
    folder.write()
    return folder.path(1)


@pytest.mark.parametrize(("name", "options"), [("copy.png", {}), ("copy.jpg", {"quality": 60})])
def test_a_copy_in_another_format_is_chosen_once(tmp_path, name, options):
    scene, other = (each[0].image.open() for each in list(open_source("scenes:2").offer.cases.values())[:2])
    scene.save(tmp_path / "one.jpg", quality=90)
    Image.open(tmp_path / "one.jpg").save(tmp_path / name, **options)
    other.save(tmp_path / "other.png")
    lines = [{"image": image, "caption": "A dog.", "target": "dog", "tags": ["object"]} for image in ("one.jpg", name)]
    lines.append(lines[0] | {"image": "other.png"})
    (tmp_path / "cases.jsonl").write_text("\n".join(map(json.dumps, lines)))
    source = open_source(f"jsonl:{tmp_path}/cases.jsonl")
    assert len(source.select(DOGS)) == 2
    assert source.left_out["picture is a copy of another one"] == 1


def test_two_pictures_that_differ_in_a_thing_are_no_copies(tmp_path):
    scenes = {case.image.key: case.image for case in open_source("scenes:30").cases}
    pictures = [image.open() for image in scenes.values()]
    moved = pictures[0].copy()
    moved.paste((200, 30, 30), (16, 16, 26, 26))
    copies, mirrored = Copies(), pictures[0].transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    keys = set()
    for number, picture in enumerate([*pictures, moved, mirrored]):
        picture.save(tmp_path / f"{number}.png")
        keys.add(copies.key(ImageFile(tmp_path / f"{number}.png")))
    assert len(keys) == len(scenes) + 2
