"""Printing: all text that the plugin prints is made harmless for a terminal and for a CI's runner."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from vlcheck.errors import printable

_LONGEST = 5_000


def shown(line: str) -> str:
    """Return a line without control characters, and without commands to a CI's runner."""
    return printable(line, _LONGEST)


def print_own_line(terminal: pytest.TerminalReporter, line: str, **markup: bool) -> None:
    """Print a line on a line of its own; on a terminal, wrapped to its width.

    Args:
        terminal: pytest's terminal reporter.
        line: the text.
        markup: colors and styles of pytest's terminal, e.g. red=True.
    """
    print_own_lines(terminal, [line], **markup)


def print_own_lines(terminal: pytest.TerminalReporter, lines: Iterable[str], **markup: bool) -> None:
    """Print lines on lines of their own; on a terminal, none is wider than it.

    Args:
        terminal: pytest's terminal reporter.
        lines: prose and tables.
        markup: colors and styles of pytest's terminal, e.g. red=True.
    """
    from vlcheck.report.text.fitting import fitted  # not imported in runs of other projects

    begin_line(terminal)
    for line in fitted(map(shown, lines), _width(terminal)):
        terminal.line(line, **markup)


def begin_line(terminal: pytest.TerminalReporter) -> None:
    """End a line that is not complete: the dots of tests, or a progress that was written over.

    Args:
        terminal: pytest's terminal reporter.
    """
    terminal.ensure_newline()
    if terminal.config.get_terminal_writer().width_of_current_line:  # dots of workers, of which pytest knows nothing
        terminal.line("")


def _width(terminal: pytest.TerminalReporter) -> int | None:
    """Return the width of the terminal; None for a file or a pipe."""
    return int(terminal.config.get_terminal_writer().fullwidth) if terminal.isatty else None


def say_over(terminal: pytest.TerminalReporter, line: str) -> None:
    """Print a line over the one before.

    Args:
        terminal: pytest's terminal reporter.
        line: the text.
    """
    terminal.rewrite(shown(line), erase=True)
