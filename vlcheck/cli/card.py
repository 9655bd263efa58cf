"""The command `vlcheck card`: a section of a model card, from a run's results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlcheck._util.addresses import checked_address
from vlcheck._util.files import demand_place
from vlcheck.cli.console import TO, say, say_all, write_file
from vlcheck.errors import UsageError
from vlcheck.report.markdown.model_card import card as section
from vlcheck.results.file import read_judged
from vlcheck.results.words import WordsRecord, read_words


def card(
    results: Annotated[Path, typer.Argument(help="the results file of a run, e.g. vlcheck-results.jsonl")],
    to: Annotated[Path | None, typer.Option(help="write it to this file, which must not exist yet")] = None,
    words: Annotated[
        Path | None, typer.Option(help="a file of `vlcheck words --to`: add what words alone tell")
    ] = None,
    page: Annotated[str, typer.Option(help="the address of the page for reviewers, to link to it")] = "",
) -> None:
    """Write a short section of a Hugging Face model card: the matrix, what fails, limits, a link, model-index."""
    address = checked_address(page, "--page") if page else ""
    if to:
        demand_place(to, TO, "card")
    text = section(read_judged(results), _told(words) if words else (), address)
    if to:
        write_file(to, text.encode())
        say(f"card: {to}")
    else:
        say_all(text)


def _told(path: Path) -> tuple[WordsRecord, ...]:
    try:
        return read_words(path)
    except UsageError as error:
        raise UsageError(f"--words {error.marked}") from error
