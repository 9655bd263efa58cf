"""A crop moves things, holds those that it has to hold, and leaves alone what names a place."""

from random import Random

import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from vlcheck.cases.box import Box
from vlcheck.mitigate.training import ShiftedCrop, names_a_place
from vlcheck.mitigate.training.crops import draw_part

BOX = Box(24, 26, 12, 10)


@pytest.fixture
def picture():
    """A black picture with a red thing in its middle."""
    image = Image.new("RGB", (60, 60))
    image.paste((255, 0, 0), (24, 26, 36, 36))
    return image


def middle_of_red(image):
    rows, columns = (v2.functional.pil_to_tensor(image)[0] > 128).nonzero(as_tuple=True)
    return rows.float().mean().item(), columns.float().mean().item(), len(rows)


def test_the_thing_is_elsewhere_and_whole(picture):
    torch.manual_seed(0)
    places = []
    for _ in range(100):
        image, caption = ShiftedCrop()(picture, "a photo of a ball", [BOX])
        assert (image.size, caption) == (picture.size, "a photo of a ball")
        row, column, pixels = middle_of_red(image)
        assert pixels >= 110  # of 120, more where the part is enlarged
        places.append((row, column))
    assert min(row for row, _ in places) < 20 < 40 < max(row for row, _ in places)
    assert min(column for _, column in places) < 20 < 40 < max(column for _, column in places)


@pytest.mark.parametrize("caption", ["a ball in the middle", "a cup on the left", "a man in the background"])
def test_a_caption_that_names_a_place_keeps_its_picture(picture, caption):
    assert names_a_place(caption)
    image, same = ShiftedCrop()(picture, caption)
    assert image is picture
    assert same == caption


def test_parts_lie_in_the_picture_and_hold_the_boxes():
    rng = Random(0)
    for _ in range(2_000):
        size = rng.randint(10, 80), rng.randint(10, 80)
        width, height = rng.uniform(1, size[0]), rng.uniform(1, size[1])
        box = Box(rng.uniform(0, size[0] - width), rng.uniform(0, size[1] - height), width, height)
        boxes = [box] if rng.random() < 0.7 else []
        top, left, high, wide = draw_part(size, boxes, 0.5, rng.random(), rng.random(), rng.random())
        assert 0 <= left <= left + wide <= size[0]
        assert 0 <= top <= top + high <= size[1]
        assert wide >= size[0] / 2
        assert high >= size[1] / 2
        for one in boxes:
            assert left <= one.x + 0.51
            assert one.x + one.width <= left + wide + 0.51
            assert top <= one.y + 0.51
            assert one.y + one.height <= top + high + 0.51


def test_a_share_is_one():
    with pytest.raises(ValueError, match="it has to be a share, above 0 and at most 1"):
        ShiftedCrop(smallest=0)
