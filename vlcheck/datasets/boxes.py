"""The unit of boxes: pixels of the picture, as [x, y, width, height]."""

from __future__ import annotations

from vlcheck.cases.box import Box

LEAST = 1.0  # pixels of either side; a smaller box shows nothing
SLACK = 1.0  # pixels by which rounding may put a box outside of its picture
PIXELS = "[x, y, width, height] in pixels"
ROUNDING = 0.001  # share of a picture by which a normalised box may go beyond it
SHARES = f"is in shares of the picture; boxes have to be {PIXELS}: multiply by the picture's width and height"

UNSEEN = f"is under a pixel; boxes have to be {PIXELS}"


def is_seen(box: Box) -> bool:
    """Return True if each side has at least one pixel; a normalised box has none."""
    return box.width >= LEAST and box.height >= LEAST and not is_in_shares(box)


def is_in_shares(box: Box) -> bool:
    """Return True if a box is normalised: all coordinates lie in [0, 1]."""
    return min(box.width, box.height) > 0 and min(box.x, box.y) >= -ROUNDING and max(box) <= 1 + ROUNDING


def wrong_unit(box: Box) -> str:
    """Return why a box is not in pixels, or ""."""
    if is_in_shares(box):
        return SHARES
    return "" if is_seen(box) else UNSEEN


def sticks_out(box: Box, size: tuple[int, int]) -> bool:
    """Return True if a box lies outside of its picture, wholly or in part.

    Args:
        box: the box.
        size: width and height of the picture in pixels.
    """
    x, y, width, height = box
    return min(x, y) < -SLACK or x + width > size[0] + SLACK or y + height > size[1] + SLACK


def are_corners(box: Box, size: tuple[int, int]) -> bool:
    """Return True if the four numbers are valid corners within the picture.

    Args:
        box: the four numbers.
        size: width and height of the picture in pixels.
    """
    left, top, right, bottom = box
    return -SLACK <= left < right <= size[0] + SLACK and -SLACK <= top < bottom <= size[1] + SLACK


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
