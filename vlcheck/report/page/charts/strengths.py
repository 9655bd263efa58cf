"""The rate of violations over the strength of an edit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from vlcheck._util.numbers import brief, counted, share, shares
from vlcheck.report.page.charts.image_means import ImageMeans
from vlcheck.report.page.charts.row_chart import ChartView
from vlcheck.report.page.charts.svg import WIDTH, Axis, Tick, apart, box, path, titled_svg, words_at

_LEFT, _RIGHT, _TOP, _BOTTOM = 48, WIDTH - 20, 12, 130
_ENDS = (0.1, 0.25, 0.5, 1.0)  # of the vertical axis: a small rate would be invisible under 100 %
_LINE = 14  # least distance of two numbers beside the axis


@dataclass(frozen=True)
class RateAt:
    """The rate of violations at one strength.

    Attributes:
        strength: the strength.
        rate: the rate, in [0, 1].
        low: its lower bound.
        high: its upper bound.
        images: number of images.
    """

    strength: float
    rate: float
    low: float
    high: float
    images: int

    @property
    def said(self) -> str:
        """The point in words."""
        interval = f"{shares(self.low, self.high)}, {counted(self.images, 'image')}"
        return f"{brief(self.strength)}: {share(self.rate)} ({interval})"


def rates_by_strength(name: str, rates: Mapping[float, ImageMeans], allowed: float, alpha: float) -> ChartView:
    """Return the curve of the rates of violations; of two strengths, two points.

    Args:
        name: name of the edit.
        rates: the violating rows by the strength of the edit; two at least.
        allowed: the rate that passes.
        alpha: error rate of each bound.
    """
    points = [RateAt(at, one.mean, *one.interval(alpha), len(one.each())) for at, one in sorted(rates.items())]
    x = Axis(points[0].strength, points[-1].strength, _LEFT + 14, _RIGHT - 14)
    most = max(allowed, *(one.high for one in points))
    y = Axis(0.0, next(end for end in _ENDS if end >= min(most, 1.0)), _BOTTOM, _TOP)
    parts = [
        box("zone", _LEFT, y(allowed), _RIGHT - _LEFT, y(0) - y(allowed)),
        path("axis", [f"M{_LEFT} {_TOP}V{_BOTTOM}H{_RIGHT}"]),
        *_curve(points, x, y),
        *_numbers(points, x, y, allowed),
        words_at((_LEFT + _RIGHT) / 2, _BOTTOM + 31, name, "middle"),
    ]
    title = f"Rows that violate over the strength of {name}; up to {share(allowed)} is allowed"
    desc = f"{name} {'; '.join(one.said for one in points)}"
    caption = f"Share that violates over the strength of {name}, with its interval; shaded: allowed"
    return ChartView(caption, titled_svg("strengths", _BOTTOM + 38, title, desc, parts))


def _curve(points: Sequence[RateAt], x: Axis, y: Axis) -> Iterator[Markup]:
    at = [(x(one.strength), y(one.rate)) for one in points]
    if len(at) > 2:  # two points tell nothing of what is between them
        yield path("course", [f"{'L' if place else 'M'}{left} {height}" for place, (left, height) in enumerate(at)])
    ends = [(x(one.strength), y(one.low), y(one.high)) for one in points]
    yield path("whisker", (f"M{left - 4:.1f} {low}h8m-4 0V{high}m-4 0h8" for left, low, high in ends))
    yield path("knob", (f"M{left} {height}h0" for left, height in at))


def _numbers(points: Sequence[RateAt], x: Axis, y: Axis, allowed: float) -> Iterator[Markup]:
    """Yield the strengths under the curve, and the ends of the axis beside it; what is allowed if there is room."""
    ticks = apart(Tick(x(one.strength), brief(one.strength)) for one in points)
    yield from (words_at(tick.at, _BOTTOM + 15, tick.text, "middle") for tick in ticks)
    yield words_at(_LEFT - 6, _BOTTOM + 4, share(0.0), "end")
    yield words_at(_LEFT - 6, _TOP + 4, share(y.high), "end")
    if _TOP + _LINE < y(allowed) < _BOTTOM - _LINE:
        yield words_at(_LEFT - 6, y(allowed) + 4, share(allowed), "end")
