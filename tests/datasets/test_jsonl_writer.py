"""Cases that are written, with their images."""

import dataclasses
import json
import shutil

import pytest
from PIL import Image

from vlcheck.cases import Case, ImageFile
from vlcheck.datasets.jsonl_writer import write_jsonl
from vlcheck.datasets.registry import open_source
from vlcheck.errors import UsageError


@pytest.fixture
def photographs(tmp_path):
    """Make a case for each file: its name, and its color."""

    def make(**colors):
        cases = []
        for name, color in colors.items():
            path = tmp_path / "data" / (name.replace("__", "/") + ".png")
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (4, 4), color).save(path)
            for target in ("dog", "cat"):
                tags = frozenset({"object"})
                one = {"image": ImageFile(path), "caption": "a dog, a cat", "target": target, "tags": tags}
                cases.append(Case(id=f"{name}-{target}", **one))
        return cases

    return make


def complaint(*arguments, **options):
    with pytest.raises(UsageError) as raised:
        write_jsonl(*arguments, **options)
    return str(raised.value)


def test_equal_names_of_two_splits_are_kept_apart(photographs, tmp_path):
    to = tmp_path / "mine" / "cases.jsonl"
    cases = photographs(train__1="red", val__1="blue", val__2="green")
    assert write_jsonl(to, cases, copy=True) == 6
    images = [json.loads(line)["image"] for line in to.read_text().splitlines()]
    assert images[::2] == ["images/train/1.png", "images/val/1.png", "images/val/2.png"]
    read = open_source(f"jsonl:{to}").cases
    assert [case.image.key for case in read] == [case.image.key for case in cases]


def test_images_of_one_folder_lie_beside_each_other(photographs, tmp_path):
    to = tmp_path / "cases.jsonl"
    write_jsonl(to, photographs(val__1="red", val__2="blue"), copy=True)
    assert sorted(path.name for path in (tmp_path / "images").iterdir()) == ["1.png", "2.png"]


def test_a_link_is_copied_under_its_own_name(photographs, tmp_path):
    (case, _) = photographs(a="red")
    blob = tmp_path / "blobs" / "0f3a"
    blob.parent.mkdir()
    shutil.move(case.image.path, blob)
    case.image.path.symlink_to(blob)
    write_jsonl(tmp_path / "mine" / "cases.jsonl", [case], copy=True)
    copied = tmp_path / "mine" / "images" / "a.png"
    assert copied.read_bytes() == blob.read_bytes()
    assert not copied.is_symlink()


def test_a_copy_that_is_there_is_taken_and_another_picture_is_named(photographs, tmp_path):
    cases = photographs(a="red")
    write_jsonl(tmp_path / "one.jsonl", cases, copy=True)
    write_jsonl(tmp_path / "two.jsonl", cases, copy=True)
    Image.new("RGB", (4, 4), "blue").save(tmp_path / "data" / "a.png")
    said = complaint(tmp_path / "three.jsonl", cases, copy=True)
    assert said.startswith(f"to: {tmp_path}/data/a.png cannot be copied: {tmp_path}/images/a.png is there already")


def test_a_file_that_is_there_stays_and_nothing_is_copied(photographs, tmp_path):
    (tmp_path / "cases.jsonl").write_text("mine")
    assert "cases.jsonl: is there already" in complaint(tmp_path / "cases.jsonl", photographs(a="red"), copy=True)
    assert (tmp_path / "cases.jsonl").read_text() == "mine"
    assert not (tmp_path / "images").exists()


def test_a_photograph_that_is_missing_is_what_is_named(photographs, tmp_path):
    cases = photographs(a="red", b="blue")
    (tmp_path / "data" / "b.png").unlink()
    assert complaint(tmp_path / "cases.jsonl", cases, copy=True) == f"{tmp_path}/data/b.png: no such photograph."
    assert not (tmp_path / "cases.jsonl").exists()


@pytest.mark.parametrize(
    ("to", "blocked", "said"),
    [
        ("cases.jsonl", "images", "images is no folder"),
        ("file/cases.jsonl", "file", "file is no folder"),
        ("file/deeper/cases.jsonl", "file", "file/deeper is no folder, or lies in none"),
    ],
)
def test_a_file_in_the_way_is_named(photographs, tmp_path, to, blocked, said):
    (tmp_path / blocked).write_text("")
    message = complaint(tmp_path / to, photographs(a="red"), copy=True)
    assert message.startswith(f"to={tmp_path}/")
    assert said in message


def test_a_disk_that_fills_leaves_no_half_picture(photographs, tmp_path, monkeypatch):
    def full(source, target):
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    said = complaint(tmp_path / "cases.jsonl", photographs(a="red"), copy=True)
    assert said == f"to={tmp_path}/images/a.png: {tmp_path}/images/a.png cannot be used (No space left on device)."
    assert [*(tmp_path / "images").iterdir()] == []


def test_images_outside_the_folder_have_to_be_copied(photographs, tmp_path):
    said = complaint(tmp_path / "mine" / "cases.jsonl", photographs(a="red"))
    assert said.startswith(f"to: {tmp_path}/data/a.png is outside {tmp_path}/mine; add copy")
    assert write_jsonl(tmp_path / "cases.jsonl", photographs(a="red")) == 2
    assert not (tmp_path / "images").exists()


def test_foils_are_written_and_read_again(photographs, tmp_path):
    case, *_ = photographs(a="red")
    foils = ("a dog, no cat", "two dogs, a cat")
    write_jsonl(tmp_path / "cases.jsonl", [dataclasses.replace(case, foils=foils)])
    (again,) = open_source(f"jsonl:{tmp_path}/cases.jsonl").cases
    assert again.foils == foils
