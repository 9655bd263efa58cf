"""One field or file that cannot be used does not refuse the whole folder."""

import shutil

import pytest

from vlcheck.cases import with_target
from vlcheck.datasets.jsonl_writer import write_jsonl
from vlcheck.datasets.registry import open_source
from vlcheck.errors import UsageError

LEFT = (0, 0, 80, 80)


@pytest.mark.parametrize("field", ["license", "flickr_url", "coco_url", "date_captured"])
@pytest.mark.parametrize("value", [None, 7.5, ["CC0"]])
def test_a_field_that_only_names_a_source_may_be_anything(folder, field, value):
    folder.photograph("A dog.", instances=[("dog", *LEFT)])
    folder.tables["captions"]["images"][0][field] = value
    (case,) = open_source(f"coco:{folder.write()}").cases
    assert case.source == "COCO val2017 000000000001.jpg"
    assert case.licence == ("" if field == "license" else "Attribution License")


def test_a_license_may_be_told_by_its_name(folder):
    folder.photograph("A dog.", instances=[("dog", *LEFT)])
    folder.tables["captions"]["images"][0]["license"] = "CC0"
    (case,) = open_source(f"coco:{folder.write()}").cases
    assert case.licence == "CC0"


@pytest.mark.parametrize("licences", [None, [{"id": None, "name": "x"}], [{"id": 4, "name": None}], [{}]])
def test_licenses_that_say_nothing_are_passed_over(folder, licences):
    folder.photograph("A dog.", instances=[("dog", *LEFT)])
    folder.tables["captions"]["licenses"] = licences
    (case,) = open_source(f"coco:{folder.write()}").cases
    assert case.licence == ""


def test_an_area_of_null_is_that_of_the_box(folder):
    folder.photograph("A dog.", instances=[("dog", *LEFT)])
    folder.tables["instances"]["annotations"][0]["area"] = None
    (case,) = open_source(f"coco:{folder.write()}").cases
    assert "single" in case.tags


def test_a_photograph_that_is_missing_is_left_out_and_counted(folder):
    one, other = (folder.photograph("A dog.", instances=[("dog", *LEFT)]) for _ in range(2))
    folder.write()
    folder.path(one).unlink()
    source = open_source(f"coco:{folder.root}")
    assert [case.image.path for case in source.cases] == [folder.path(other)]
    assert source.left_out["photograph is not in val2017/"] == 1


def test_a_link_that_leads_nowhere_is_left_out_and_counted(folder):
    one, other = (folder.photograph("A dog.", instances=[("dog", *LEFT)]) for _ in range(2))
    folder.write()
    folder.path(one).unlink()
    folder.path(one).symlink_to("nowhere.jpg")
    source = open_source(f"coco:{folder.root}")
    assert [case.image.path for case in source.select(with_target("object"))] == [folder.path(other)]
    assert sum(count for why, count in source.left_out.items() if "cannot be read" in why) == 1


def test_a_split_without_its_folder_is_left_out_and_counted(folder):
    folder.photograph("A dog.", instances=[("dog", *LEFT)])
    folder.write()
    for name in ("captions", "instances"):
        shutil.copyfile(folder.annotations(name), folder.root / "annotations" / f"{name}_train2017.json")
    source = open_source(f"coco:{folder.root}")
    assert [case.id for case in source.cases] == ["coco-000000000001-object-dog"]
    assert source.left_out["split train2017 has no folder train2017/"] == 1


@pytest.mark.parametrize("folders", [True, False])
def test_a_folder_with_none_of_its_photographs_is_told_the_layout(folder, folders):
    folder.photograph("A dog.", instances=[("dog", *LEFT)])
    folder.write()
    shutil.rmtree(folder.root / folder.split)
    if folders:
        (folder.root / folder.split).mkdir()
    with pytest.raises(UsageError, match=r"has no photograph that can be used .*a COCO folder holds"):
        open_source(f"coco:{folder.root}")


def test_a_photograph_in_a_hubs_cache_is_found_and_written_out(folder):
    number = folder.photograph("A dog.", instances=[("dog", *LEFT)])
    folder.write()
    blob = folder.root.parent / f"{folder.root.name}-blob"
    folder.path(number).rename(blob)
    folder.path(number).symlink_to(blob)
    source = open_source(f"coco:{folder.root}")
    assert len(source.select(with_target("object"))) == 1
    write_jsonl(folder.root / "cases.jsonl", source.cases)
    assert len(open_source(f"jsonl:{folder.root}/cases.jsonl").select(with_target("object"))) == 1
