"""Detection of the unit of a file's boxes, from all of them; one unusual box does not decide."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from vlcheck.cases.box import Box
from vlcheck.datasets.boxes import (
    LEAST,
    PIXELS,
    ROUNDING,
    SHARES,
    are_corners,
    in_full,
    is_in_shares,
    is_seen,
    sticks_out,
)
from vlcheck.errors import UsageError

NEARLY_ALL = 0.95
A_FEW = 3  # boxes in one unit, beside which a single other box is taken for an error
MANY = 100  # boxes of a file that are enough to exclude another unit by chance
LARGE = 200  # pixels of either side of a picture: its boxes rarely all lie within the first 100
PERCENT = "is in percent of the picture, as all boxes of the file"
CENTERS = "lies within its picture as [center x, center y, width, height], as nearly all boxes of the file"


class Placed(NamedTuple):
    """A box and the picture that it lies in.

    Attributes:
        at: index of the annotation in the file's list.
        box: the box.
        size: width and height of the picture in pixels.
        crowd: whether it covers a crowd.
    """

    at: int
    box: Box
    size: tuple[int, int]
    crowd: bool


def check_unit(file: Path, boxes: Sequence[Placed]) -> None:
    """Raise UsageError if the boxes of an instances file are corners, or in another unit than pixels.

    Args:
        file: the file, for messages.
        boxes: all of its boxes.
    """
    telling = [one for one in boxes if not one.crowd and _tells(one.box)]
    if shares := _in_shares(boxes):
        raise UsageError(f"{file}: annotations[{shares.at}]: bbox {list(shares.box)} {SHARES}.")
    if corners := _corners(telling):
        raise UsageError(f"{file}: annotations[{corners.at}]: bbox {in_full(corners.box, corners.size)}.")
    for found, unit in ((_percent(telling), PERCENT), (_centers(telling), CENTERS)):
        if found:
            said = f"{file}: annotations[{found.at}]: bbox {list(found.box)} {unit}"
            raise UsageError(f"{said}; boxes have to be {PIXELS}.")


def _in_shares(boxes: Sequence[Placed]) -> Placed | None:
    """Return the first normalised box if most boxes are normalised."""
    with_area = [one for one in boxes if min(one.box.width, one.box.height) > 0]
    shares = [one for one in with_area if is_in_shares(one.box)]
    return shares[0] if 2 * len(shares) > len(with_area) else None


def _corners(telling: Sequence[Placed]) -> Placed | None:
    """Return the first box that fits its picture only as corners, if nearly all boxes fit as corners."""
    corners = [one for one in telling if are_corners(one.box, one.size)]
    alone = [one for one in corners if sticks_out(one.box, one.size)]
    others = sum(not are_corners(one.box, one.size) and not sticks_out(one.box, one.size) for one in telling)
    odd = max((1 - NEARLY_ALL) * (len(corners) + others), 1 if len(corners) >= A_FEW else 0)
    return alone[0] if alone and others <= odd else None


def _percent(telling: Sequence[Placed]) -> Placed | None:
    """Return the first box if many boxes reach to 100, and none further, in pictures that are much larger."""
    reach = max((max(_far_corner(one.box)) for one in telling), default=0.0)
    large = all(min(one.size) >= LARGE for one in telling)
    return telling[0] if large and len(telling) >= MANY and 100 * NEARLY_ALL <= reach <= 100 + ROUNDING else None


def _far_corner(box: Box) -> tuple[float, float]:
    return box.x + box.width, box.y + box.height


def _centers(telling: Sequence[Placed]) -> Placed | None:
    """Return the first box that fits its picture only by its center, if nearly all boxes do so."""
    if len(telling) < MANY:
        return None
    centered = [one for one in telling if not sticks_out(_around(one.box), one.size)]
    alone = [one for one in centered if sticks_out(one.box, one.size)]
    few = (1 - NEARLY_ALL) * len(telling)
    return alone[0] if len(telling) - len(centered) <= few < len(alone) else None


def _around(box: Box) -> Box:
    """Return the box whose center is given by the first two numbers."""
    x, y, width, height = box
    return Box(x - width / 2, y - height / 2, width, height)


def _tells(box: Box) -> bool:
    """Return True if a box has an area both as [x, y, width, height] and as corners."""
    left, top, right, bottom = box
    return is_seen(box) and abs(right - left) >= LEAST and abs(bottom - top) >= LEAST
