"""The unit of boxes: pixels of the picture, as [x, y, width, height]."""

from __future__ import annotations

from vlcheck.cases.case import Box

LEAST = 1.0  # pixels, of either side: a smaller box shows nothing
SLACK = 1.0  # pixels, by which rounding may put a box outside of its picture
PIXELS = "[x, y, width, height] in pixels"
SHARES = f"is in shares of the picture; boxes have to be {PIXELS}: multiply by the picture's width and height"

UNSEEN = f"is under a pixel; boxes have to be {PIXELS}"


def is_seen(box: Box) -> bool:
    """Whether each side has a pixel at least."""
    return box.width >= LEAST and box.height >= LEAST


def is_in_shares(box: Box) -> bool:
    """Whether a box is in shares of the picture: all of it is within the first pixel, and in fractions of it."""
    within = 0 < box.width <= 1 and 0 < box.height <= 1 and 0 <= box.x <= 1 and 0 <= box.y <= 1
    return within and any(side % 1 for side in box)


def wrong_unit(box: Box) -> str:
    """Say of a box that it is in no pixels, or ""."""
    if is_in_shares(box):
        return SHARES
    return "" if is_seen(box) else UNSEEN


def sticks_out(box: Box, size: tuple[int, int]) -> bool:
    """Whether a box lies outside of its picture, wholly or in part."""
    x, y, width, height = box
    return min(x, y) < -SLACK or x + width > size[0] + SLACK or y + height > size[1] + SLACK


def are_corners(box: Box, size: tuple[int, int]) -> bool:
    """Whether the four numbers make a box of the picture as [left, top, right, bottom], too."""
    left, top, right, bottom = box
    return -SLACK <= left < right <= size[0] + SLACK and -SLACK <= top < bottom <= size[1] + SLACK


def in_full(box: Box, size: tuple[int, int]) -> str:
    """Say of a box that lies outside of its picture what it may be instead."""
    said = f"{list(box)} lies outside of the picture, {size[0]} x {size[1]} pixels"
    if not are_corners(box, size):
        return said
    left, top, right, bottom = box
    return (
        f"{said}; as corners [left, top, right, bottom] it lies within: boxes have to be {PIXELS},"
        f" here {[left, top, right - left, bottom - top]}"
    )
