"""The values of cases and the band that their mean has to lie in: the claim about a mean."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from markupsafe import Markup

from vlcheck._util.numbers import brief, counted, signed, span
from vlcheck.report.page.charts.image_means import ImageMeans
from vlcheck.report.page.charts.row_chart import ChartView, captioned
from vlcheck.report.page.charts.svg import CROSS, Axis, Tick, apart, box, path, titled_svg, words_at
from vlcheck.report.page.escaping import shown_text
from vlcheck.results.records import EvidenceRecord, VerdictRecord

_BINS = 20  # on each side of 0
_AXIS = Axis(-1.0, 1.0)
_TOP, _BOTTOM = 22, 122
_NAMES = Axis(-1.0, 1.0, 118, 306)
_MOST, _LONGEST, _ROW = 14, 16, 17  # names that are shown, characters of a name, height of its line


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
            *(words_at(tick.at, _BOTTOM + 15, tick.text, "middle") for tick in _ticks(_AXIS, self._band)),
        ]
        caption = captioned(
            f"Values of {rows:,} rows, the highest column has {counted(top, 'row')}", "shaded: the mean has to be in it"
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


class NamedValues:
    """The mean of each of several named values, against the band that all of them have to lie in.

    Args:
        verdict: the verdict.
    """

    def __init__(self, verdict: VerdictRecord) -> None:
        self._band = verdict.band or (-1.0, 1.0)
        self._values: dict[str, ImageMeans] = defaultdict(ImageMeans)

    def add(self, row: EvidenceRecord) -> None:
        """Take a row that counts."""
        for name, value in (row.values or {}).items():
            if value is not None:
                self._values[name].add(row, value)

    def view(self) -> ChartView | None:
        """Return the means, the farthest from 0 on top; None without a value."""
        means = sorted(
            ((name, values.mean) for name, values in self._values.items()), key=lambda one: (-abs(one[1]), one[0])
        )
        if not means:
            return None
        shown, rest = means[:_MOST], means[_MOST:]
        bottom = 6 + _ROW * len(shown)
        first, last = map(_NAMES, self._band)
        parts = [
            box("zone", first, 2, last - first, bottom - 2),
            path("unchanged", [f"M{_NAMES(0)} 2V{bottom}"]),
            *(part for place, one in enumerate(shown) for part in self._line(one, 6 + _ROW * place + _ROW / 2)),
            path("axis", [f"M{_NAMES(-1)} {bottom}H{_NAMES(1)}"]),
            *(words_at(tick.at, bottom + 15, tick.text, "middle") for tick in _ticks(_NAMES, self._band)),
        ]
        more = f"{len(rest):,} more are nearer to 0" if rest else ""
        caption = captioned("Mean of each, the farthest from 0 on top", "shaded: allowed", f"{CROSS}: outside", more)
        title = f"The mean of each of {len(means):,}: each has to be from {span(*self._band)}"
        desc = "; ".join(f"{shown_text(name, _LONGEST).text} {signed(mean)}" for name, mean in shown)
        return ChartView(caption, titled_svg("named", bottom + 22, title, captioned(desc, more), parts))

    def _line(self, one: tuple[str, float], y: float) -> Iterator[Markup]:
        name, mean = one
        x, inside = _NAMES(mean), self._band[0] <= mean <= self._band[1]
        yield words_at(_NAMES.first - 8, y + 4, shown_text(name, _LONGEST).text, "end")
        if inside:
            yield path("knob", [f"M{x} {y}h0"])
        else:
            yield path("crosses violating", [f"M{x - 3:.1f} {y - 3}l6 6m0-6l-6 6"])


def _edge(place: int) -> float:
    """Return the left edge of a column."""
    return place / _BINS - 1.0


def _ticks(axis: Axis, band: tuple[float, float]) -> list[Tick]:
    return apart(Tick(axis(value), brief(value)) for value in (*band, -1.0, 1.0, 0.0))
