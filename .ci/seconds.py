"""A plugin of pytest (`PYTHONPATH=.ci pytest -p seconds`): the CPU seconds of each file's tests, children included."""

import os
import sys
from collections import Counter
from collections.abc import Iterator

import pytest

MOST = 25  # lines


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Keep what a phase of a test took since the phase before; xdist sends it along."""
    report = yield
    report.cpu_seconds = _spent()
    return report


class Clock:
    """Counts from one call to the next."""

    def __init__(self) -> None:
        self.before = 0.0

    def __call__(self) -> float:
        now = sum(os.times()[:4]) + _of_warm_python()
        spent, self.before = now - self.before, now
        return spent


def _of_warm_python() -> float:
    """Return what the tests' forks of a server took, which are no children of this process."""
    module = sys.modules.get("tests.warm_python")
    return module.spent() if module else 0.0


_spent = Clock()


def pytest_collection_finish() -> None:
    """Leave what imports and collection took to nobody."""
    _spent()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the dearest files and tests."""
    reports = [report for found in terminalreporter.stats.values() for report in found if hasattr(report, "when")]
    files, tests = Counter(), Counter()
    for report in (*reports, *_quiet):
        files[report.nodeid.split("::")[0]] += report.cpu_seconds
        tests[report.nodeid] += report.cpu_seconds
    terminalreporter.write_line(f"{sum(files.values()):.0f} CPU seconds")
    for seconds in (files, tests):
        terminalreporter.section("CPU seconds")
        for name, spent in seconds.most_common(MOST):
            terminalreporter.write_line(f"{spent:8.1f} {name}")


_quiet: list[pytest.TestReport] = []
