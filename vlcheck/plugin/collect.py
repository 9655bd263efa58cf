"""What a suite states, without running it."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path

import pytest

from vlcheck.errors import UsageError
from vlcheck.evaluation.preview import Chosen
from vlcheck.plugin.mark import all_stated, amiss, hold_apart

_FROM_OUTSIDE = ("PYTEST_ADDOPTS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD")  # vlcheck itself is a plugin that pytest finds
_MOST_SAID = 20  # lines of pytest's own


def collect(suite: Path) -> Chosen:
    """The tests of a folder that state a behavior: all of them, whatever PYTEST_ADDOPTS or an ini file would select.

    Raises:
        UsageError: where the folder cannot be collected, holds no such test, or one that states what cannot be judged.
    """
    collector = _Collector()
    # Where it is called from must not decide which conftest.py, and so which fixtures, a suite elsewhere has.
    cut = f"--confcutdir={suite.resolve().anchor}"
    # pytest cannot rewrite what this process has imported already; where warnings are errors, that would end it.
    quiet = ["-p", "no:terminal", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    with _no_options_from_outside(), redirect_stderr(io.StringIO()) as complained:
        status = pytest.main(["--collect-only", "-o", "addopts=", cut, *quiet, str(suite)], [collector])
    if not collector.chosen:
        why = [line for line in complained.getvalue().splitlines() if line]
        raise UsageError(
            f"{suite}: no test there states a behavior (pytest's exit status {int(status)}).", *why[:_MOST_SAID]
        )
    hold_apart(collector.chosen)
    for item, _ in collector.chosen:
        if wrong := amiss(item):
            raise UsageError(f"{item.nodeid}: {wrong}")
    return collector.chosen


@contextmanager
def _no_options_from_outside() -> Iterator[None]:
    said = {name: os.environ.pop(name) for name in _FROM_OUTSIDE if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(said)


class _Collector:
    chosen: Chosen = ()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.chosen = all_stated(session.items)
