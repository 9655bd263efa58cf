"""SIGTERM and SIGHUP end a run as Ctrl-C does, also in its workers; and a run ends where its model leaves threads."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from vlcheck.endings import Interrupts, Stopped, despite_threads


class Signals:
    """Of the main process of a run; a worker is told by it."""

    def __init__(self, config: pytest.Config) -> None:
        self._held = Interrupts()
        self._workers: set[int] = set()
        config.add_cleanup(self._held.close)  # after temporary folders are gone

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        self._held.mute()
        if isinstance(excinfo.value, Stopped):  # of Ctrl-C a terminal tells all of them
            for pid in self._workers:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGINT)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodeready(self, node: Any) -> None:
        if node.gateway.spec.popen:  # a process of this machine
            self._workers.add(node.workerinfo["pid"])

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self._workers.discard(getattr(node, "workerinfo", {}).get("pid"))


def end_with(config: pytest.Config, status: int) -> None:
    """End the process with the run's status whatever threads there are, where pytest is what it runs.

    A program that calls `pytest.main` goes on after it, and a run inside another run is none of the process's business.
    """
    program = Path(sys.argv[0])
    is_pytest = program.stem in ("pytest", "py.test") or program.parent.name == "pytest"
    if hasattr(config, "workerinput") or (is_pytest and [*config.invocation_params.args] == sys.argv[1:]):
        despite_threads(status)
