"""A split of a COCO folder, by its name."""

import re

import pytest

from tests.datasets.conftest import Folder
from vlcheck.datasets.registry import open_source
from vlcheck.errors import UsageError


@pytest.fixture
def root(tmp_path):
    """A folder with two splits: a bus in one, a dog in the other."""
    for split, thing in (("train2017", "bus"), ("val2017", "dog")):
        folder = Folder(tmp_path / "coco", split=split)
        folder.root.mkdir(exist_ok=True)
        if thing == "dog":
            folder.photograph("A room.")  # a picture's color is its number's: no two are copies
        folder.photograph(f"A red {thing}.", instances=[(thing, 0, 0, 80, 80)])
        folder.write()
    return tmp_path / "coco"


def targets(spec):
    return {case.target for case in open_source(spec).cases if "object" in case.tags}


def test_a_split_that_is_named_is_read_alone(root):
    assert targets(f"coco:{root}") == {"bus", "dog"}
    assert targets(f"coco:{root}@val2017") == {"dog"}
    assert targets(f"coco:{root}@train2017:5:1") == {"bus"}
    assert targets(f'coco:"{root}"@"train2017"') == {"bus"}


def test_nothing_of_another_split_is_missed_or_counted(root):
    (root / "annotations" / "instances_train2017.json").unlink()
    source = open_source(f"coco:{root}@val2017")
    assert [one.files for one in source.offer.missing] == ["annotations/person_keypoints_val2017.json"]
    assert not any("photograph is not annotated" in reason for reason in source.left_out)


def test_a_split_that_is_not_there_is_told_the_nearest(root):
    with pytest.raises(
        UsageError, match=r"coco: has no split 'val', annotations/captions_val\.json\. Did you mean 'val2017'"
    ):
        open_source(f"coco:{root}@val")


def test_a_folder_whose_name_holds_an_at_is_no_split(root):
    other = root.rename(root.with_name("me@val2017"))
    assert targets(f"coco:{other}") == {"bus", "dog"}
    assert targets(f'coco:"{other}"') == {"bus", "dog"}
    assert targets(f"coco:{other}@val2017") == {"dog"}


@pytest.mark.parametrize("spec", ["coco:{}", "coco:{}@val2017"])
def test_a_files_name_may_begin_with_the_splits_folder(root, spec):
    for file in (root / "annotations").glob("*_val2017.json"):
        file.write_text(re.sub(r'"(?=0{5}\d+\.jpg")', '"val2017/', file.read_text()))
    source = open_source(spec.format(root))
    assert "dog" in {case.target for case in source.fitting}
    assert not any("photograph is not in" in reason for reason in source.left_out)


def test_a_folder_of_the_splits_name_within_it_is_no_second_root(root):
    (root / "val2017" / "val2017").mkdir()
    file = root / "annotations" / "captions_val2017.json"
    file.write_text(file.read_text().replace('"0000', '"val2017/0000'))
    assert open_source(f"coco:{root}").left_out["photograph is not in val2017/"] == 2
