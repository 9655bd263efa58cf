"""The means of several named values, such as words, against the band that each has to lie in."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator

import numpy as np
from markupsafe import Markup

from vlcheck._util.numbers import signed, span
from vlcheck.report.page.charts.image_means import image_of
from vlcheck.report.page.charts.row_chart import ChartView, captioned
from vlcheck.report.page.charts.svg import CROSS, Axis, box, path, range_ticks, titled_svg, words_at
from vlcheck.report.page.escaping import shown_text
from vlcheck.results.records import EvidenceRecord, VerdictRecord
from vlcheck.stats.paired import by_image

_AXIS = Axis(-1.0, 1.0, 118, 306)
_KEPT, _MOST = 40, 14  # the most names that are kept, and shown
_LONGEST, _ROW = 16, 17  # characters of a name, height of its line


class NamedValues:
    """The mean of each of several named values, against the band that all of them have to lie in.

    Args:
        verdict: the verdict.
    """

    def __init__(self, verdict: VerdictRecord) -> None:
        self._band = verdict.band or (-1.0, 1.0)
        self._images = array("q")
        self._values: dict[str, array[float]] = {}  # by name, a number for each row: NaN if it does not have the name

    def add(self, row: EvidenceRecord) -> None:
        """Take a row that counts; of many names only the first are kept."""
        values = {name: value for name, value in (row.values or {}).items() if value is not None}
        for name in sorted(values.keys() - self._values.keys()):
            if len(self._values) < _KEPT:
                self._values[name] = array("f", [math.nan] * len(self._images))
        self._images.append(image_of(row))
        for name, kept in self._values.items():
            kept.append(values.get(name, math.nan))

    def _mean(self, values: array[float]) -> float:
        """Return the mean over images of a name's values."""
        numbers = np.asarray(values)
        there = ~np.isnan(numbers)
        return float(by_image(np.asarray(self._images)[there], numbers[there]).mean())

    def view(self) -> ChartView | None:
        """Return the means, the farthest from 0 on top; None without a value."""
        means = sorted(
            ((name, self._mean(values)) for name, values in self._values.items()),
            key=lambda one: (-abs(one[1]), one[0]),
        )
        if not means:
            return None
        shown, rest = means[:_MOST], means[_MOST:]
        bottom = 6 + _ROW * len(shown)
        first, last = map(_AXIS, self._band)
        parts = [
            box("zone", first, 2, last - first, bottom - 2),
            path("unchanged", [f"M{_AXIS(0)} 2V{bottom}"]),
            *(part for place, one in enumerate(shown) for part in self._line(one, 6 + _ROW * place + _ROW / 2)),
            path("axis", [f"M{_AXIS(-1)} {bottom}H{_AXIS(1)}"]),
            *(words_at(tick.at, bottom + 15, tick.text, "middle") for tick in range_ticks(_AXIS, *self._band)),
        ]
        more = f"{len(rest):,} more are nearer to 0" if rest else ""
        caption = captioned("Mean of each, the farthest from 0 on top", "shaded: allowed", f"{CROSS}: outside", more)
        title = f"The mean of each of {len(means):,}: each has to be from {span(*self._band)}"
        desc = "; ".join(f"{shown_text(name, _LONGEST).text} {signed(mean)}" for name, mean in shown)
        return ChartView(caption, titled_svg("named", bottom + 22, title, captioned(desc, more), parts))

    def _line(self, one: tuple[str, float], y: float) -> Iterator[Markup]:
        name, mean = one
        x, inside = _AXIS(mean), self._band[0] <= mean <= self._band[1]
        yield words_at(_AXIS.first - 8, y + 4, shown_text(name, _LONGEST).text, "end")
        if inside:
            yield path("knob", [f"M{x} {y}h0"])
        else:
            yield path("crosses violating", [f"M{x - 3:.1f} {y - 3}l6 6m0-6l-6 6"])
