"""`~` in options: a shell does not expand it in --to=~/file."""

from __future__ import annotations

import re

from vlcheck._util.paths import expanded

_AT_HOME = re.compile(r"(--[\w-]+)=(~.*)", re.DOTALL)


def expanded_home(argument: str) -> str:
    """Return an argument with the home folder in place of an option's `~`. Raises UsageError if there is none."""
    option = _AT_HOME.fullmatch(argument)
    return f"{option[1]}={expanded(option[2], option[1])}" if option else argument
