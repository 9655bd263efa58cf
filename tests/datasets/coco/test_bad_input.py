"""A COCO folder that cannot be used is named by file, with what would be accepted."""

import struct
import zlib

import pytest
from PIL import Image

from tests.datasets.conftest import Folder
from vlcheck.cases import with_target
from vlcheck.datasets.registry import open_source
from vlcheck.errors import UsageError


def opening(folder):
    with pytest.raises(UsageError) as raised:
        open_source(f"coco:{folder.root}")
    return str(raised.value)


def test_a_folder_without_annotations_is_told_the_layout(folder):
    message = opening(folder)
    assert str(folder.root) in message
    assert "annotations/captions_<split>.json" in message


def test_a_folder_that_is_not_there_is_told_the_layout(tmp_path):
    with pytest.raises(UsageError, match=r"absent: there is no such folder; .*annotations/captions_<split>\.json"):
        open_source(f"coco:{tmp_path}/absent")


@pytest.mark.parametrize("name", ["captions", "instances"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"images": [', "is not JSON"),
        (b"\xff\xfe\x00", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "has to hold an object"),
        (b"{}", "has no list"),
        (b'{"images": [1], "annotations": [], "categories": []}', "images[0] is not an object"),
        (b'{"images": [{}], "annotations": [], "categories": []}', "images[0]: id is missing"),
    ],
    ids=["cut short", "no text", "deep", "list", "empty", "number", "no id"],
)
def test_an_annotation_file_that_is_none_is_named(folder, name, content, said):
    folder.photograph("A dog.")
    folder.write()
    folder.annotations(name).write_bytes(content)
    message = opening(folder)
    assert message.startswith(str(folder.annotations(name)))
    assert said in message


@pytest.mark.parametrize(
    ("name", "table", "field", "value", "said"),
    [
        ("captions", "annotations", "caption", None, "annotations[0]: caption is missing; it has to be a text"),
        ("captions", "annotations", "image_id", 77, "annotations[0]: image_id 77 is none of the file's images"),
        ("captions", "annotations", "caption", "A [MASK] dog.", "annotations[0]: caption holds [MASK]"),
        (
            "captions",
            "annotations",
            "caption",
            "dog " * 600,
            "annotations[0]: caption has 2399 characters; at most 2000",
        ),
        ("captions", "images", "id", -1, "images[0]: id is -1; it has to be 0 or more"),
        ("captions", "images", "file_name", 5, "images[0]: file_name is 5; it has to be a text"),
        ("captions", "images", "file_name", "../1.jpg", "climbs out"),
        ("captions", "images", "file_name", "/etc/passwd", "climbs out"),
        ("captions", "images", "width", "wide", "images[0]: width is 'wide'; it has to be a whole number"),
        ("instances", "annotations", "bbox", [1, 2, 3], "annotations[0]: bbox is [1, 2, 3]"),
        ("instances", "annotations", "bbox", [1, 2, 3, float("nan")], "annotations[0]: bbox is"),
        ("instances", "annotations", "bbox", [1, 2, 3, 10**400], "annotations[0]: bbox is"),
        ("captions", "annotations", "caption", "\ud800 dog", "annotations[0]: caption is"),
        ("instances", "annotations", "area", "big", "annotations[0]: area is 'big'; it has to be a number, 0 or more"),
        ("instances", "annotations", "area", -4, "annotations[0]: area is -4; it has to be a number, 0 or more"),
        ("instances", "annotations", "area", True, "annotations[0]: area is True"),
        ("instances", "annotations", "bbox", [True] * 4, "annotations[0]: bbox is [True, True, True, True]"),
        ("instances", "annotations", "iscrowd", "yes", "annotations[0]: iscrowd is 'yes'; it has to be 0 or 1"),
        ("instances", "annotations", "iscrowd", [], "annotations[0]: iscrowd is []; it has to be 0 or 1"),
        ("instances", "images", "neg_category_ids", [True], "images[0]: neg_category_ids is [True]"),
        ("instances", "images", "not_exhaustive_category_ids", [False], "images[0]: not_exhaustive_category_ids is"),
        ("captions", "images", "width", 200.5, "images[0]: width is 200.5; it has to be a whole number"),
        ("instances", "annotations", "category_id", 99, "category_id 99 is none of the file's categories"),
        ("instances", "annotations", "image_id", 99, "image_id 99 is none of the file's images"),
    ],
)
def test_a_field_of_the_wrong_kind_is_named(folder, name, table, field, value, said):
    folder.photograph("A dog.", instances=[("dog", 0, 0, 50, 50)])
    folder.tables[name][table][0][field] = value
    if value is None:
        del folder.tables[name][table][0][field]
    folder.write()
    message = opening(folder)
    assert message.startswith(str(folder.annotations(name)))
    assert said in message


def make_large(path):
    """A PNG whose header promises 200 megapixels."""
    header = struct.pack(">4sIIBBBBB", b"IHDR", 20_000, 10_000, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header)) + b"\0\0\0\0IDAT"
    )


