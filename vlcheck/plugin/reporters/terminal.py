"""The terminal's summary of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from vlcheck.plugin.reporters.lines import say
from vlcheck.plugin.run import Run

if TYPE_CHECKING:
    from vlcheck.results.comparison import Comparison
    from vlcheck.results.file import ResultLines

_COLORS = {"pass": "green", "fail": "red", "invalid": "red"}


def summarise(terminal: pytest.TerminalReporter, run: Run) -> None:
    """Say what came of the run, where it was one of ours."""
    end = run.ending
    if end.results is not None or end.problem:
        terminal.section("vlcheck", sep="=")
    if end.results is not None:
        _conclude(terminal, run, end.results)
    if end.problem:
        say(terminal, end.problem, red=True)
    for line in end.left():
        say(terminal, line)
    end.said = True


def _conclude(terminal: pytest.TerminalReporter, run: Run, results: ResultLines) -> None:
    """Say what the verdicts come to."""
    from vlcheck.report.text.summary import summary_lines  # in no run of other projects
    from vlcheck.results.conclusion import conclude, gone

    found = conclude(results, run.ending.comparison)
    if not results.verdicts:
        for line in found.notes:
            say(terminal, line)
        say(terminal, found.sentence, red=True)
        return
    *summary_lines, conclusion = summary_lines(results, run.beside, run.ending.comparison)
    for line in summary_lines:
        say(terminal, line)
    say(terminal, conclusion, **{_COLORS.get(found.tone, "yellow"): True})
    for line in gone(results):
        say(terminal, line, red=True)
    if run.ending.comparison:
        _compare(terminal, run.ending.comparison)
    say(terminal, f"policy: {results.run.policy.path}")


def _compare(terminal: pytest.TerminalReporter, comparison: Comparison) -> None:
    """Say what became of the release before."""
    from vlcheck.report.text.comparison import comparison_lines  # in no run of other projects

    terminal.section("vlcheck: compared with the baseline", sep="-")
    *body, conclusion = comparison_lines(comparison)
    for line in body:
        say(terminal, line)
    say(terminal, conclusion, red=not comparison.accepted)
