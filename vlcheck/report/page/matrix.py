"""Biases by metrics as a page shows them: each cell leads to the behavior that is its worst."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vlcheck.report.page.escaping import Said, said
from vlcheck.report.page.formatting import NAME, allowed, title, told
from vlcheck.results.comparison import OUTCOMES, Outcome
from vlcheck.results.conclusion import MEANINGS, NO_VERDICT, Standing, matrix_of, tally
from vlcheck.results.file import Key, Results, key_of
from vlcheck.results.records import VerdictRecord
from vlcheck.stats.decision import HOLLOW, NOT_ASKED


@dataclass(frozen=True)
class Cell:
    """A bias under a metric, by its worst behavior.

    Attributes:
        said: the status, and what else there is to know of it: see `Standing.said`.
        id: of that behavior's place on the page; "" where nothing was judged.
        observed: its rate or mean, with the interval; "" where nothing was measured or asked.
        allowed: what that is held to.
        counts: how many of the cell's behaviors fail, pass...; the title goes on with the worst of them.
        change: the worst that became of any of them since the release before.
    """

    status: str
    said: str
    id: str
    title: Said
    observed: str
    allowed: str
    counts: str
    change: Outcome | None


@dataclass(frozen=True)
class MatrixRow:
    """A bias: its cells, None under a metric that was not asked about it.

    Attributes:
        question: what it asks of a model.
    """

    bias: Said
    question: Said | None
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class MatrixView:
    """Biases by metrics, the gravest first.

    Attributes:
        metrics: with what each of them is; "" where that is not known.
    """

    metrics: tuple[tuple[Said, str], ...]
    rows: tuple[MatrixRow, ...]


def matrix_view(results: Results, names: Mapping[Key, str], changes: Mapping[Key, Outcome]) -> MatrixView:
    """The matrix of a run.

    Args:
        results: the run's.
        names: of the verdicts' places on the page.
        changes: what became of them since the release before.
    """
    found = matrix_of(results)
    return MatrixView(
        tuple((said(metric, NAME), MEANINGS.get(metric, "")) for metric in found.metrics),
        tuple(
            MatrixRow(
                said(bias, NAME),
                question(its.verdicts[0]) if its.verdicts else None,
                tuple(_cell(found.cells.get((bias, metric)), names, changes) for metric in found.metrics),
            )
            for bias, its in found.biases.items()
        ),
    )


def question(verdict: VerdictRecord) -> Said | None:
    """What the verdict's bias asks of a model, as the file of its tests says it."""
    text = verdict.bias_doc
    return said(" ".join(text.split())) if text else None


def _cell(standing: Standing | None, names: Mapping[Key, str], changes: Mapping[Key, Outcome]) -> Cell | None:
    if standing is None:
        return None
    if not standing.verdicts:
        return Cell(standing.status, standing.said, "", Said(""), "", "", "", None)
    chief, its = standing.verdicts[0], {changes.get(key_of(verdict)) for verdict in standing.verdicts}
    example = "for example" if standing.status in (*HOLLOW, NO_VERDICT) else "the worst"
    return Cell(
        status=standing.status,
        said=standing.said,
        id=names[key_of(chief)],
        title=title(chief.behavior),
        observed="" if standing.status in (NOT_ASKED, NO_VERDICT) else told(chief),
        allowed=allowed(chief),
        counts=f"{', '.join(tally(standing.verdicts))}; {example}:" if len(standing.verdicts) > 1 else "",
        change=next((outcome for outcome in OUTCOMES if outcome in its), None),
    )