@pytest.mark.parametrize(
    ("spoil", "reason", "said"),
    [
        (lambda path: path.write_bytes(b""), "photograph cannot be read", "not a picture"),
        (lambda path: path.write_bytes(b"no picture"), "photograph cannot be read", "not a picture"),
        (make_large, "photograph cannot be read", "megapixels"),
        (
            lambda path: Image.new("RGB", (20, 10)).save(path),
            "photograph has another size than is listed",
            "is 20 x 10 pixels, and 200 x 100 in",
        ),
    ],
    ids=["empty", "text", "large", "another size"],
)
def test_a_photograph_that_cannot_be_used_is_left_out_and_counted(folder, spoil, reason, said):
    one, other = (folder.photograph("A dog.", instances=[("dog", 0, 0, 50, 50)]) for _ in range(2))
    folder.write()
    spoil(folder.path(one))
    source = open_source(f"coco:{folder.root}")
    assert [case.image.path for case in source.select(with_target("object"))] == [folder.path(other)]
    ((left_out, count),) = [(why, count) for why, count in source.left_out.items() if why.startswith(reason)]
    assert count == 1
    assert str(folder.path(one)) in left_out
    assert said in left_out


def test_captions_without_an_instances_file_are_not_annotated(folder):
    folder.photograph("A red bus.")
    folder.write()
    folder.annotations("instances").unlink()
    source = open_source(f"coco:{folder.root}")
    assert [case.target for case in source.cases] == ["red"]
    assert source.left_out["object: photograph is not annotated"] == 1


@pytest.mark.parametrize("name", ["", " ", "\n"])
def test_a_category_has_a_name(tmp_path, name):
    folder = Folder(tmp_path)
    folder.photograph("a dog", instances=[("dog", 1, 1, 9, 9)])
    folder.tables["instances"]["categories"][1]["name"] = name
    with pytest.raises(UsageError, match=r"categories\[1\]: name is .*; it has to be a text that is not blank"):
        open_source(f"coco:{folder.write()}")


@pytest.mark.parametrize(
    ("key", "value"),
    [("file_name", "a" * 5000), ("file_name", "a/" * 3000 + "b.jpg"), ("file_name", "a\0b.jpg"), ("width", 10**400)],
)
def test_what_no_photograph_has_is_left_out(tmp_path, key, value):
    folder = Folder(tmp_path)
    for _ in range(2):
        folder.photograph("a dog on a sofa", instances=[("dog", 1, 1, 9, 9)])
    folder.write()
    folder.tables["captions"]["images"][0][key] = value
    folder.write_annotations()
    source = open_source(f"coco:{tmp_path}")
    assert {case.image.path.name for case in source.fitting} == {"000000000002.jpg"}
    assert source.left_out.total()
