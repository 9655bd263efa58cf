"""A flip keeps the caption true of the picture, or is not made."""

import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from vlcheck.mitigate.training import SideAwareFlip, can_be_mirrored, exchange_sides


@pytest.fixture
def picture():
    """A picture whose left half is white."""
    image = Image.new("RGB", (4, 2))
    image.paste((255, 255, 255), (0, 0, 2, 2))
    return image


@pytest.mark.parametrize(
    ("caption", "mirrored"),
    [
        ("a cup to the left of a box", "a cup to the right of a box"),
        ("A man holds a ball in his Right hand.", "A man holds a ball in his Left hand."),
        ("the LEFT side", "the RIGHT side"),
        ("leftover food on the right", "leftover food on the left"),
        ("a red ball", "a red ball"),
    ],
)
def test_sides_change_places(caption, mirrored):
    assert exchange_sides(caption) == mirrored
    assert exchange_sides(mirrored) == caption
    assert can_be_mirrored(caption)


@pytest.mark.parametrize(
    "caption",
    [
        "a dog right behind a fence",
        "a man who left a bench",
        "a stop sign",
        "a t-shirt that says go left",
        "a lefty with a bat",
        "the leftmost cup",
    ],
)
def test_what_a_mirror_makes_false_is_not_mirrored(picture, caption):
    assert not can_be_mirrored(caption)
    image, same = SideAwareFlip(p=1.0)(picture, caption)
    assert (image.tobytes(), same) == (picture.tobytes(), caption)


def test_pictures_of_pillow_and_tensors_are_mirrored_alike(picture):
    flip = SideAwareFlip(p=1.0)
    image, caption = flip(picture, "a cup on the left")
    tensor, same = flip(v2.functional.pil_to_tensor(picture), "a cup on the left")
    assert caption == same == "a cup on the right"
    assert torch.equal(v2.functional.pil_to_tensor(image), tensor)
    assert image.getpixel((0, 0)) == (0, 0, 0)
    assert image.getpixel((3, 0)) == (255, 255, 255)


def test_it_stands_in_a_composition_and_half_of_the_pairs_are_mirrored(picture):
    transform = v2.Compose([SideAwareFlip(), v2.PILToTensor()])
    torch.manual_seed(0)
    pairs = [transform(picture, "a cup on the left") for _ in range(200)]
    assert {(int(image[0, 0, 0]), caption) for image, caption in pairs} == {
        (255, "a cup on the left"),
        (0, "a cup on the right"),
    }
    assert 70 < sum("right" in caption for _, caption in pairs) < 130


def test_captions_that_say_right_nine_times_as_often_are_balanced(picture):
    torch.manual_seed(0)
    captions = ["a cup on the right"] * 900 + ["a cup on the left"] * 100
    after = [SideAwareFlip()(picture, caption)[1] for caption in captions]
    assert 440 < sum("left" in caption for caption in after) < 560


@pytest.mark.parametrize("p", [-0.1, 1.5])
def test_a_probability_is_one(p):
    with pytest.raises(ValueError, match="it has to be a probability, from 0 to 1"):
        SideAwareFlip(p=p)
