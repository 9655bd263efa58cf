"""Detection of the unit of a file's boxes, from all of them; one unusual box does not decide."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vlcheck.cases.box import Box
from vlcheck.datasets.boxes import (
    LEAST,
    PIXELS,
    ROUNDING,
    SHARES,
    Boxes,
    are_corners,
    in_full,
    is_in_shares,
    is_seen,
    sticks_out,
)
from vlcheck.errors import UsageError

Flags = NDArray[np.bool_]

NEARLY_ALL = 0.95
A_FEW = 3  # boxes in one unit, beside which a single other box is taken for an error
MANY = 100  # boxes of a file that are enough to exclude another unit by chance
LARGE = 200  # pixels of either side of a picture: its boxes rarely all lie within the first 100
PERCENT = "is in percent of the picture, as all boxes of the file"
CENTERS = "lies within its picture as [center x, center y, width, height], as nearly all boxes of the file"


class Placed(NamedTuple):
    """The boxes of a file in columns, with the pictures that they lie in.

    Attributes:
        at: indices of the annotations in the file's list: (n,), int64.
        box: the boxes.
        size: width and height of each box's picture in pixels: (n,) each.
        crowd: whether it covers a crowd: (n,), bool.
    """

    at: NDArray[np.int64]
    box: Boxes
    size: tuple[NDArray[np.int64], NDArray[np.int64]]
    crowd: Flags

    def where(self, chosen: Flags) -> Placed:
        """Return the boxes for which a flag is set."""
        if chosen.all():
            return self
        width, height = self.size
        box = Boxes(*(edge[chosen] for edge in self.box))
        return Placed(self.at[chosen], box, (width[chosen], height[chosen]), self.crowd[chosen])

    def first(self) -> One:
        """Return the first box."""
        return self.one(0)

    def one(self, row: int) -> One:
        """Return the box of a row."""
        width, height = self.size
        return One(
            int(self.at[row]), Box(*(float(edge[row]) for edge in self.box)), (int(width[row]), int(height[row]))
        )


class One(NamedTuple):
    """One of the boxes: the index of its annotation, the box, and the size of its picture."""

    at: int
    box: Box
    size: tuple[int, int]


def check_unit(file: Path, boxes: Placed) -> None:
    """Raise UsageError if the boxes of an instances file are corners, or in another unit than pixels.

    Args:
        file: the file, for messages.
        boxes: all of its boxes.
    """
    telling = boxes.where(~boxes.crowd & _tells(boxes.box))
    if shares := _in_shares(boxes):
        raise UsageError(f"{file}: annotations[{shares.at}]: bbox {list(shares.box)} {SHARES}.")
    if corners := _corners(telling):
        raise UsageError(f"{file}: annotations[{corners.at}]: bbox {in_full(corners.box, corners.size)}.")
    for found, unit in ((_percent(telling), PERCENT), (_centers(telling), CENTERS)):
        if found:
            said = f"{file}: annotations[{found.at}]: bbox {list(found.box)} {unit}"
            raise UsageError(f"{said}; boxes have to be {PIXELS}.")


def _in_shares(boxes: Placed) -> One | None:
    """Return the first normalised box if most boxes are normalised."""
    shares = is_in_shares(boxes.box)
    with_area = (boxes.box.width > 0) & (boxes.box.height > 0)
    return boxes.where(shares).first() if 2 * shares.sum() > with_area.sum() else None


def _corners(telling: Placed) -> One | None:
    """Return the first box that fits its picture only as corners, if nearly all boxes fit as corners."""
    corners, out = are_corners(telling.box, telling.size), sticks_out(telling.box, telling.size)
    others = (~corners & ~out).sum()
    odd = max((1 - NEARLY_ALL) * (corners.sum() + others), 1 if corners.sum() >= A_FEW else 0)
    alone = corners & out
    return telling.where(alone).first() if alone.any() and others <= odd else None


def _percent(telling: Placed) -> One | None:
    """Return the first box if many boxes reach to 100, and none further, in pictures that are much larger."""
    if len(telling.at) < MANY:
        return None
    x, y, width, height = telling.box
    reach = max((x + width).max(), (y + height).max())
    large = min(side.min() for side in telling.size) >= LARGE
    return telling.first() if large and 100 * NEARLY_ALL <= reach <= 100 + ROUNDING else None


def _centers(telling: Placed) -> One | None:
    """Return the first box that fits its picture only by its center, if nearly all boxes do so."""
    if len(telling.at) < MANY:
        return None
    x, y, width, height = telling.box
    centered = ~sticks_out(Boxes(x - width / 2, y - height / 2, width, height), telling.size)
    alone = centered & sticks_out(telling.box, telling.size)
    few = (1 - NEARLY_ALL) * len(telling.at)
    return telling.where(alone).first() if (~centered).sum() <= few < alone.sum() else None


def _tells(box: Boxes) -> Flags:
    """Return a flag for each box: whether it has an area both as [x, y, width, height] and as corners."""
    left, top, right, bottom = box
    told: Flags = is_seen(box) & (abs(right - left) >= LEAST) & (abs(bottom - top) >= LEAST)
    return told
