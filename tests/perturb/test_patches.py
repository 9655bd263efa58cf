"""Removal of boxes from pixels: which patches are hidden, and in which color."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from vlcheck.cases.box import Box
from vlcheck.errors import NotApplicable
from vlcheck.perturb.patches import hide, snapped

SQUARE = (128, 128)


@pytest.mark.parametrize(
    ("box", "size", "grid", "patches"),
    [
        (Box(8, 16, 8, 16), SQUARE, 16, (8, 16, 8, 16)),  # on the grid
        (Box(9, 17, 5, 10), SQUARE, 16, (8, 16, 8, 16)),
        (Box(7.9, 16, 8.2, 16), SQUARE, 16, (0, 16, 24, 16)),
        (Box(10, 10, 5, 5), (100, 50), 16, (6, 9, 13, 7)),  # patches of 6.25 x 3.125 pixels
        (Box(-3, 120, 10, 20), SQUARE, 16, (0, 120, 8, 8)),  # over two edges
        (Box(0, 0, 128, 128), SQUARE, 16, (0, 0, 128, 128)),
        (Box(130, 0, 8, 8), SQUARE, 16, (128, 0, 0, 8)),  # outside
        (Box(2, 2, 1, 1), (8, 6), 16, (2, 1, 1, 2)),  # patches smaller than a pixel
        (Box(60, 60, 1, 1), SQUARE, 1, (0, 0, 128, 128)),
    ],
)
def test_a_box_grows_to_the_patches_that_it_touches(
    box: Box, size: tuple[int, int], grid: int, patches: tuple[int, int, int, int]
) -> None:
    assert tuple(snapped(box, size, grid)) == patches


def drawn(*things: tuple[Box, int], ground: int = 100, side: int = 32) -> Image.Image:
    """A picture of one brightness, with boxes of others."""
    pixels = np.full((side, side, 3), ground, dtype=np.uint8)
    for box, level in things:
        x, y, width, height = map(int, box)
        pixels[y : y + height, x : x + width] = level
    return Image.fromarray(pixels)


def test_a_thing_on_an_even_ground_is_gone_without_a_trace() -> None:
    thing = Box(9, 10, 6, 5)
    assert np.array_equal(hide(drawn((thing, 200)), [thing], 4), drawn())


def test_no_pixel_outside_of_the_patches_changes() -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8))
    changed = (np.array(hide(noise, [Box(9, 10, 6, 5)], 4)) != np.array(noise)).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (8, 15, 8, 15)


def test_the_color_is_the_mean_of_one_patch_around() -> None:
    """The ring has 24 x 24 - 8 x 8 pixels; a column of 8 x 24 of them is lighter, and what is further away is not."""
    picture = drawn((Box(0, 0, 8, 24), 180), (Box(24, 0, 8, 32), 250), (Box(9, 9, 5, 5), 0))
    hidden = np.array(hide(picture, [Box(9, 9, 5, 5)], 4))[8:16, 8:16]
    assert np.unique(hidden).tolist() == [round((180 * 8 * 24 + 100 * (24 * 24 - 8 * 8 - 8 * 24)) / (24 * 24 - 8 * 8))]


def test_a_hole_at_the_edge_has_the_ring_that_is_in_the_picture() -> None:
    thing = Box(27, 27, 5, 5)
    assert np.array_equal(hide(drawn((thing, 0)), [thing], 4), drawn())


def test_a_thing_beside_it_stays_and_colors_the_hole() -> None:
    thing, other = Box(9, 9, 5, 5), Box(16, 8, 8, 8)
    hidden = np.array(hide(drawn((thing, 0), (other, 250)), [thing], 4))
    assert (hidden[8:16, 16:24] == 250).all()
    assert np.unique(hidden[8:16, 8:16]).tolist() == [round((250 * 64 + 100 * (24 * 24 - 8 * 8 - 64)) / (24 * 24 - 64))]


def test_boxes_that_overlap_or_touch_color_no_hole_of_each_other() -> None:
    boxes = [Box(9, 9, 8, 5), Box(14, 12, 6, 9)]
    assert np.array_equal(hide(drawn(*((box, 0) for box in boxes)), boxes, 4), drawn())


def test_a_hole_among_holes_gets_the_color_of_all_that_is_left() -> None:
    boxes = [Box(x, y, 8, 8) for x in (0, 8, 16) for y in (0, 8, 16)]
    hidden = np.array(hide(drawn((Box(0, 0, 24, 24), 0), ground=60), boxes, 4))
    assert np.unique(hidden).tolist() == [60]


def test_a_thing_that_fills_the_picture_leaves_black() -> None:
    assert not np.array(hide(drawn(), [Box(1, 1, 30, 30)], 4)).any()


def test_boxes_outside_of_the_picture_hide_nothing() -> None:
    with pytest.raises(NotApplicable, match="the region lies outside the picture"):
        hide(drawn(), [Box(40, 0, 5, 5), Box(-9, -9, 9, 9)], 4)
