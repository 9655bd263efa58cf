"""The evidence of a verdict as a page shows it: rows with their pictures, texts and scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from vlcheck._util.numbers import brief, figure, signed
from vlcheck.metrics.definition import MetricDefinition
from vlcheck.metrics.mm_shap import ERROR, TextContribution, TextShare
from vlcheck.metrics.registry import METRICS
from vlcheck.report.page import charts
from vlcheck.report.page.alternative_text import alternative_text
from vlcheck.report.page.boxes import Rectangle, rectangles
from vlcheck.report.page.escaping import Marked, ShownText, mark_changes, shown_text
from vlcheck.report.page.explanations import Explanations, HeatMap, MethodView, WithoutMap
from vlcheck.report.page.images import Album, EmbeddedImage
from vlcheck.report.page.searching import searched_text
from vlcheck.report.page.violations import ViolatedView, violated_view
from vlcheck.report.page.word_list import WORD, Word, word_list
from vlcheck.results.records import EvidenceRecord

Top = Sequence[tuple[str, float | None]]  # words, or other names, with their numbers

_FIGURES = 5  # the most numbers beside a score that are shown
_ENDS = ("worst", "best"), ("farthest from 0,", "nearest,")  # names of first and last row: of a rate, of a mean


@dataclass(frozen=True)
class Side:
    """The row before or after the edit.

    Attributes:
        name: "before" or "after".
        picture: the picture; None if there is none to show.
        label: description of the picture, for those who do not see it.
        boxes: boxes of the thing that the target names.
        other_boxes: boxes of the other thing of a relation.
        text: the text that was asked with the picture.
        target: the word that is true of it; None if the results do not name it, or the score is not that of a word.
        score: raw score of the target; T-SHAP is named.
        level: the score on the model's operating scale; "" if that is the raw one.
        wanted: the expected answer, in words.
        says: the word that scores highest of those asked about; None if there is no single one.
        words: the words asked about and the likeliest ones at the mask, with raw scores and shares of those asked.
        top: other numbers that come with the score.
        heat_maps: the explanations of its score.
        top_name: the name of the numbers of `top`.
    """

    name: str
    picture: EmbeddedImage | None
    label: str
    boxes: tuple[Rectangle, ...]
    other_boxes: tuple[Rectangle, ...]
    text: Marked
    target: ShownText | None
    score: str
    level: str
    wanted: ShownText | None
    says: ShownText | None
    words: tuple[Word, ...]
    top: tuple[Word, ...]
    heat_maps: tuple[HeatMap, ...]
    top_name: str


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
        sides=tuple(_sides(row, album, explanations)),
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


def _sides(row: EvidenceRecord, album: Album, explanations: Explanations) -> Iterator[Side]:
    """Yield the row before, and after if there is an edit."""
    scores, targets, wanted = row.scores or [], row.targets, row.wanted
    keys, boxes = (row.image, row.perturbed), (row.boxes, row.perturbed_boxes)
    other_boxes = row.other_boxes, row.perturbed_other_boxes
    heat_maps = explanations.of(row)
    is_share = row.metric == TextContribution.name
    raw, tops = (row.before, row.after), (row.top_before, row.top_after)
    for place, text in enumerate(mark_changes(row.texts)[:2]):
        name = ("before", "after")[place]
        picture = album.get(keys[place])
        drawn = tuple(rectangles(each[place], picture) for each in (boxes, other_boxes))
        likeliest, others = _words_or_others(row.metric, tops[place] or ())
        yield Side(
            name=name,
            picture=picture,
            label=alternative_text(row, place, picture, drawn),
            boxes=drawn[0],
            other_boxes=drawn[1],
            text=text,
            target=shown_text(targets[place], WORD) if place < len(targets) and not is_share else None,
            score=f"T-SHAP {figure(raw[place])}" if is_share else figure(raw[place]),
            level=_level(row, place, raw[place]),
            wanted=shown_text(wanted[place]) if place < len(wanted) and wanted[place] else None,
            says=_says(scores[place]) if place < len(scores) else None,
            words=tuple(word_list(scores[place], likeliest, targets[place : place + 1])) if place < len(scores) else (),
            top=tuple(Word(shown_text(what, WORD), figure(number)) for what, number in others)[:_FIGURES],
            heat_maps=heat_maps[name],
            top_name=_top_name(row.metric),
        )


def _top_name(metric: str | None) -> str:
    """Return the name of the numbers beside a score."""
    return (METRICS.get(metric or "") or MetricDefinition).top_name


def _words_or_others(metric: str | None, top: Top) -> tuple[Top, Top]:
    """Return the numbers beside a score as those of words, or as other ones; the other part is empty."""
    return (top, ()) if _top_name(metric) == MetricDefinition.top_name else ((), top)


def _level(row: EvidenceRecord, place: int, score: float | None) -> str:
    levels = row.levels
    level = levels[place] if place < len(levels) else None
    return "" if level is None or level == score else figure(level)


def _says(scores: Mapping[str, float | None]) -> ShownText | None:
    """Return the word that scores higher than every other; None if there is no single one."""
    known = {word: score for word, score in scores.items() if score is not None}
    best = [word for word, score in known.items() if score == max(known.values())]
    return shown_text(best[0], WORD) if len(best) == 1 < len(scores) else None
