"""The command `vlcheck board`: many runs on one page, side by side where they can be compared."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from vlcheck._util.files import begins, demand_place, followed
from vlcheck.cli.console import TO, say
from vlcheck.errors import UsageError
from vlcheck.report.board import BOARD_START, BoardNames, PageLinks, board_view, gather_runs, stream_board
from vlcheck.report.page import demand_page_suffix, write_page


def board(
    results: Annotated[list[Path], typer.Argument(help="results of runs: of many models, and of many dates of each")],
    to: Annotated[Path, typer.Option(help="the file of the board")] = Path("board.html"),
    pages: Annotated[
        str | None,
        typer.Option(
            help="where each run's page is: a path or an address with {name} or {folder} of its results file, or"
            " {run_id}; by default beside the results, with the suffix .html"
        ),
    ] = None,
    same_model: Annotated[
        list[str] | None,
        typer.Option(help="NAME=PATTERN: models whose specs fit the pattern are one row; repeat it for several"),
    ] = None,
    same_data: Annotated[
        list[str] | None,
        typer.Option(help="NAME=PATTERN: data whose specs fit the pattern are the same; repeat it for several"),
    ] = None,
) -> None:
    """Draw models by biases and metrics, with a line over the dates of each; exit with 1 if a file is left out."""
    if same := next((path for path in results if followed(path) == followed(to)), None):
        raise UsageError(f"{TO} {to}: is a results file, {same}; name another file.")
    demand_place(to, TO, "board", is_ours=lambda there: begins(there, BOARD_START.encode()))
    demand_page_suffix(to, TO)
    names = BoardNames.read(same_model or (), same_data or ())
    found = gather_runs(results, PageLinks(to, pages), names)
    view = board_view(found)
    write_page(to, stream_board(view), TO)
    for reason in found.left_out:
        say(f"left out: {reason}", error=True)
    for line in (f"board: {to}, {view.sentence}", *view.notes):
        say(line)
    if found.left_out:
        sys.exit(1)
