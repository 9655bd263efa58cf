"""SIGTERM and SIGHUP end a run and its workers as Ctrl-C does, even if the model left threads running."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import pytest

from vlcheck._util.process_end import Interrupts, Stopped, despite_threads, follow
from vlcheck.plugin.run import RUN, Run


class Signals:
    """Handles signals in the main process of a run, and passes them on to its workers."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._held = Interrupts()
        run.config.add_cleanup(self._held.close)  # called after temporary folders are deleted

    @pytest.hookimpl(tryfirst=True)  # before pytest's terminal reporter, which takes longer than a second signal
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        self._held.mute()
        if isinstance(excinfo.value, Stopped):  # Ctrl-C reaches all processes from the terminal
            with suppress(OSError):
                _stop(self._run).touch()


def follow_controller(run: Run, controller: int) -> None:
    """End a worker when its controller gets a signal or dies.

    Args:
        run: the worker's run.
        controller: process id.
    """
    follow(controller, _stop(run))


def _stop(run: Run) -> Path:
    """Return the file whose existence tells workers to end."""
    return run.process.folder / "stop"


def end_with(config: pytest.Config, status: int) -> None:
    """End the process with the run's exit status, even if the model left threads, provided that pytest is the program.

    A program that calls `pytest.main` goes on after it, and a run inside another run must not end the process.

    Args:
        config: pytest's configuration of the run.
        status: the exit status.
    """
    if RUN not in config.stash or not config.stash[RUN].settings.model:
        return
    program = Path(sys.argv[0])
    is_pytest = program.stem in ("pytest", "py.test") or program.parent.name == "pytest"
    if hasattr(config, "workerinput") or (is_pytest and [*config.invocation_params.args] == sys.argv[1:]):
        despite_threads(int(status))
