"""The command `vlcheck gate`: whether a release may rely on a run's results."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from vlcheck._util.numbers import counted
from vlcheck.cli.console import say
from vlcheck.errors import printable
from vlcheck.results import run_id
from vlcheck.results.gate import named_run, read_run, refusals
from vlcheck.results.records import RunRecord


def gate(
    results: Annotated[Path, typer.Argument(help="the results file of a run, e.g. vlcheck-results.jsonl")],
    run: Annotated[
        str | None, typer.Option("--run-id", "--vl-run-id", help="id of the run; by default the CI server's")
    ] = None,
    part: Annotated[
        bool, typer.Option("--part", help="accept a run of a part of the suite, e.g. of pytest -k color")
    ] = False,
) -> None:
    """Accept the results of one whole run that ended normally without a fail; exit with 1 if not accepted."""
    named = run_id.of_ci(os.environ) if run is None else run_id.checked(run, "--run-id")
    found = read_run(results)
    reasons = list(refusals(results, found, run_id=named, part=part))
    if reasons:
        say(f"not accepted: {results}")
        for reason in reasons:
            say(f"  {reason}")
        sys.exit(1)
    say(
        f"accepted: {results}: {named_run(found.run)}, {counted(len(found.verdicts), 'verdict')} on {_subject(found.run)}"
    )


def _subject(run: RunRecord) -> str:
    return printable(f"{run.name}, asked about {run.data}")
