"""The evidence of a verdict as a page shows it: rows with their pictures, texts and scores."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from vlcheck._util.numbers import brief, signed
from vlcheck.metrics.mm_shap import ERROR, TextContribution, TextShare
from vlcheck.report.page import charts
from vlcheck.report.page.escaping import ShownText, shown_text
from vlcheck.report.page.explanations import Explanations, MethodView, WithoutMap
from vlcheck.report.page.images import Album
from vlcheck.report.page.row_sides import Side, row_sides
from vlcheck.report.page.searching import searched_text
from vlcheck.report.page.violations import ViolatedView, violated_view
from vlcheck.report.page.word_list import WORD, Word
from vlcheck.results.records import EvidenceRecord

_ENDS = ("worst", "best"), ("farthest from 0,", "nearest,")  # names of first and last row: of a rate, of a mean


@dataclass(frozen=True)
class RowView:
    """One row of the evidence.

    Attributes:
        case: name of the case.
        perturbation: name of the edit; None if there is none.
        rank: rank among the rows that count, 1 for the worst; 0 for a row that does not count.
        place: the rank in words.
        outcome: "violates", "holds", "counts" (for a mean) or "left out".
        searched: the text that a search compares; it begins with the case's id.
        measure: name of the margin; of a mean, "value".
        margin: the margin with its sign; "-" for a row that does not count.
        sorted_by: the margin as a number, or "".
        values: the parts of a claim about several things, each with its value.
        shares: the chart of what the words and the picture contribute, under the metric mm-shap.
        reason: the reason why the row does not count.
        violated: the condition that is violated, with its numbers; None if none is named.
        sides: before, and after if there is one.
        without_map: the methods that give no map of it, or of one of its sides.
        case_rank: rank of its case among the explained cases of the verdict, if it has a map; 0 without one.
        id: id of its element on the page.
    """

    case: ShownText
    perturbation: ShownText | None
    rank: int
    place: str
    outcome: str
    searched: str
    measure: str
    margin: str
    sorted_by: str
    values: tuple[Word, ...]
    shares: Markup | None
    reason: ShownText | None
    violated: ViolatedView | None
    sides: tuple[Side, ...]
    without_map: tuple[WithoutMap, ...] = ()
    case_rank: int = 0
    id: str = ""

    @property
    def explained(self) -> bool:
        """True if it has a map."""
        return self.case_rank > 0

    @property
    def methods(self) -> tuple[MethodView, ...]:
        """The methods that explain it."""
        return tuple(dict.fromkeys(one.method for side in self.sides for one in side.heat_maps))


def row_view(
    row: EvidenceRecord, rank: int, of: int, claim: str, album: Album, explanations: Explanations, anchor: str
) -> RowView:
    """Return a row of the evidence as the page shows it.

    Args:
        row: the row's line in the results.
        rank: rank among the rows that count, from 1; 0 for a row that does not count.
        of: number of rows that count.
        claim: the verdict's claim, "rate" or "mean".
        album: the pictures.
        explanations: the explanations of the run.
        anchor: id of its element on the page.
    """
    margin = row.margin
    values = row.values or {}
    return RowView(
        case=shown_text(row.case, 80),
        perturbation=shown_text(row.perturbation, 80) if row.perturbation else None,
        rank=rank,
        place=_place(rank, of, _ENDS[claim == "mean"]),
        outcome=outcome(row, claim),
        searched=searched_text(row),
        measure="value" if claim == "mean" else "margin",
        margin="-" if margin is None else signed(margin),
        sorted_by="" if margin is None else brief(margin),
        values=tuple(Word(shown_text(name, WORD), signed(value)) for name, value in values.items()),
        shares=_shares(row),
        reason=shown_text(row.reason) if row.reason else None,
        violated=violated_view(row.violated) if row.violated else None,
        sides=tuple(row_sides(row, album, explanations)),
        without_map=explanations.without_map(row),
        case_rank=explanations.rank(row),
        id=anchor,
    )


def outcome(row: EvidenceRecord, claim: str) -> str:
    """Return the outcome of a row: "left out", "counts", "violates" or "holds".

    Args:
        row: the row's line in the results.
        claim: the verdict's claim, "rate" or "mean".
    """
    if row.margin is None:
        return "left out"
    if claim == "mean":
        return "counts"
    return "violates" if row.margin <= 0 else "holds"


def _shares(row: EvidenceRecord) -> Markup | None:
    if row.metric != TextContribution.name or row.before is None:
        return None
    share = TextShare(row.before, dict(row.top_before or ()).get(ERROR) or 0.0)
    return charts.modality_bar(share.value, share.interval)


def _place(rank: int, of: int, ends: tuple[str, str]) -> str:
    if not rank:
        return "does not count"
    first, last = ends
    named = {1: first, (of + 1) // 2: "median", of: last} if of > 2 else {1: first}
    return f"{named[rank]} of {of}" if rank in named else f"{rank} of {of}"
