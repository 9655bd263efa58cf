"""SIGTERM and SIGHUP end a run as Ctrl-C does, also in its workers; and a run ends where its model leaves threads."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import pytest

from vlcheck._util.process_end import Interrupts, Stopped, despite_threads, follow
from vlcheck.plugin.run import RUN, Run


class Signals:
    """Of the main process of a run, which passes the signal on to its workers."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._held = Interrupts()
        run.config.add_cleanup(self._held.close)  # after temporary folders are gone

    @pytest.hookimpl(tryfirst=True)  # that of pytest's terminal takes longer than a second signal
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        self._held.mute()
        if isinstance(excinfo.value, Stopped):  # of Ctrl-C a terminal tells all processes
            with suppress(OSError):
                _stop(self._run).touch()


def follow_controller(run: Run, controller: int) -> None:
    """End a worker with its controller, at a signal or at its death."""
    follow(controller, _stop(run))


def _stop(run: Run) -> Path:
    """The file by which a controller asks its workers to end."""
    return run.folder / "stop"


def end_with(config: pytest.Config, status: int) -> None:
    """End the process with the run's status whatever threads its model left, where pytest is what it runs.

    A program that calls `pytest.main` goes on after it, and a run inside another run is none of the process's business.
    """
    if RUN not in config.stash or not config.stash[RUN].settings.model:
        return
    program = Path(sys.argv[0])
    is_pytest = program.stem in ("pytest", "py.test") or program.parent.name == "pytest"
    if hasattr(config, "workerinput") or (is_pytest and [*config.invocation_params.args] == sys.argv[1:]):
        despite_threads(int(status))
