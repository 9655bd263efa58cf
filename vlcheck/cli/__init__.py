"""The command line, for everything that is not a test run."""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated

import typer

from vlcheck import __version__
from vlcheck.cli.console import say
from vlcheck.cli.group import PLAIN, Program


class VLCheck(Program):
    """The program `vlcheck`, with the places of its commands; a group's place is that of its Typer."""

    places = MappingProxyType(
        {
            "init": "vlcheck.cli.init:init",
            "cases": "vlcheck.cli.cases:cases",
            "plan": "vlcheck.cli.cases:plan",
            "compare": "vlcheck.cli.compare:compare",
            "parity": "vlcheck.cli.parity:parity",
            "gate": "vlcheck.cli.gate:gate",
            "audit": "vlcheck.cli.audit:audit",
            "look": "vlcheck.cli.look:look",
            "words": "vlcheck.cli.words:words",
            "card": "vlcheck.cli.card:card",
            "report": "vlcheck.cli.report:report",
            "board": "vlcheck.cli.board:board",
            "export": "vlcheck.cli.export:app",
            "store": "vlcheck.cli.store:app",
            "merge": "vlcheck.cli.merge:merge",
            "train": "vlcheck.cli.train:train",
            "models": "vlcheck.cli.models:app",
            "policy": "vlcheck.cli.policy:app",
            "zoo": "vlcheck.cli.zoo:app",
            "explain": "vlcheck.cli.explain:app",
        }
    )


app = typer.Typer(cls=VLCheck, **PLAIN)


def _tell_version(wanted: bool) -> None:
    if wanted:
        say(f"vlcheck {__version__}")
        raise typer.Exit


@app.callback()
def vlcheck(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_tell_version, help="Say which vlcheck this is.")
    ] = False,
) -> None:
    """Behavioural tests for vision-language models: `vlcheck init` writes them, `pytest behavior_tests` runs them."""
