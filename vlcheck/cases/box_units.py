"""The unit of a file's boxes, told by all of them: one odd box decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from vlcheck.cases.boxes import LEAST, SHARES, are_corners, in_full, is_in_shares, is_seen, sticks_out
from vlcheck.cases.case import Box
from vlcheck.errors import UsageError

NEARLY_ALL = 0.95
A_FEW = 3  # boxes, beside which one other is an odd one


class Placed(NamedTuple):
    """An annotation's box, its index in the file's list, its picture's width and height, and whether it is a crowd."""

    at: int
    box: Box
    size: tuple[int, int]
    crowd: bool


def check_unit(file: Path, boxes: Sequence[Placed]) -> None:
    """Raise UsageError where the boxes of an instances file are in another unit than pixels, or are corners."""
    if shares := _in_shares(boxes):
        raise UsageError(f"{file}: annotations[{shares.at}]: bbox {list(shares.box)} {SHARES}.")
    if corners := _corners(boxes):
        raise UsageError(f"{file}: annotations[{corners.at}]: bbox {in_full(corners.box, corners.size)}.")


def _in_shares(boxes: Sequence[Placed]) -> Placed | None:
    """Return the first normalised box where most boxes are."""
    with_area = [one for one in boxes if min(one.box.width, one.box.height) > 0]
    shares = [one for one in with_area if is_in_shares(one.box)]
    return shares[0] if 2 * len(shares) > len(with_area) else None


def _corners(boxes: Sequence[Placed]) -> Placed | None:
    """Return the first box that fits its picture as corners alone, where nearly all boxes fit as corners."""
    telling = [one for one in boxes if not one.crowd and _tells(one.box)]
    corners = [one for one in telling if are_corners(one.box, one.size)]
    alone = [one for one in corners if sticks_out(one.box, one.size)]
    others = sum(not are_corners(one.box, one.size) and not sticks_out(one.box, one.size) for one in telling)
    odd = max((1 - NEARLY_ALL) * (len(corners) + others), 1 if len(corners) >= A_FEW else 0)
    return alone[0] if alone and others <= odd else None


def _tells(box: Box) -> bool:
    """Return True if a box has an area both as [x, y, width, height] and as corners."""
    left, top, right, bottom = box
    return is_seen(box) and abs(right - left) >= LEAST and abs(bottom - top) >= LEAST
