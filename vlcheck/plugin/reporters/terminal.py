"""The summary of a run on the terminal: folded without -v, and the conclusion in the very last lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from vlcheck.plugin.reporters.lines import print_own_line, print_own_lines
from vlcheck.plugin.run import Run

if TYPE_CHECKING:
    from vlcheck.results.comparison import Comparison
    from vlcheck.results.conclusion import Conclusion
    from vlcheck.results.file import ResultLines

_COLORS = {"pass": "green", "fail": "red", "invalid": "red"}


def summarise(terminal: pytest.TerminalReporter, run: Run) -> None:
    """Print the summary of a run that selected behaviors, but for its conclusion.

    Args:
        terminal: pytest's terminal reporter.
        run: the run.
    """
    end = run.ending
    if end.results is not None or end.problem:
        terminal.ensure_newline()
        terminal.section("vlcheck", sep="=")
    if end.results is not None:
        _sum_up(terminal, run, end.results)
    if end.problem:
        print_own_line(terminal, end.problem, red=True)
    print_own_lines(terminal, end.left())
    end.said = True


def conclude_last(terminal: pytest.TerminalReporter, run: Run) -> None:
    """Print the conclusion of a run whose summary was printed; nothing comes after it.

    Args:
        terminal: pytest's terminal reporter.
        run: the run.
    """
    results, comparison = run.ending.results, run.ending.comparison
    if results is None or not run.ending.said:
        return
    from vlcheck.results.conclusion import conclude  # not imported in runs of other projects

    found = conclude(results, comparison)
    if comparison:
        from vlcheck.report.text.comparison import conclusion

        print_own_line(terminal, f"Against the release before: {conclusion(comparison)}", red=not comparison.accepted)
    print_own_line(terminal, f"{found.sentence} {found.counts}".rstrip(), **{_color(found): True})


def _color(found: Conclusion) -> str:
    return _COLORS.get(found.tone, "yellow") if found.counts else "red"


def _sum_up(terminal: pytest.TerminalReporter, run: Run, results: ResultLines) -> None:
    """Print the verdicts, as many as the verbosity asks for, and what is to be said beside them."""
    from vlcheck.results.conclusion import conclude
    from vlcheck.results.known_biases import gone  # not imported in runs of other projects

    comparison = run.ending.comparison
    if not results.verdicts:
        print_own_lines(terminal, conclude(results, comparison).notes)
        return
    print_own_lines(terminal, _summary(terminal.verbosity, results, run.inputs.beside, comparison))
    print_own_lines(terminal, gone(results), red=True)
    if comparison:
        terminal.section("vlcheck: compared with the baseline", sep="-")
        print_own_lines(terminal, _compared(terminal.verbosity, comparison))
    print_own_line(terminal, f"policy: {results.run.policy.path}")


def _summary(
    verbosity: int, results: ResultLines, beside: ResultLines | None, comparison: Comparison | None
) -> Iterator[str]:
    """Yield everything with -v, the matrix and the notes with -q, and without either also what does not pass."""
    from vlcheck.report.text.folded import folded_lines, matrix_and_notes
    from vlcheck.report.text.summary import summary_lines  # not imported in runs of other projects

    if verbosity > 0:
        *everything, _conclusion = summary_lines(results, beside, comparison)
        yield from everything
    else:
        yield from matrix_and_notes(results, comparison) if verbosity else folded_lines(results, beside, comparison)


def _compared(verbosity: int, comparison: Comparison) -> Iterator[str]:
    from vlcheck.report.text.comparison import changed_lines, comparison_lines  # not imported in every run

    if verbosity > 0:
        *everything, _empty, _conclusion = comparison_lines(comparison)
        yield from everything
    else:
        yield from changed_lines(comparison)
