"""The charts of a verdict by its claim."""

from __future__ import annotations

from vlcheck.report.page.charts.dumbbells import Leads, wins_of
from vlcheck.report.page.charts.edits import UnderEachEdit
from vlcheck.report.page.charts.histogram import Values
from vlcheck.report.page.charts.movement import Movement
from vlcheck.report.page.charts.named_values import NamedValues
from vlcheck.report.page.charts.row_chart import ChartView, RowChart
from vlcheck.report.page.charts.sides import SidesChanged
from vlcheck.results.records import EvidenceRecord, VerdictRecord


class ClaimChart:
    """The chart that draws a verdict's claim about each row; which one it is shows with the first row that counts.

    Args:
        verdict: the verdict.
    """

    def __init__(self, verdict: VerdictRecord) -> None:
        self._verdict = verdict
        self._chart: RowChart | None = None

    def add(self, row: EvidenceRecord) -> None:
        """Take a row that counts."""
        if self._chart is None:
            self._chart = _chart_of(self._verdict, row)
        self._chart.add(row)

    def view(self) -> ChartView | None:
        """Return the chart; None if no row counts."""
        return self._chart.view() if self._chart else None


def charts_of(verdict: VerdictRecord) -> tuple[RowChart, ...]:
    """Return the charts that are drawn from all rows of a verdict.

    Args:
        verdict: the verdict.
    """
    claim = ClaimChart(verdict)
    return (claim,) if verdict.claim == "mean" else (claim, UnderEachEdit(verdict))


def _chart_of(verdict: VerdictRecord, row: EvidenceRecord) -> RowChart:
    """Return the chart for rows like this one; results of older versions have no shares, and only scores are drawn."""
    if verdict.claim == "mean":
        return NamedValues(verdict) if row.values else Values(verdict)
    if verdict.claim == "lead":
        return Leads()
    if verdict.share_of and len(row.shares) == 2:
        return SidesChanged(verdict)
    return wins_of(verdict) if verdict.share_of and len(row.shares) == 1 else Movement(verdict)
