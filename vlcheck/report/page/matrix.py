"""Biases by metrics as a page shows them; each cell links to its worst behavior."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vlcheck.metrics.registry import METRICS
from vlcheck.report.page.escaping import ShownText, shown_text
from vlcheck.report.page.formatting import NAME, allowed, observed_in_words, title
from vlcheck.results.bias_matrix import NO_VERDICT, Standing, matrix_of
from vlcheck.results.comparison import OUTCOMES, Outcome
from vlcheck.results.file import Key, ResultLines, key_of
from vlcheck.results.records import VerdictRecord
from vlcheck.results.sentence import tally
from vlcheck.stats.decision import HOLLOW, NOT_ASKED


@dataclass(frozen=True)
class Cell:
    """A bias under a metric, represented by its worst behavior.

    Attributes:
        status: the worst status.
        said: the status in words with remarks: see `Standing.said`.
        id: id of that behavior's element on the page; "" if there is no verdict.
        title: name in words of the behavior.
        observed: its rate or mean with the interval; "" if nothing was measured.
        allowed: the allowed rate or band.
        counts: numbers of the cell's behaviors by status, in words.
        change: the worst change of any of them since the release before.
    """

    status: str
    said: str
    id: str
    title: ShownText
    observed: str
    allowed: str
    counts: str
    change: Outcome | None


@dataclass(frozen=True)
class MatrixRow:
    """A bias and its cells; a cell is None under a metric that was not asked about it.

    Attributes:
        bias: the bias.
        question: the question that it asks of a model.
        cells: one cell a metric.
    """

    bias: ShownText
    question: ShownText | None
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class MatrixView:
    """Biases by metrics, the gravest first.

    Attributes:
        metrics: each metric with its meaning; "" for an unknown one.
        empty: for each metric, the words in a cell of a bias without a test under it.
        rows: one row a bias.
    """

    metrics: tuple[tuple[ShownText, str], ...]
    empty: tuple[str, ...]
    rows: tuple[MatrixRow, ...]


def matrix_view(results: ResultLines, names: Mapping[Key, str], changes: Mapping[Key, Outcome]) -> MatrixView:
    """Return the matrix of a run as the page shows it.

    Args:
        results: the run's results.
        names: verdict's key -> id of its element on the page.
        changes: verdict's key -> its change since the release before.
    """
    found = matrix_of(results)
    lacking = {metric for metric in found.metrics if results.run.lacks(metric)} - {metric for _, metric in found.cells}
    return MatrixView(
        tuple(
            (shown_text(metric, NAME), METRICS[metric].meaning if metric in METRICS else "") for metric in found.metrics
        ),
        tuple("no such score" if metric in lacking else "no test" for metric in found.metrics),
        tuple(
            MatrixRow(
                shown_text(bias, NAME),
                question(its.verdicts[0]) if its.verdicts else None,
                tuple(_cell(found.cells.get((bias, metric)), names, changes) for metric in found.metrics),
            )
            for bias, its in found.biases.items()
        ),
    )


def question(verdict: VerdictRecord) -> ShownText | None:
    """Return the question that a verdict's bias asks of a model, from the docstring of its tests."""
    text = verdict.bias_doc
    return shown_text(" ".join(text.split())) if text else None


def _cell(standing: Standing | None, names: Mapping[Key, str], changes: Mapping[Key, Outcome]) -> Cell | None:
    if standing is None:
        return None
    if not standing.verdicts:
        return Cell(standing.status, standing.said, "", ShownText(""), "", "", "", None)
    chief, its = standing.verdicts[0], {changes.get(key_of(verdict)) for verdict in standing.verdicts}
    several = len(standing.verdicts) > 1 or standing.status == NO_VERDICT
    return Cell(
        status=standing.status,
        said=standing.said,
        id=names[key_of(chief)],
        title=title(chief.behavior),
        observed="" if standing.status in (NOT_ASKED, NO_VERDICT) else observed_in_words(chief),
        allowed=allowed(chief),
        counts=f"{', '.join(tally(standing.verdicts))}; {_chosen(standing, chief)}:" if several else "",
        change=next((outcome for outcome in OUTCOMES if outcome in its), None),
    )


def _chosen(standing: Standing, chief: VerdictRecord) -> str:
    """Return why a behavior stands for the others of its cell: it is the worst, or one of many without a violation."""
    equal = standing.status in (*HOLLOW, NO_VERDICT) or (chief.passed and not chief.rate)
    return "for example" if equal else "the worst"
