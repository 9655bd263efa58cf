"""The unit of boxes: pixels of the picture, as [x, y, width, height]."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vlcheck.cases.box import Box

Floats = NDArray[np.float64]
Truth = Any  # True or False of a box; of many boxes an array of them, so that these conditions use & and |

LEAST = 1.0  # pixels of either side; a smaller box shows nothing
SLACK = 1.0  # pixels by which rounding may put a box outside of its picture
PIXELS = "[x, y, width, height] in pixels"
ROUNDING = 0.001  # share of a picture by which a normalised box may go beyond it
SHARES = f"is in shares of the picture; boxes have to be {PIXELS}: multiply by the picture's width and height"

UNSEEN = f"is under a pixel; boxes have to be {PIXELS}"


class Boxes(NamedTuple):
    """Many boxes, in columns of the names of `Box`: each (n,)."""

    x: Floats
    y: Floats
    width: Floats
    height: Floats


def is_seen(box: Box | Boxes) -> Truth:
    """Return True if each side has at least one pixel; a normalised box has none."""
    return (box.width >= LEAST) & (box.height >= LEAST) & (is_in_shares(box) ^ True)


def is_in_shares(box: Box | Boxes) -> Truth:
    """Return True if a box is normalised: all coordinates lie in [0, 1]."""
    x, y, width, height = box
    most = 1 + ROUNDING
    positive, within = (width > 0) & (height > 0), (width <= most) & (height <= most)
    return positive & within & (x >= -ROUNDING) & (y >= -ROUNDING) & (x <= most) & (y <= most)


def wrong_unit(box: Box) -> str:
    """Return why a box is not in pixels, or ""."""
    if is_in_shares(box):
        return SHARES
    return "" if is_seen(box) else UNSEEN


def sticks_out(box: Box | Boxes, size: tuple[Any, Any]) -> Truth:
    """Return True if a box lies outside of its picture, wholly or in part.

    Args:
        box: the box, or many of them.
        size: width and height of the picture in pixels, or of each box's picture.
    """
    x, y, width, height = box
    return (x < -SLACK) | (y < -SLACK) | (x + width > size[0] + SLACK) | (y + height > size[1] + SLACK)


def are_corners(box: Box | Boxes, size: tuple[Any, Any]) -> Truth:
    """Return True if the four numbers are valid corners within the picture.

    Args:
        box: the four numbers, or many of them.
        size: width and height of the picture in pixels, or of each box's picture.
    """
    left, top, right, bottom = box
    across = (left >= -SLACK) & (left < right) & (right <= size[0] + SLACK)
    return across & (top >= -SLACK) & (top < bottom) & (bottom <= size[1] + SLACK)


def in_full(box: Box, size: tuple[int, int]) -> str:
    """Describe a box that lies outside of its picture; if the numbers are corners, say so.

    Args:
        box: the box.
        size: width and height of the picture in pixels.
    """
    said = f"{list(box)} lies outside of the picture, {size[0]} x {size[1]} pixels"
    if not are_corners(box, size):
        return said
    left, top, right, bottom = box
    return (
        f"{said}; as corners [left, top, right, bottom] it lies within: boxes have to be {PIXELS},"
        f" here {[left, top, right - left, bottom - top]}"
    )
