"""The end of a run in brief: the matrix, the verdicts that do not pass, and notes; everything else is folded away."""

from __future__ import annotations

from collections.abc import Iterator

from vlcheck._util.numbers import counted
from vlcheck.report.text.summary import beside_lines, disagreement_lines, each, matrix_lines, saving, subject, tables
from vlcheck.results.comparison import Comparison
from vlcheck.results.conclusion import conclude
from vlcheck.results.explained_cases import explained_lines
from vlcheck.results.file import ResultLines
from vlcheck.results.wrapped import setup_line, wrapper_lines
from vlcheck.stats.decision import NOT_ASKED

_FOLDED = ("pass", NOT_ASKED)  # statuses of verdicts that have no line


def folded_lines(
    results: ResultLines, beside: ResultLines | None = None, comparison: Comparison | None = None
) -> Iterator[str]:
    """Yield the summary of a run without the verdicts that pass or were not asked, and without their tables.

    The conclusion is not among the lines.

    Args:
        results: the run's results.
        beside: another run's results, to be shown beside.
        comparison: the comparison with the release before.
    """
    verdicts = list(results.verdicts.values())
    unfolded = [verdict for verdict in verdicts if verdict.status not in _FOLDED]
    behaviors = {verdict.behavior for verdict in unfolded}
    yield subject(results.run)
    if line := setup_line(results.run):
        yield f"set up with {line}"
    yield from matrix_lines(results)
    yield ""
    if unfolded:
        yield from each(unfolded, beside, among=verdicts)
        yield from tables([verdict for verdict in verdicts if verdict.behavior in behaviors])
        yield ""
        yield from disagreement_lines(results)
    if beside:
        yield from beside_lines(results, beside)
    yield f"-v lists {'all ' if len(verdicts) > 1 else ''}{counted(len(verdicts), 'verdict')}, with tables and scales."
    yield from saving(results)
    yield from explained_lines(results)
    yield from wrapper_lines(results.run)
    yield from conclude(results, comparison).notes


def matrix_and_notes(results: ResultLines, comparison: Comparison | None = None) -> Iterator[str]:
    """Yield the matrix of a run, and its notes.

    Args:
        results: the run's results.
        comparison: the comparison with the release before.
    """
    yield from matrix_lines(results)
    yield from conclude(results, comparison).notes
