"""What becomes of the results where another plugin fails at the run's end, e.g. as its own report cannot be written."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from vlcheck.plugin.run import Run


class Rescue:
    """Writes the results all the same; they say that the run did not end well."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        try:
            return (yield)
        except BaseException:
            session.exitstatus = session.exitstatus or pytest.ExitCode.INTERNAL_ERROR
            self._run.finish(session)
            raise
