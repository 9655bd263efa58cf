"""The parts of every chart: the SVG element, its axes, and the numbers beside them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from vlcheck._util.numbers import brief, share

WIDTH = 320
CROSS = "\N{MULTIPLICATION SIGN}"  # the mark of what violates, in captions
EDGE = 14  # pixels left and right of an axis
SLOPE_TOP, SLOPE_BOTTOM = 12, 142
SLOPE_LEFT, SLOPE_RIGHT = 70, 250
_CHARACTER = 6.5  # width of a character in pixels, with some room
_LABELLED = Markup('<svg class="{}" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>')
_TITLED = Markup('<svg class="{}" viewBox="0 0 {} {}" role="img"><title>{}</title><desc>{}</desc>{}</svg>')
_TEXT = Markup('<text x="{}" y="{}"{}>{}</text>')
_ANCHOR = Markup(' text-anchor="{}"')


def svg(kind: str, width: int, height: int, label: str, parts: Iterable[Markup]) -> Markup:
    """Return a chart of a few numbers, which its label has in words.

    Args:
        kind: its class, by which the style sheet knows it.
        width: width of the drawing.
        height: height of the drawing.
        label: its numbers in words.
        parts: the elements in it.
    """
    return _LABELLED.format(kind, width, height, label, Markup("").join(parts))


def titled_svg(kind: str, height: int, title: str, desc: str, parts: Iterable[Markup]) -> Markup:
    """Return a chart of many numbers, WIDTH wide.

    Args:
        kind: its class, by which the style sheet knows it.
        height: height of the drawing.
        title: a sentence about its content.
        desc: its numbers in words.
        parts: the elements in it.
    """
    return _TITLED.format(kind, WIDTH, height, title, desc, Markup("").join(parts))


@dataclass(frozen=True)
class Axis:
    """An axis; a call maps a value to its coordinate in pixels.

    Attributes:
        low: the value at the first end.
        high: the value at the last end.
        first: coordinate of the first end; the left one, or the lower one of a vertical axis.
        last: coordinate of the last end.
    """

    low: float
    high: float
    first: float = EDGE
    last: float = WIDTH - EDGE

    def __call__(self, value: float) -> float:
        """Return the coordinate of a value, in pixels; values outside the axis are put at its ends."""
        inside = min(max(value, self.low), self.high)
        return round(self.first + (self.last - self.first) * (inside - self.low) / (self.high - self.low), 1)


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


def apart(ticks: Iterable[Tick]) -> list[Tick]:
    """Return the ticks, without those that would overlap an earlier one."""
    kept: list[Tick] = []
    for tick in ticks:
        if not any(map(tick.hits, kept)):
            kept.append(tick)
    return kept


def range_ticks(axis: Axis, low: float, high: float) -> list[Tick]:
    """Return the numbers at the ends of a range, as one if they would overlap, and if there is room those of the axis.

    Args:
        axis: the axis.
        low: lower end of the range.
        high: upper end of the range.
    """
    first, last = Tick.of(axis, low), Tick.of(axis, high)
    both = [Tick((first.at + last.at) / 2, f"{first.text} to {last.text}")] if first.hits(last) else [first, last]
    return apart([*both, Tick.of(axis, axis.low), Tick.of(axis, axis.high)])


def words_at(x: float, y: float, words: str, anchor: str = "start") -> Markup:
    """Return words in a chart.

    Args:
        x: x coordinate of the anchor.
        y: y coordinate of the base line.
        words: the words.
        anchor: start, middle or end.
    """
    return _TEXT.format(x, y, "" if anchor == "start" else _ANCHOR.format(anchor), words)


def path(kind: str, steps: Iterable[str]) -> Markup:
    """Return a path of several pieces; nothing if there is none.

    Args:
        kind: its class.
        steps: the pieces, each in SVG's commands.
    """
    drawn = "".join(steps)
    return Markup('<path class="{}" d="{}"/>').format(kind, drawn) if drawn else Markup("")


def box(kind: str, x: float, y: float, width: float, height: float) -> Markup:
    """Return a rectangle.

    Args:
        kind: its class.
        x: x coordinate of its left edge.
        y: y coordinate of its upper edge.
        width: its width.
        height: its height.
    """
    rect = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>')
    return rect.format(kind, x, y, round(width, 1), round(height, 1))


def height_of(score: float | None) -> float:
    """Return the y coordinate of a score in [0, 1] on a vertical axis from SLOPE_BOTTOM to SLOPE_TOP."""
    return Axis(0.0, 1.0, SLOPE_BOTTOM, SLOPE_TOP)(score or 0.0)
