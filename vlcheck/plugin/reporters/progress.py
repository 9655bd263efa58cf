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

from vlcheck.plugin.reporters.lines import begin_line, print_own_line, say_over
from vlcheck.scoring.progress import RunningCount

if TYPE_CHECKING:
    from vlcheck.scoring.progress import Progress

_SECONDS_BETWEEN_LINES = 10.0
_SECONDS_BETWEEN_LOOKS = 0.2  # at the files of workers


class Reporter:
    """Prints to the terminal; a worker, whose terminal nobody sees, writes to files that the controller prints.

    On a terminal the progress is one line, which is written over. A file gets a line now and then, at once if scoring
    will take long, and one at the end.

    Args:
        config: pytest's configuration of the process.
        folder: a folder that the run's processes share.
    """

    def __init__(self, config: pytest.Config, folder: Path) -> None:
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        self._terminal: pytest.TerminalReporter | None = None if hasattr(config, "workerinput") else reporter
        self._left = folder / "progress"
        self._ended = folder / "scored"
        self._announced = folder / "announced"
        self._count = RunningCount()
        self._line = self._printed = ""
        self._last: float | None = None  # when a line was printed, or scoring began

    def show(self, progress: Progress) -> None:
        """Print the progress of scoring, in one count over all plans."""
        so_far = self._count(progress)
        self._line = f"scoring: {so_far.said}"
        if self._terminal:
            takes_long = not self._printed and so_far.left >= _SECONDS_BETWEEN_LINES
            self._post(self._terminal, self._line, at_once=takes_long)
        else:
            _leave(self._left, self._line)

    def end(self) -> None:
        """Print the last progress of scoring, if there was anything to score."""
        if self._terminal:
            self._finish(self._terminal, self._line)
        elif self._line:
            _leave(self._ended, self._line)

    def announce(self, lines: Sequence[str]) -> None:
        """Print lines that are the same in each worker: the controller prints them once."""
        if self._terminal:
            self.say(lines)
        else:
            _leave(self._announced, "\n".join(lines))

    def watch(self, stop: threading.Event) -> None:
        """Print the lines of workers until told to stop."""
        announced = ended = shown = ""
        while self._terminal:
            over = stop.wait(_SECONDS_BETWEEN_LOOKS)
            if not announced and (announced := _left_in(self._announced)):
                self.say(announced.splitlines())
            if not ended and (ended := _left_in(self._ended)):
                self._finish(self._terminal, ended)
            line = _left_in(self._left)
            if line != shown and not ended and not over:
                shown = line
                self._post(self._terminal, line)
            if over:
                return

    def say(self, lines: Iterable[str]) -> None:
        """Print lines, if there is a terminal."""
        for line in lines:
            if self._terminal:
                print_own_line(self._terminal, line)

    def _post(self, terminal: pytest.TerminalReporter, line: str, *, at_once: bool = False) -> None:
        """Print over the line before; if the output is a file, print below it, at most every ten seconds."""
        now = time.monotonic()
        self._last = now if self._last is None else self._last
        if terminal.isatty:
            say_over(terminal, line)
        elif at_once or now - self._last >= _SECONDS_BETWEEN_LINES:
            self._last, self._printed = now, line
            print_own_line(terminal, line)

    def _finish(self, terminal: pytest.TerminalReporter, line: str) -> None:
        """End the line of the progress on a terminal; in a file, print the last progress unless it was printed."""
        if terminal.isatty:
            begin_line(terminal)
        elif line != self._printed:
            print_own_line(terminal, line)


def _leave(path: Path, text: str) -> None:
    """Write a worker's text for the controller."""
    draft = path.with_suffix(f".{os.getpid()}")
    with suppress(OSError):  # e.g. disk full: scoring goes on without progress
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)


def _left_in(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
