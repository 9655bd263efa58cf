"""The terminal's summary of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from vlcheck.plugin.lines import shown
from vlcheck.plugin.run import Run

if TYPE_CHECKING:
    from vlcheck.report.comparison import Comparison

_COLORS = {"pass": "green", "fail": "red", "invalid": "red"}


def summarise(terminal: pytest.TerminalReporter, run: Run) -> None:
    """Say what came of the run, where it was one of ours."""
    if run.results is None:
        return
    from vlcheck.report import summary  # in no run of other projects
    from vlcheck.report.conclusion import conclude

    terminal.section("vlcheck", sep="=")
    if not run.results.verdicts:
        found = conclude(run.results)
        for line in (*found.notes, found.sentence):
            terminal.line(shown(line), red=line == found.sentence)
        return
    *lines, conclusion = summary.lines(run.results, run.beside, run.comparison)
    for line in lines:
        terminal.line(shown(line))
    found = conclude(run.results, run.comparison)
    terminal.line(shown(conclusion), **{_COLORS.get(found.tone, "yellow"): True})
    for line in run.gone:
        terminal.line(shown(line), red=True)
    if run.comparison:
        _compare(terminal, run.comparison)
    terminal.line(f"policy: {run.results.run['policy']['path']}")
    terminal.line(run.problem or f"results: {run.settings.results}", red=bool(run.problem))
    if run.settings.report and not run.problem:
        terminal.line(f"report: {run.settings.report}")


def _compare(terminal: pytest.TerminalReporter, comparison: Comparison) -> None:
    """Say what became of the release before."""
    from vlcheck.report import comparison_lines  # in no run of other projects

    terminal.section("vlcheck: compared with the baseline", sep="-")
    *body, conclusion = comparison_lines.lines(comparison)
    for line in body:
        terminal.line(shown(line))
    terminal.line(shown(conclusion), red=not comparison.accepted)
