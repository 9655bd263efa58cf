"""What a suite states, without running it."""

from __future__ import annotations

from pathlib import Path

import pytest

from vlcheck.errors import UsageError
from vlcheck.plugin.foresight import Chosen
from vlcheck.plugin.mark import all_stated


def collect(suite: Path) -> Chosen:
    """The tests of a folder that state a behavior. Raises UsageError where it cannot be collected or holds none."""
    collector = _Collector()
    # pytest cannot rewrite what this process has imported already; where warnings are errors, that would end it.
    quiet = ["-p", "no:terminal", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    status = pytest.main(["--collect-only", *quiet, str(suite)], [collector])
    if not collector.chosen:
        raise UsageError(f"{suite}: no test there states a behavior (pytest's exit status {int(status)}).")
    return collector.chosen


class _Collector:
    chosen: Chosen = ()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.chosen = all_stated(session.items)
