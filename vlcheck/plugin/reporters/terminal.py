"""The summary of a run on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from vlcheck.plugin.reporters.lines import print_own_line
from vlcheck.plugin.run import Run

if TYPE_CHECKING:
    from vlcheck.results.comparison import Comparison
    from vlcheck.results.file import ResultLines

_COLORS = {"pass": "green", "fail": "red", "invalid": "red"}


def summarise(terminal: pytest.TerminalReporter, run: Run) -> None:
    """Print the summary of a run that selected behaviors.

    Args:
        terminal: pytest's terminal reporter.
        run: the run.
    """
    end = run.ending
    if end.results is not None or end.problem:
        terminal.section("vlcheck", sep="=")
    if end.results is not None:
        _conclude(terminal, run, end.results)
    if end.problem:
        print_own_line(terminal, end.problem, red=True)
    for line in end.left():
        print_own_line(terminal, line)
    end.said = True


def _conclude(terminal: pytest.TerminalReporter, run: Run, results: ResultLines) -> None:
    """Print the verdicts and the conclusion."""
    from vlcheck.report.text.summary import summary_lines  # not imported in runs of other projects
    from vlcheck.results.conclusion import conclude, gone

    found = conclude(results, run.ending.comparison)
    if not results.verdicts:
        for line in found.notes:
            print_own_line(terminal, line)
        print_own_line(terminal, found.sentence, red=True)
        return
    *table, conclusion = summary_lines(results, run.beside, run.ending.comparison)
    for line in table:
        print_own_line(terminal, line)
    print_own_line(terminal, conclusion, **{_COLORS.get(found.tone, "yellow"): True})
    for line in gone(results):
        print_own_line(terminal, line, red=True)
    if run.ending.comparison:
        _compare(terminal, run.ending.comparison)
    print_own_line(terminal, f"policy: {results.run.policy.path}")


def _compare(terminal: pytest.TerminalReporter, comparison: Comparison) -> None:
    """Print the comparison with the previous release."""
    from vlcheck.report.text.comparison import comparison_lines  # not imported in runs of other projects

    terminal.section("vlcheck: compared with the baseline", sep="-")
    *body, conclusion = comparison_lines(comparison)
    for line in body:
        print_own_line(terminal, line)
    print_own_line(terminal, conclusion, red=not comparison.accepted)
