"""`~` in options: a shell leaves it as it is in --to=~/file."""

from __future__ import annotations

import re
from typing import Any

from typer.core import TyperGroup

from vlcheck.cli.speech import plainly
from vlcheck.paths import expanded

_AT_HOME = re.compile(r"(--[\w-]+)=(~.*)", re.DOTALL)


class AtHome(TyperGroup):
    """Commands whose options may name a path below the home folder, as those of pytest may."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        with plainly():
            return super().parse_args(ctx, [*map(_expanded, args)])


def _expanded(argument: str) -> str:
    option = _AT_HOME.fullmatch(argument)
    return f"{option[1]}={expanded(option[2], option[1])}" if option else argument
