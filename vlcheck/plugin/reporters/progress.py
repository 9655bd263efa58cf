"""Says on the terminal how far the scoring is."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vlcheck.plugin.reporters.lines import say, say_over

if TYPE_CHECKING:
    from vlcheck.scoring.progress import Progress

_SECONDS_BETWEEN_LINES = 10.0


class Reporter:
    """Writes to the terminal; in a worker, which has none, leaves the line for the controller to write.

    Args:
        config: of the process.
        folder: what the run's processes share.
    """

    def __init__(self, config: pytest.Config, folder: Path) -> None:
        self._terminal: pytest.TerminalReporter | None = config.pluginmanager.get_plugin("terminalreporter")
        self._left = folder / "progress"
        self._last = 0.0

    def show(self, progress: Progress) -> None:
        """Say how far the scoring is."""
        line = f"scoring: {progress.said}"
        if self._terminal:
            self._post(self._terminal, line, last=progress.done == progress.total)
        else:
            draft = self._left.with_suffix(f".{os.getpid()}")
            with suppress(OSError):  # no room: what cannot be shown must not end what is scored
                draft.write_text(line, encoding="utf-8")
                draft.replace(self._left)

    def watch(self, stop: threading.Event) -> None:
        """Post what workers leave, until told to stop."""
        shown = ""
        while self._terminal and not stop.wait(1.0):
            line = self._left.read_text(encoding="utf-8") if self._left.exists() else ""
            if line != shown:
                shown = line
                self._post(self._terminal, line)

    def say(self, lines: Iterable[str]) -> None:
        """Write lines below one another, where there is a terminal."""
        for line in lines:
            if self._terminal:
                say(self._terminal, line)

    def _post(self, terminal: pytest.TerminalReporter, line: str, *, last: bool = False) -> None:
        """Write over the line before; below it, and not too often, where the output is a file."""
        if terminal.isatty:
            say_over(terminal, line)
            if last:
                say(terminal, "")
        elif last or time.monotonic() - self._last >= _SECONDS_BETWEEN_LINES:
            self._last = time.monotonic()
            say(terminal, line)
