"""Boxes: regions of a picture in pixels."""

from __future__ import annotations

from math import hypot
from typing import NamedTuple


class Box(NamedTuple):
    """A rectangle in pixels of a picture, in COCO's format; a tuple, of which `_replace` makes a changed copy.

    Attributes:
        x: left edge.
        y: upper edge.
        width: width, above 0.
        height: height, above 0.

    Example:
        >>> from vlcheck.perturb import Box
        >>> Box(10, 20, 30, 40)._replace(x=0)
        Box(x=0, y=20, width=30, height=40)
    """

    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        """The area in square pixels."""
        return self.width * self.height

    def mirrored(self, width: float) -> Box:
        """Return the box in the picture mirrored left to right.

        Args:
            width: the picture's width, in the unit of the box.
        """
        return self._replace(x=width - self.x - self.width)

    def meets(self, other: Box) -> bool:
        """Return True if the two boxes overlap."""
        apart_x = self.x + self.width <= other.x or other.x + other.width <= self.x
        apart_y = self.y + self.height <= other.y or other.y + other.height <= self.y
        return not (apart_x or apart_y)

    def distance(self, other: Box) -> float:
        """Return the distance of the centers of two boxes in pixels."""
        across = self.x + self.width / 2 - other.x - other.width / 2
        along = self.y + self.height / 2 - other.y - other.height / 2
        return hypot(across, along)
