"""A section of a model's card, from a run's results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vlcheck._util.files import demand_place
from vlcheck.cli.console import TO, say, say_all, write
from vlcheck.report.markdown.model_card import card as section
from vlcheck.results.file import read_judged


def card(
    results: Annotated[Path, typer.Argument(help="what a run wrote, e.g. vlcheck-results.jsonl")],
    to: Annotated[Path | None, typer.Option(help="write it to this file, which must not be there yet")] = None,
) -> None:
    """Write a model card's section, headed by the hub's model-index: what was asked, what fails, and the limits."""
    if to:
        demand_place(to, TO, "card")
    text = section(read_judged(results))
    if to:
        write(to, text.encode())
        say(f"card: {to}")
    else:
        say_all(text)
