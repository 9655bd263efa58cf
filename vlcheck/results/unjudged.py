"""The selected tests of a run that have no verdict: whose they are, and why."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from vlcheck._util.numbers import counted
from vlcheck.metrics.registry import METRICS
from vlcheck.results.file import ResultLines
from vlcheck.results.records import RunRecord
from vlcheck.suite.shipped import BIASES

_ENDED = (0, 1)  # exit statuses of a run whose tests have all had their turn


class Unjudged(NamedTuple):
    """A selected test that has no verdict; "" where its bias or metric is not known."""

    bias: str
    metric: str


def unjudged(results: ResultLines) -> list[Unjudged]:
    """The selected tests that have no verdict; of results that do not say whose they are, as far as names tell."""
    biases = {_file(test): verdict.bias for (test, _, _), verdict in results.verdicts.items()}
    stated = {test: Unjudged(one.bias, one.metric) for test, one in results.run.stated.items()}
    return [stated.get(test) or _by_name(test, biases) for test in results.run.unjudged]


def incomplete(results: ResultLines) -> str:
    """Return how many of a run's tests have no verdict, as a sentence; "" where all have one."""
    lacking = results.run.unjudged
    if not lacking:
        return ""
    tests = {test for test, _, _ in results.verdicts}.union(lacking)
    word = "Incomplete" if is_ended(results.run) else "Stopped"
    return f"{word}: {len(lacking):,} of {counted(len(tests), 'test')} {has(len(lacking))} no verdict."


def is_ended(run: RunRecord) -> bool:
    """Whether a run went on to its end, whatever came of its tests."""
    return run.exit_status in _ENDED


def has(count: int) -> str:
    """1 has, 2 have."""
    return "has" if count == 1 else "have"


def _by_name(test: str, biases: Mapping[str, str]) -> Unjudged:
    """Tell a test's bias by its file, and its metric by its parameters. `biases` are those of files."""
    name = PurePosixPath(_file(test)).stem.removeprefix("test_")
    parameters = test.partition("[")[2].rstrip("]").split("-")
    metric = next((metric for metric in METRICS if metric in parameters), "")
    return Unjudged(biases.get(_file(test), name if name in BIASES else ""), metric)


def _file(test: str) -> str:
    return test.partition("::")[0]
