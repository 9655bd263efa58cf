"""The values of cases and the band that their mean has to lie in: the claim about a mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from markupsafe import Markup

from vlcheck._util.numbers import counted, signed, span
from vlcheck.report.page.charts.row_chart import ChartView, captioned
from vlcheck.report.page.charts.svg import Axis, box, path, range_ticks, titled_svg, words_at
from vlcheck.results.records import EvidenceRecord, VerdictRecord

_BINS = 20  # on each side of 0
_AXIS = Axis(-1.0, 1.0)
_TOP, _BOTTOM = 22, 122


class Values:
    """The histogram of the values of a claim about a mean.

    Args:
        verdict: the verdict.
    """

    def __init__(self, verdict: VerdictRecord) -> None:
        self._verdict, self._band = verdict, verdict.band or (-1.0, 1.0)
        self._bins: Counter[int] = Counter()

    def add(self, row: EvidenceRecord) -> None:
        """Take a row that counts."""
        value = min(max(row.margin or 0.0, -1.0), 1.0)
        self._bins[min(int((value + 1.0) * _BINS + 1e-9), 2 * _BINS - 1)] += 1

    def view(self) -> ChartView | None:
        """Return the histogram; None without a row."""
        rows = self._bins.total()
        if not rows:
            return None
        first, last = map(_AXIS, self._band)
        top = max(self._bins.values())
        parts = [
            box("zone", first, _TOP - 6, last - first, _BOTTOM - _TOP + 6),
            *self._columns(Axis(0, top, _BOTTOM, _TOP)),
            path("axis", [f"M{_AXIS(-1)} {_BOTTOM}H{_AXIS(1)}"]),
            *self._mean(),
            *(words_at(tick.at, _BOTTOM + 15, tick.text, "middle") for tick in range_ticks(_AXIS, *self._band)),
        ]
        caption = captioned(
            f"Values of {counted(rows, 'row')}, the highest column has {top:,}", "shaded: the mean has to be in it"
        )
        return ChartView(caption, titled_svg("values", _BOTTOM + 22, self._title(rows), self._desc(), parts))

    def _columns(self, tall: Axis) -> Iterator[Markup]:
        for at, count in sorted(self._bins.items()):
            left, right = _AXIS(_edge(at)), _AXIS(_edge(at + 1))
            yield box("column", left + 0.5, tall(count), right - left - 1, _BOTTOM - tall(count))

    def _mean(self) -> Iterator[Markup]:
        """Yield the mean, with its name above."""
        mean = self._verdict.effect
        if mean is not None:
            at = _AXIS(mean)
            yield path("mean", [f"M{at} {_TOP - 6}V{_BOTTOM}"])
            anchor = "start" if at < 60 else "end" if at > _AXIS.last - 46 else "middle"
            yield words_at(at, _TOP - 10, f"mean {signed(mean)}", anchor)

    def _title(self, rows: int) -> str:
        mean = self._verdict.effect
        said = "" if mean is None else f"mean {signed(mean)}, "
        return f"The values of {counted(rows, 'row')}: {said}the mean has to be from {span(*self._band)}"

    def _desc(self) -> str:
        columns = (f"{span(_edge(at), _edge(at + 1))}: {count:,}" for at, count in sorted(self._bins.items()))
        return f"Rows by value: {'; '.join(columns)}."


def _edge(place: int) -> float:
    """Return the left edge of a column."""
    return place / _BINS - 1.0
