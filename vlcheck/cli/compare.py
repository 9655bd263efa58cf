"""The command `vlcheck compare`: whether a release is worse than the one before."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from vlcheck._util.numbers import brief
from vlcheck.cli.console import say
from vlcheck.errors import UsageError
from vlcheck.report.text.comparison import comparison_lines
from vlcheck.results import comparison


def compare(
    old: Annotated[Path, typer.Argument(help="results of the current release")],
    new: Annotated[Path, typer.Argument(help="results of the next release, on the same data")],
    alpha: Annotated[float, typer.Option(help="how often equal models may be said to differ")] = comparison.ALPHA,
) -> None:
    """Compare two results files case by case; exit with 1 if something is worse, or nothing can be compared."""
    if not 0 < alpha < 1:
        raise UsageError(f"--alpha {brief(alpha)}: has to be above 0 and below 1.")
    found = comparison.compare_runs(comparison.read_compared(old), comparison.read_compared(new), alpha)
    for line in comparison_lines(found):
        say(line)
    if not found.accepted:
        sys.exit(1)
