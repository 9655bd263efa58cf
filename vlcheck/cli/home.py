"""`~` in options: a shell leaves it as it is in --to=~/file."""

from __future__ import annotations

import re

from vlcheck._util.paths import expanded

_AT_HOME = re.compile(r"(--[\w-]+)=(~.*)", re.DOTALL)


def expanded_home(argument: str) -> str:
    """Return what was typed with the home folder in place of an option's `~`. Raises UsageError."""
    option = _AT_HOME.fullmatch(argument)
    return f"{option[1]}={expanded(option[2], option[1])}" if option else argument
