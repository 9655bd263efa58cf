"""The parts of every chart: the SVG element, a horizontal axis, and the numbers under it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from vlcheck._util.numbers import brief, share

WIDTH = 320
EDGE = 14  # pixels left and right of an axis
SLOPE_TOP, SLOPE_BOTTOM = 12, 142
SLOPE_LEFT, SLOPE_RIGHT = 70, 250
_CHARACTER = 6  # width of a character in pixels, with some room
_SVG = Markup('<svg class="{}" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>')


def svg(kind: str, width: int, height: int, label: str, parts: Iterable[Markup]) -> Markup:
    """Return a chart.

    Args:
        kind: its class, by which the style sheet knows it.
        width: width of the drawing.
        height: height of the drawing.
        label: the same in words.
        parts: what it is made of.
    """
    return _SVG.format(kind, width, height, label, Markup("").join(parts))


@dataclass(frozen=True)
class Axis:
    """A horizontal axis; a call maps a value to its x coordinate in pixels."""

    low: float
    high: float

    def __call__(self, value: float) -> float:
        """Return the x coordinate of a value, in pixels; values outside the axis are put at its ends."""
        inside = min(max(value, self.low), self.high)
        return round(EDGE + (WIDTH - 2 * EDGE) * (inside - self.low) / (self.high - self.low), 1)


class Tick(NamedTuple):
    """A number under an axis, at an x coordinate."""

    at: float
    text: str

    @classmethod
    def of(cls, axis: Axis, value: float) -> Tick:
        """Return the number of a value on an axis.

        Args:
            axis: the axis.
            value: the value.
        """
        return cls(axis(value), share(value) if axis.low == 0 else brief(value))

    def hits(self, other: Tick) -> bool:
        """Return True if two numbers would overlap."""
        return abs(self.at - other.at) < _CHARACTER * (len(self.text) + len(other.text)) / 2


def height_of(score: float | None) -> float:
    """Return the y coordinate of a score in [0, 1] on a vertical axis from SLOPE_BOTTOM to SLOPE_TOP."""
    inside = min(max(score or 0.0, 0.0), 1.0)
    return round(SLOPE_BOTTOM - (SLOPE_BOTTOM - SLOPE_TOP) * inside, 1)
