"""The two sides of a row of the evidence, before and after the edit: pictures, texts and scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from vlcheck._util.numbers import figure
from vlcheck.metrics.definition import MetricDefinition
from vlcheck.metrics.mm_shap import TextContribution
from vlcheck.metrics.registry import METRICS
from vlcheck.report.page.alternative_text import alternative_text
from vlcheck.report.page.boxes import Rectangle, rectangles
from vlcheck.report.page.escaping import Marked, ShownText, mark_changes, shown_text
from vlcheck.report.page.explanations import Explanations, HeatMap
from vlcheck.report.page.images import Album, EmbeddedImage
from vlcheck.report.page.word_list import WORD, Word, word_list
from vlcheck.results.records import EvidenceRecord

Top = Sequence[tuple[str, float | None]]  # words, or other names, with their numbers

_FIGURES = 5  # the most numbers beside a score that are shown


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


def row_sides(row: EvidenceRecord, album: Album, explanations: Explanations) -> Iterator[Side]:
    """Yield the row before, and after if there is an edit.

    Args:
        row: the row's line in the results.
        album: the pictures.
        explanations: the explanations of the run.
    """
    heat_maps = explanations.of(row)
    for place, text in enumerate(mark_changes(row.texts)[:2]):
        name = ("before", "after")[place]
        yield _side(row, place, text, album.get((row.image, row.perturbed)[place]), name, heat_maps[name])


def _side(
    row: EvidenceRecord,
    place: int,
    text: Marked,
    picture: EmbeddedImage | None,
    name: str,
    heat_maps: tuple[HeatMap, ...],
) -> Side:
    boxes = (row.boxes, row.other_boxes), (row.perturbed_boxes, row.perturbed_other_boxes)
    drawn = tuple(rectangles(each, picture) for each in boxes[place])
    raw, top = ((row.before, row.top_before), (row.after, row.top_after))[place]
    likeliest, others = _words_or_others(row.metric, top or ())
    scores, targets = (row.scores or [])[place : place + 1], row.targets[place : place + 1]
    is_share = row.metric == TextContribution.name
    return Side(
        name=name,
        picture=picture,
        label=alternative_text(row, place, picture, drawn),
        boxes=drawn[0],
        other_boxes=drawn[1],
        text=text,
        target=shown_text(targets[0], WORD) if targets and not is_share else None,
        score=f"T-SHAP {figure(raw)}" if is_share else figure(raw),
        level=_level(row, place, raw),
        wanted=next((shown_text(one) for one in row.wanted[place : place + 1] if one), None),
        says=_says(scores[0]) if scores else None,
        words=tuple(word_list(scores[0], likeliest, targets)) if scores else (),
        top=tuple(Word(shown_text(what, WORD), figure(number)) for what, number in others)[:_FIGURES],
        heat_maps=heat_maps,
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
