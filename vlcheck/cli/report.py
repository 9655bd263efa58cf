"""The command `vlcheck report`: the reviewer page, drawn again from a results file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlcheck.cli.console import TO, say
from vlcheck.errors import UsageError
from vlcheck.report import page
from vlcheck.results import comparison
from vlcheck.results.file import ResultLines, read, read_beside


def report(
    results: Annotated[Path, typer.Argument(help="results of a run")],
    to: Annotated[
        Path | None, typer.Option(help="the file of the page; by default beside the results, with the suffix .html")
    ] = None,
    baseline: Annotated[Path | None, typer.Option(help="results of the previous release, on the same data")] = None,
    beside: Annotated[
        Path | None, typer.Option(help="results of a control, e.g. of a model that sees no picture, on the same data")
    ] = None,
) -> None:
    """Draw the reviewer page: which biases the model has, and the pictures that prove it."""
    run = comparison.read_compared(results) if baseline else read(results)
    place = to or results.with_suffix(".html")
    page.check_page_path(place, {"RESULTS": results, "--baseline": baseline, "--beside": beside}, TO)
    control = read_beside(beside, run.run.data, "--beside") if beside else None
    compared = comparison.compare_run(_before(baseline), run) if baseline else None
    page.write_page(place, page.stream(run, source=results.name, beside=control, comparison=compared), TO)
    say(f"report: {place}")


def _before(path: Path) -> ResultLines:
    try:
        return comparison.read_compared(path)
    except UsageError as error:
        raise UsageError(f"--baseline {error.marked}") from error
