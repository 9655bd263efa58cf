"""The terminal's summary of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from vlcheck.plugin.lines import say
from vlcheck.plugin.run import Run

if TYPE_CHECKING:
    from vlcheck.report.comparison import Comparison

_COLORS = {"pass": "green", "fail": "red", "invalid": "red"}


def summarise(terminal: pytest.TerminalReporter, run: Run) -> None:
    """Say what came of the run, where it was one of ours."""
    if run.results is None:
        return
    terminal.section("vlcheck", sep="=")
    if not run.results.verdicts:
        say(terminal, "no verdict came of this run", red=True)
        return
    from vlcheck.report import summary  # in no run of other projects
    from vlcheck.report.conclusion import conclude

    *lines, conclusion = summary.lines(run.results, run.beside, run.comparison)
    for line in lines:
        say(terminal, line)
    found = conclude(run.results, run.comparison)
    say(terminal, conclusion, **{_COLORS.get(found.tone, "yellow"): True})
    for line in run.gone:
        say(terminal, line, red=True)
    if run.comparison:
        _compare(terminal, run.comparison)
    say(terminal, f"policy: {run.results.run['policy']['path']}")
    say(terminal, run.problem or f"results: {run.settings.results}", red=bool(run.problem))
    if run.settings.report and not run.problem:
        say(terminal, f"report: {run.settings.report}")


def _compare(terminal: pytest.TerminalReporter, comparison: Comparison) -> None:
    """Say what became of the release before."""
    from vlcheck.report import comparison_lines  # in no run of other projects

    terminal.section("vlcheck: compared with the baseline", sep="-")
    *body, conclusion = comparison_lines.lines(comparison)
    for line in body:
        say(terminal, line)
    say(terminal, conclusion, red=not comparison.accepted)
