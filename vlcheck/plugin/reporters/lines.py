"""Printing: all text that the plugin prints is made harmless for a terminal and for a CI's runner."""

from __future__ import annotations

import pytest

from vlcheck.errors import printable

_LONGEST = 5_000


def shown(line: str) -> str:
    """Return a line without control characters, and without commands to a CI's runner."""
    return printable(line, _LONGEST)


def print_own_line(terminal: pytest.TerminalReporter, line: str, **markup: bool) -> None:
    """Print a line on a line of its own.

    Args:
        terminal: pytest's terminal reporter.
        line: the text.
        markup: colors and styles of pytest's terminal, e.g. red=True.
    """
    terminal.ensure_newline()
    terminal.line(shown(line), **markup)


def say_over(terminal: pytest.TerminalReporter, line: str) -> None:
    """Print a line over the one before.

    Args:
        terminal: pytest's terminal reporter.
        line: the text.
    """
    terminal.rewrite(shown(line), erase=True)
