"""The tests of a folder, collected by pytest but not run, with the settings of its ini file and fixtures."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import NamedTuple

import pytest

from vlcheck.behaviors.suite import BehaviorTest, demand_sound
from vlcheck.errors import UsageError
from vlcheck.plugin.mark import all_stated, hold_apart
from vlcheck.plugin.run import RUN, Run

_FROM_OUTSIDE = ("PYTEST_ADDOPTS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD")  # vlcheck itself is a plugin that pytest finds
_MOST_SAID = 20  # lines of pytest's output


class Collected(NamedTuple):
    """The behavior tests of a folder.

    Attributes:
        tests: all of them, without the selection of PYTEST_ADDOPTS or an ini file.
        run: the run that pytest prepared, with its policy and lexicons.
    """

    tests: tuple[BehaviorTest, ...]
    run: Run


def collect(suite: Path) -> Collected:
    """Let pytest collect the behavior tests of a folder.

    Raises:
        UsageError: the folder cannot be collected, holds no such test, or one whose statement cannot be judged.
    """
    collector = _Collector()
    # No data: all tests, and not those alone that an ini file's data has cases for.
    # The current folder must not decide which conftest.py, and so which fixtures, apply to a suite elsewhere.
    cut = f"--confcutdir={suite.resolve().anchor}"
    # pytest warns about modules that are imported already and so cannot be rewritten; it must not end as an error.
    quiet = ["-p", "no:terminal", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    with _no_options_from_outside(), redirect_stderr(io.StringIO()) as complained:
        status = pytest.main(["--collect-only", "-o", "addopts=", "--vl-data=", cut, *quiet, str(suite)], [collector])
    if not collector.found or not collector.found.tests:
        why = [*collector.failed, *(line for line in complained.getvalue().splitlines() if line)]
        raise UsageError(
            f"{suite}: no test there states a behavior (pytest's exit status {int(status)}).", *why[:_MOST_SAID]
        )
    demand_sound(collector.found.tests)
    return collector.found


@contextmanager
def _no_options_from_outside() -> Iterator[None]:
    said = {name: os.environ.pop(name) for name in _FROM_OUTSIDE if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(said)


class _Collector:
    def __init__(self) -> None:
        self.found: Collected | None = None
        self.failed: list[str] = []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            said = report.longreprtext.strip().splitlines()
            why = [line for line in said if line.startswith("E ")] or said
            self.failed.append(f"{report.nodeid}: {why[-1].removeprefix('E').strip()}")

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        hold_apart(session.items)
        self.found = Collected(tuple(all_stated(session.items)), session.config.stash[RUN])
