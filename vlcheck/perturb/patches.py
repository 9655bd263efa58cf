"""Removal of boxes from a picture's pixels: whole patches of a grid, in the color of what is around them."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor

import numpy as np
from PIL import Image

from vlcheck.cases.box import Box
from vlcheck.errors import NotApplicable
from vlcheck.perturb.image import span_of

Span = tuple[slice, slice]  # rows and columns of pixels


def snapped(box: Box, size: tuple[int, int], grid: int) -> Box:
    """Return the box of all patches that a box touches, in whole pixels, cut off at the edges of the picture.

    Args:
        box: a box in pixels.
        size: width and height of the picture in pixels.
        grid: number of patches along each side of the picture; a patch that ends inside a pixel has the whole pixel.
    """
    left, right = _snapped(box.x, box.x + box.width, size[0], grid)
    top, bottom = _snapped(box.y, box.y + box.height, size[1], grid)
    return Box(left, top, right - left, bottom - top)


def _snapped(start: float, end: float, side: int, grid: int) -> tuple[int, int]:
    first, last = floor(start * grid / side), ceil(end * grid / side)
    low = min(max(floor(first * side / grid), 0), side)
    return low, max(min(ceil(last * side / grid), side), low)


def hide(image: Image.Image, boxes: Sequence[Box], grid: int) -> Image.Image:
    """Return a picture without its boxes: each has the mean color of the ring, one patch wide, around its patches.

    Pixels of other boxes are in no ring. A box without a ring gets the mean color of all that is left, or black if
    nothing is left.

    Args:
        image: an RGB picture.
        boxes: boxes in pixels.
        grid: number of patches along each side of the picture.

    Raises:
        NotApplicable: If all boxes lie outside the picture.
    """
    pixels = np.array(image)
    holes = [span_of(snapped(box, image.size, grid)) for box in boxes]
    left = np.ones(pixels.shape[:2], dtype=bool)
    for hole in holes:
        left[hole] = False
    if left.all():
        raise NotApplicable("the region lies outside the picture")
    patch = ceil(image.height / grid), ceil(image.width / grid)
    colors = [_mean_color(pixels, left, _around(hole, patch)) for hole in holes]
    for hole, color in zip(holes, colors, strict=True):
        pixels[hole] = color
    return Image.fromarray(pixels)


def _around(hole: Span, patch: tuple[int, int]) -> Span:
    """Return a span that is one patch larger on each side."""
    rows, columns = (
        slice(max(0, along.start - step), along.stop + step) for along, step in zip(hole, patch, strict=True)
    )
    return rows, columns


def _mean_color(pixels: np.ndarray, left: np.ndarray, around: Span) -> np.ndarray:
    """Return the mean color of the pixels that are left in a span, else of all that are left: (3,), uint8."""
    ring = pixels[around][left[around]]
    seen = ring if len(ring) else pixels[left]
    color: np.ndarray = (seen.mean(axis=0) if len(seen) else np.zeros(3)).round().astype(np.uint8)
    return color
