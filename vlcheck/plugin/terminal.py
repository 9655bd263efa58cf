"""The terminal's summary of a run."""

from __future__ import annotations

import pytest

from vlcheck.plugin.run import Run


def summarise(terminal: pytest.TerminalReporter, run: Run) -> None:
    """Say what came of the run, where it was one of ours."""
    if run.results is None:
        return
    terminal.section("vlcheck", sep="=")
    if not run.results.verdicts:
        terminal.line("no verdict came of this run", red=True)
    else:
        from vlcheck.report import summary  # in no run of other projects

        header = run.results.run
        terminal.line(summary.subject(header))
        for line in summary.lines(run.results, run.beside):
            terminal.line(line)
        if not run.results.decided:
            terminal.line("nothing was decided", red=True)
        terminal.line(run.problem or f"results: {run.settings.results}", red=bool(run.problem))
