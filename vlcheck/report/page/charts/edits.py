"""The rates of violations under each of several edits: over places of the picture, or over strengths of one edit."""

from __future__ import annotations

from collections import defaultdict

from vlcheck.perturb.place import cell_of
from vlcheck.perturb.strength import strength_of
from vlcheck.report.page.charts.image_means import ImageMeans
from vlcheck.report.page.charts.places import rates_by_place
from vlcheck.report.page.charts.row_chart import ChartView
from vlcheck.report.page.charts.strengths import rates_by_strength
from vlcheck.report.page.escaping import shown_text
from vlcheck.results.records import EvidenceRecord, VerdictRecord

_MOST, _LONGEST = 40, 30  # edits of which rates are kept, and characters of a name


class UnderEachEdit:
    """The chart of a verdict whose rows have different edits; none if these have nothing in common.

    Args:
        verdict: the verdict.
    """

    def __init__(self, verdict: VerdictRecord) -> None:
        self._verdict = verdict
        self._rates: dict[str, ImageMeans] = defaultdict(ImageMeans)

    def add(self, row: EvidenceRecord) -> None:
        """Take a row that counts."""
        edit = row.perturbation or ""
        if edit != self._verdict.perturbation and (edit in self._rates or len(self._rates) < _MOST):
            self._rates[edit].add(row, float(row.violates))

    def view(self) -> ChartView | None:
        """Return a heat map over places or a curve over strengths; None if the edits are neither."""
        alpha, allowed = self._verdict.alpha, self._verdict.allowed
        if alpha is None or allowed is None:
            return None
        places = {cell: rates for edit, rates in self._rates.items() if (cell := cell_of(edit))}
        if len(places) == len(self._rates) > 1:
            return rates_by_place(places, alpha)
        strengths = {found: rates for edit, rates in self._rates.items() if (found := strength_of(edit))}
        names = sorted({name for name, _ in strengths})
        if len(strengths) == len(self._rates) > 1 == len(names):
            by_number = {number: rates for (_, number), rates in strengths.items()}
            return rates_by_strength(shown_text(names[0], _LONGEST).text, by_number, allowed, alpha)
        return None
