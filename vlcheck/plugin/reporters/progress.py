"""The progress of scoring on the terminal."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vlcheck.plugin.reporters.lines import print_own_line, say_over

if TYPE_CHECKING:
    from vlcheck.scoring.progress import Progress

_SECONDS_BETWEEN_LINES = 10.0


class Reporter:
    """Prints to the terminal; a worker, whose terminal nobody sees, writes to files that the controller prints.

    Args:
        config: pytest's configuration of the process.
        folder: a folder that the run's processes share.
    """

    def __init__(self, config: pytest.Config, folder: Path) -> None:
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        self._terminal: pytest.TerminalReporter | None = None if hasattr(config, "workerinput") else reporter
        self._left = folder / "progress"
        self._announced = folder / "announced"
        self._last = 0.0

    def show(self, progress: Progress) -> None:
        """Print the progress of scoring."""
        line = f"scoring: {progress.said}"
        if self._terminal:
            self._post(self._terminal, line, last=progress.done == progress.total)
        else:
            _leave(self._left, line)

    def announce(self, lines: Sequence[str]) -> None:
        """Print lines that are the same in each worker: the controller prints them once."""
        if self._terminal:
            self.say(lines)
        else:
            _leave(self._announced, "\n".join(lines))

    def watch(self, stop: threading.Event) -> None:
        """Print the lines of workers until told to stop."""
        shown = announced = ""
        while self._terminal:
            over = stop.wait(1.0)
            if not announced and (announced := _left_in(self._announced)):
                self.say(announced.splitlines())
            line = _left_in(self._left)
            if line != shown and not over:
                shown = line
                self._post(self._terminal, line)
            if over:
                return

    def say(self, lines: Iterable[str]) -> None:
        """Print lines, if there is a terminal."""
        for line in lines:
            if self._terminal:
                print_own_line(self._terminal, line)

    def _post(self, terminal: pytest.TerminalReporter, line: str, *, last: bool = False) -> None:
        """Print over the line before; if the output is a file, print below it, at most every ten seconds."""
        if terminal.isatty:
            say_over(terminal, line)
            if last:
                print_own_line(terminal, "")
        elif last or time.monotonic() - self._last >= _SECONDS_BETWEEN_LINES:
            self._last = time.monotonic()
            print_own_line(terminal, line)


def _leave(path: Path, text: str) -> None:
    """Write a worker's text for the controller."""
    draft = path.with_suffix(f".{os.getpid()}")
    with suppress(OSError):  # e.g. disk full: scoring goes on without progress
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)


def _left_in(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
