"""The scores of rows before and after an edit, as lines; without an edit, as dots."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from vlcheck._util.numbers import figure
from vlcheck.report.page.charts.even_choice import Marks
from vlcheck.report.page.charts.row_chart import ChartView, captioned
from vlcheck.report.page.charts.svg import (
    SLOPE_BOTTOM,
    SLOPE_LEFT,
    SLOPE_RIGHT,
    SLOPE_TOP,
    Axis,
    height_of,
    path,
    titled_svg,
    words_at,
)
from vlcheck.results.records import EvidenceRecord, VerdictRecord
from vlcheck.results.scales import CALIBRATED, used

_LINES, _DOTS = 150, 400  # the most that are drawn
_BINS = 60
_STRIP_BOTTOM, _STRIP_TOP = 82, 10


class Movement:
    """The chart of scores: on the model's own scale if margins are computed on it, else raw.

    Args:
        verdict: the verdict.
    """

    def __init__(self, verdict: VerdictRecord) -> None:
        self._calibrated = used(verdict.scale) == CALIBRATED
        self._pairs: Marks[tuple[float, float]] = Marks(_LINES)
        self._alone: Marks[float] = Marks(_DOTS)
        self._sums = [0.0, 0.0, 0.0]  # before and after of pairs, and before alone

    def add(self, row: EvidenceRecord) -> None:
        """Take a row that counts."""
        before, after = self._scores(row)
        if before is None:
            return
        if after is None:
            self._alone.add(before, row.violates)
            self._sums[2] += before
            return
        self._pairs.add((before, after), row.violates)
        self._sums[0] += before
        self._sums[1] += after

    def view(self) -> ChartView | None:
        """Return the lines; dots if no row has an after; None without a score."""
        if len(self._pairs):
            return self._slopes()
        return self._strip() if len(self._alone) else None

    @property
    def _name(self) -> str:
        return "score on its own scale" if self._calibrated else "score"

    def _scores(self, row: EvidenceRecord) -> tuple[float | None, float | None]:
        levels = row.levels if self._calibrated else []
        if levels and None not in levels:
            return levels[0], levels[1] if len(levels) > 1 else None
        return row.before, row.after

    def _slopes(self) -> ChartView:
        """Draw each row as a line from before to after."""
        rows = self._pairs
        lines: Mapping[bool, list[str]] = defaultdict(list)
        for (before, after), violates in rows.each:
            lines[violates].append(f"M{SLOPE_LEFT} {height_of(before)}L{SLOPE_RIGHT} {height_of(after)}")
        before, after = (total / len(rows) for total in self._sums[:2])
        mean = f"M{SLOPE_LEFT} {height_of(before)}L{SLOPE_RIGHT} {height_of(after)}"
        parts = [
            path("axis", (f"M{x} {SLOPE_TOP}V{SLOPE_BOTTOM}" for x in (SLOPE_LEFT, SLOPE_RIGHT))),
            path("holding", lines[False]),
            path("violating", lines[True]),
            path("mean", [mean]),
            words_at(SLOPE_LEFT - 6, 16, "1", "end"),
            words_at(SLOPE_LEFT - 6, 146, "0", "end"),
            words_at(SLOPE_LEFT, 160, f"before {figure(before)}", "middle"),
            words_at(SLOPE_RIGHT, 160, f"after {figure(after)}", "middle"),
        ]
        title = f"The {self._name} before and after: mean {figure(before)} before, {figure(after)} after, {rows.counts}"
        return ChartView(self._caption("dashed", rows), titled_svg("slopes", 166, title, rows.chosen, parts))

    def _strip(self) -> ChartView:
        """Draw each row as a dot over its score."""
        rows, axis = self._alone, Axis(0.0, 1.0)
        mean = self._sums[2] / len(rows)
        stacks: Mapping[int, list[bool]] = defaultdict(list)
        for score, violates in rows.each:
            stacks[round(_BINS * min(max(score, 0.0), 1.0))].append(violates)
        step = min(5.0, (_STRIP_BOTTOM - _STRIP_TOP) / max(map(len, stacks.values())))
        dots: Mapping[bool, list[str]] = defaultdict(list)
        for place, stack in stacks.items():
            for level, violates in enumerate(stack):
                at = round(_STRIP_BOTTOM - 4 - level * step, 1)
                dots[violates].append(f"M{axis(place / _BINS)} {at}h0")
        parts = [
            path("axis", [f"M{axis(0)} {_STRIP_BOTTOM}H{axis(1)}"]),
            path("dots holding", dots[False]),
            path("dots violating", dots[True]),
            path("mean", [f"M{axis(mean)} {_STRIP_BOTTOM - 2}v8"]),
            *(words_at(*label) for label in _strip_labels(axis, mean)),
        ]
        title = f"The {self._name}: mean {figure(mean)}, {rows.counts}"
        return ChartView(self._caption("square", rows), titled_svg("strip", 102, title, rows.chosen, parts))

    def _caption(self, violating: str, rows: Marks[float] | Marks[tuple[float, float]]) -> str:
        name = f"{self._name[0].upper()}{self._name[1:]} of the rows that count: {rows.counts}"
        return captioned(name, f"{violating}: violates", "thick: mean", rows.chosen)


def _strip_labels(axis: Axis, mean: float) -> Iterable[tuple[float, float, str, str]]:
    """Yield the labels of the mean and of the ends, without the ends that the mean would overlap."""
    at = axis(mean)
    anchor = "start" if at < 60 else "end" if at > axis.last - 46 else "middle"
    yield at, 98, f"mean {figure(mean)}", anchor
    if at > 110:
        yield axis(0), 98, "0", "middle"
    if at < axis.last - 96:
        yield axis(1), 98, "1", "middle"
