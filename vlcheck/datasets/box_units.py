"""The unit of a file's boxes, told by all of them: one odd box decides nothing."""

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
A_FEW = 3  # boxes, beside which one other is an odd one
MANY = 100  # boxes of a file, so that chance makes no other unit of pixels
LARGE = 200  # pixels, of either side of a picture: its boxes seldom keep to the first 100
PERCENT = "is in percent of the picture, as all boxes of the file"
CENTERS = "lies within its picture as [center x, center y, width, height], as nearly all boxes of the file"


class Placed(NamedTuple):
    """An annotation's box, its index in the file's list, its picture's width and height, and whether it is a crowd."""

    at: int
    box: Box
    size: tuple[int, int]
    crowd: bool


def check_unit(file: Path, boxes: Sequence[Placed]) -> None:
    """Raise UsageError where the boxes of an instances file are in another unit than pixels, or are corners."""
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
    """Return the first normalised box where most boxes are."""
    with_area = [one for one in boxes if min(one.box.width, one.box.height) > 0]
    shares = [one for one in with_area if is_in_shares(one.box)]
    return shares[0] if 2 * len(shares) > len(with_area) else None


def _corners(telling: Sequence[Placed]) -> Placed | None:
    """Return the first box that fits its picture as corners alone, where nearly all boxes fit as corners."""
    corners = [one for one in telling if are_corners(one.box, one.size)]
    alone = [one for one in corners if sticks_out(one.box, one.size)]
    others = sum(not are_corners(one.box, one.size) and not sticks_out(one.box, one.size) for one in telling)
    odd = max((1 - NEARLY_ALL) * (len(corners) + others), 1 if len(corners) >= A_FEW else 0)
    return alone[0] if alone and others <= odd else None


def _percent(telling: Sequence[Placed]) -> Placed | None:
    """Return the first box where many boxes reach to 100, and no further, in pictures that are much larger."""
    reach = max((max(_far_corner(one.box)) for one in telling), default=0.0)
    large = all(min(one.size) >= LARGE for one in telling)
    return telling[0] if large and len(telling) >= MANY and 100 * NEARLY_ALL <= reach <= 100 + ROUNDING else None


def _far_corner(box: Box) -> tuple[float, float]:
    return box.x + box.width, box.y + box.height


def _centers(telling: Sequence[Placed]) -> Placed | None:
    """Return the first box that lies within its picture by its center alone, where nearly all do by their centers."""
    if len(telling) < MANY:
        return None
    centered = [one for one in telling if not sticks_out(_around(one.box), one.size)]
    alone = [one for one in centered if sticks_out(one.box, one.size)]
    few = (1 - NEARLY_ALL) * len(telling)
    return alone[0] if len(telling) - len(centered) <= few < len(alone) else None


def _around(box: Box) -> Box:
    """Return the box whose center the first two numbers are."""
    x, y, width, height = box
    return Box(x - width / 2, y - height / 2, width, height)


def _tells(box: Box) -> bool:
    """Return True if a box has an area both as [x, y, width, height] and as corners."""
    left, top, right, bottom = box
    return is_seen(box) and abs(right - left) >= LEAST and abs(bottom - top) >= LEAST
