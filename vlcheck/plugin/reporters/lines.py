"""All that the plugin prints: what comes from anywhere steers neither a terminal nor a CI's runner."""

from __future__ import annotations

import pytest

from vlcheck.errors import printable

_LONGEST = 5_000


def shown(line: str) -> str:
    """A line without control characters, and without commands to a CI's runner."""
    return printable(line, _LONGEST)


def say(terminal: pytest.TerminalReporter, line: str, **markup: bool) -> None:
    """Write a line below what is there."""
    terminal.ensure_newline()
    terminal.line(shown(line), **markup)


def say_over(terminal: pytest.TerminalReporter, line: str) -> None:
    """Write a line over the one before."""
    terminal.rewrite(shown(line), erase=True)
