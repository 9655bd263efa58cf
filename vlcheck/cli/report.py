"""The command `vlcheck report`: the reviewer page, drawn again from a results file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from vlcheck.cli.console import TO, say
from vlcheck.errors import UsageError
from vlcheck.report import page, table
from vlcheck.results import comparison
from vlcheck.results.file import ResultLines, read, read_beside


def report(
    results: Annotated[Path, typer.Argument(help="results of a run")],
    to: Annotated[
        Path | None,
        typer.Option(
            help="the file of the page; by default beside the results, with the suffix .html. One that ends in .csv or"
            " .parquet gets the verdicts as a table"
        ),
    ] = None,
    baseline: Annotated[Path | None, typer.Option(help="results of the previous release, on the same data")] = None,
    beside: Annotated[
        Path | None, typer.Option(help="results of a control, e.g. of a model that sees no picture, on the same data")
    ] = None,
) -> None:
    """Draw the reviewer page: which biases the model has, and the pictures that prove it; or write a table."""
    ending = to.suffix.lower() if to else page.PAGE_SUFFIXES[0]
    if to and ending in table.FORMATS:
        _demand_no_others({"--baseline": baseline, "--beside": beside}, to)
        place = _write_table(results, to)
    elif ending not in page.PAGE_SUFFIXES:
        pages, tables = (" or ".join(suffixes) for suffixes in (page.PAGE_SUFFIXES, table.FORMATS))
        raise UsageError(f"{TO} {to}: has to end in {pages} for the page, or in {tables} for the table of verdicts.")
    else:
        place = _write_page(results, to, baseline, beside)
    say(f"report: {place}")


def _write_page(results: Path, to: Path | None, baseline: Path | None, beside: Path | None) -> Path:
    run = comparison.read_compared(results) if baseline else read(results)
    place = to or results.with_suffix(page.PAGE_SUFFIXES[0])
    page.check_page_path(place, {"RESULTS": results, "--baseline": baseline, "--beside": beside}, TO)
    control = read_beside(beside, run.run.data, "--beside") if beside else None
    compared = comparison.compare_run(_before(baseline), run) if baseline else None
    page.write_page(place, page.stream(run, source=results.name, beside=control, comparison=compared), TO)
    return place


def _write_table(results: Path, place: Path) -> Path:
    run = read(results)
    table.check_table_path(place, {"RESULTS": results}, TO)
    table.write_table(place, run, TO)
    return place


def _demand_no_others(others: Mapping[str, Path | None], place: Path) -> None:
    """Raise UsageError if an option is given that is of the page alone."""
    for option, path in others.items():
        if path:
            raise UsageError(f"{option} {path}: is shown on a page; a table, as --to {place}, is of one run.")


def _before(path: Path) -> ResultLines:
    try:
        return comparison.read_compared(path)
    except UsageError as error:
        raise UsageError(f"--baseline {error.marked}") from error
