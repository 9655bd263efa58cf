"""Pictures that did not load are found in each form in which a data set has them."""

import io

import pytest
import torch
from PIL import Image

from vlcheck.cases.box import Box
from vlcheck.cases.tones import is_blank
from vlcheck.mitigate.training import is_loaded, joined_as_seen, names_one_of_several, names_only


@pytest.fixture
def picture():
    image = Image.new("RGB", (8, 6))
    image.putpixel((3, 3), (0, 99, 0))
    return image


def as_bytes(image):
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def test_a_picture_is_loaded_in_each_form(picture, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(as_bytes(picture))
    tensor = torch.zeros(3, 6, 8)
    tensor[1, 3, 3] = 0.1
    for form in (picture, as_bytes(picture), path, str(path), {"bytes": as_bytes(picture), "path": None}, tensor):
        assert is_loaded(form)
    assert is_loaded({"bytes": None, "path": str(path)})
    assert is_loaded(picture.convert("L"))


def test_what_did_not_load_is_found(picture, tmp_path):
    black = Image.new("RGB", (8, 6))
    forms = (None, b"", b"no picture", as_bytes(picture)[:40], black, as_bytes(black), black.convert("L"))
    for form in (*forms, tmp_path / "missing.png", {"bytes": None, "path": None}, torch.full((3, 4, 4), 0.5)):
        assert not is_loaded(form)
    assert not is_loaded(torch.tensor([0.1, 0.2, 0.3])[:, None, None].expand(3, 4, 4))


@pytest.mark.parametrize(("levels", "loaded"), [(6, False), (8, False), (9, True)])
def test_a_blank_picture_is_that_of_the_audit_in_each_form(levels, loaded):
    image = Image.new("RGB", (8, 6), (120, 120, 120))
    image.putpixel((3, 3), (120 + levels, 120, 120))
    tensor = torch.full((3, 6, 8), 120.0)
    tensor[0, 3, 3] += levels
    assert is_blank(image) != loaded
    for form in (image, as_bytes(image), tensor, tensor.to(torch.uint8), tensor / 255):
        assert is_loaded(form) == loaded


def test_to_ask_leaves_the_picture_open(picture):
    assert is_loaded(picture)
    assert picture.getpixel((3, 3)) == (0, 99, 0)


@pytest.mark.parametrize(
    ("caption", "only"), [("a red ball", True), ("a ball on a box", False), ("a photo", True), ("two BOXes", True)]
)
def test_captions_that_name_what_nobody_annotated_are_found(caption, only):
    assert names_only(caption, {"ball"}, {"ball", "box"}) == only


@pytest.mark.parametrize(
    ("caption", "several"),
    [
        ("a photo of a ball", True),
        ("a red BALL", True),
        ("a ball on a box", False),
        ("a woman holds a ball", False),
        ("a woman", False),
        ("a cup", False),
    ],
)
def test_captions_that_name_one_of_several_things_are_found(caption, several):
    assert names_one_of_several(caption, {"ball", "box", "woman"}, {"ball", "box", "cup"}) == several


def test_a_normalised_picture_is_refused():
    normalised = (torch.rand(3, 8, 8) - 0.5) / 0.25
    with pytest.raises(ValueError, match="ask before the picture is normalised"):
        is_loaded(normalised)


PEOPLE = (("woman", Box(0, 0, 9, 30)), ("man", Box(30, 0, 9, 30)))
HELD = (*PEOPLE, ("ball", Box(8, 12, 4, 4)), ("box", Box(27, 12, 4, 4)))


@pytest.mark.parametrize(
    ("caption", "boxes", "seen"),
    [
        ("a woman holds a ball and a man holds a box", HELD, True),
        ("a man holds a box and a woman holds a ball", HELD, True),
        ("a woman holds a box and a man holds a ball", HELD, False),
        ("a man holds a ball", HELD, False),  # nothing is joined
        ("a woman and a man", HELD, False),  # nothing is related
        ("a woman holds a ball and a man holds a cup", HELD, False),  # nobody annotated a cup
        ("a woman holds a ball and a man holds a box", (*HELD, ("ball", Box(40, 0, 4, 4))), False),  # which ball?
    ],
)
def test_boxes_tell_whose_thing_it_is(caption, boxes, seen):
    assert joined_as_seen(caption, boxes) == seen
