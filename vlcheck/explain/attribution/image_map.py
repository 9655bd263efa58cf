"""Maps over a picture: one value for each visual unit of a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np

from vlcheck.cases.box import Box
from vlcheck.models.differentiable import ImageLayout


class Point(NamedTuple):
    """A place in a picture, in fractions of its width and height.

    Attributes:
        x: distance from the left edge.
        y: distance from the upper edge.
    """

    x: float
    y: float


@dataclass(frozen=True, eq=False)
class ImageMap:
    """One value for each patch or region of a picture.

    Attributes:
        values: (units,), float64; positive values speak for the score, and methods without a sign have none below 0.
        layout: the places of the units in the picture.
    """

    values: np.ndarray
    layout: ImageLayout

    def peak(self) -> Point:
        """Return the center of the unit with the highest value, the first of several."""
        box = self.layout.boxes[int(self.values.argmax())]
        return Point(box.x + box.width / 2, box.y + box.height / 2)

    def share_inside(self, boxes: Sequence[Box]) -> float:
        """Return the share of the positive values that lies in boxes; 0 if no value is positive.

        A unit's value is spread evenly over its box. A place in several boxes counts once.

        Args:
            boxes: boxes in fractions of the picture's width and height.
        """
        energy = self.values.clip(0)
        covered = np.array([_covered(unit, boxes) for unit in self.layout.boxes])
        return float(energy @ covered / energy.sum()) if energy.any() else 0.0

    def mirrored(self) -> ImageMap:
        """Return the map of the picture mirrored left to right; a grid's units are again row by row."""
        boxes = [box.mirrored(1) for box in self.layout.boxes]
        order = np.arange(len(boxes))
        if self.layout.grid is not None:
            order = order.reshape(self.layout.grid)[:, ::-1].ravel()
        layout = ImageLayout(tuple(boxes[unit] for unit in order), self.layout.grid)
        return ImageMap(self.values[order], layout)

    def render(self, width: int, height: int) -> np.ndarray:
        """Return the map at the size of a picture: each unit's value is spread evenly over its box.

        The sum over all pixels is the sum over the units, but for parts of boxes outside the picture. Boxes may
        overlap; their densities add up.

        Args:
            width: the picture's width in pixels.
            height: the picture's height in pixels.

        Returns:
            Densities, (height, width), float64.
        """
        across = _spread([(box.x, box.width) for box in self.layout.boxes], width)
        down = _spread([(box.y, box.height) for box in self.layout.boxes], height)
        painted: np.ndarray = (self.values[:, None] * down).T @ across
        return painted

    def grid(self, most: int = 24) -> np.ndarray:
        """Return the map as a grid over the whole picture, e.g. to be drawn.

        Args:
            most: the most rows and columns.

        Returns:
            The values of the patches, (rows, columns), if these cover the picture as a grid that is not finer; else
            sums over the cells of a grid of `most` rows and columns.
        """
        if self.layout.grid and max(self.layout.grid) <= most and self.layout == ImageLayout.of_grid(*self.layout.grid):
            return self.values.reshape(self.layout.grid)
        return self.render(most, most)


def _spread(stretches: Sequence[tuple[float, float]], pixels: int) -> np.ndarray:
    """Return the share of each stretch that lies on each pixel of a row, (stretches, pixels).

    Args:
        stretches: start and length of each, in fractions of the row.
        pixels: number of pixels of the row.
    """
    start, length = (pixels * part[:, None] for part in np.array(stretches).T)
    edges = np.arange(pixels)
    covered = np.minimum(edges + 1, start + length) - np.maximum(edges, start)
    shares: np.ndarray = np.clip(covered, 0, 1) / length
    return shares


def _covered(unit: Box, boxes: Sequence[Box]) -> float:
    """Return the share of a unit's area that lies in at least one of the boxes."""
    meeting = [box for box in boxes if unit.meets(box)]
    across = _edges(unit.x, unit.width, [(box.x, box.width) for box in meeting])
    down = _edges(unit.y, unit.height, [(box.y, box.height) for box in meeting])
    pieces = [Box(left, top, right - left, low - top) for (left, right), (top, low) in product(across, down)]
    return sum(piece.area for piece in pieces if any(map(piece.meets, meeting))) / unit.area


def _edges(start: float, length: float, stretches: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the parts into which the ends of stretches cut one from `start`, from left to right."""
    ends = [end for low, width in stretches for end in (low, low + width)]
    inside = {min(max(end, start), start + length) for end in ends}
    return list(pairwise(sorted({start, start + length} | inside)))
