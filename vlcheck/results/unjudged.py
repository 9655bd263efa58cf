"""The selected tests of a run that have no verdict."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from vlcheck._util.numbers import part_of, verb
from vlcheck.metrics.registry import METRICS
from vlcheck.results.file import ResultLines
from vlcheck.results.records import RunRecord
from vlcheck.suite.shipped import BIASES

_ENDED = (0, 1)  # exit statuses of a run in which every test was run


class Unjudged(NamedTuple):
    """A selected test without a verdict.

    Attributes:
        bias: its bias; "" if it is not known.
        metric: its metric; "" if it is not known.
    """

    bias: str
    metric: str


def unjudged(results: ResultLines) -> list[Unjudged]:
    """Return the selected tests without a verdict; for older files, bias and metric are inferred from their names."""
    biases = {_file(test): verdict.bias for (test, _, _), verdict in results.verdicts.items()}
    stated = {test: Unjudged(one.bias, one.metric) for test, one in results.run.stated.items()}
    return [stated.get(test) or _by_name(test, biases) for test in results.run.unjudged]


def incomplete(results: ResultLines) -> str:
    """Return a sentence with the number of tests without a verdict; "" if all have one."""
    lacking = results.run.unjudged
    if not lacking:
        return ""
    tests = {test for test, _, _ in results.verdicts}.union(lacking)
    word = "Incomplete" if is_ended(results.run) else "Stopped"
    return f"{word}: {part_of(len(lacking), len(tests), 'test')} {verb(len(lacking), 'has', 'have')} no verdict."


def is_ended(run: RunRecord) -> bool:
    """Return True if a run came to its end, whether its tests passed or failed."""
    return run.exit_status in _ENDED


def _by_name(test: str, biases: Mapping[str, str]) -> Unjudged:
    """Infer a test's bias from its file and its metric from its parameters; `biases` has the bias of each file."""
    name = PurePosixPath(_file(test)).stem.removeprefix("test_")
    parameters = test.partition("[")[2].rstrip("]")
    metric = next((metric for metric in METRICS if f"-{metric}-" in f"-{parameters}-"), "")
    return Unjudged(biases.get(_file(test), name if name in BIASES else ""), metric)


def _file(test: str) -> str:
    return test.partition("::")[0]


def asked_all(run: RunRecord) -> bool:
    """Return True if all tests of the suite have a verdict; a metric that the model does not have is no test."""
    return bool(run.complete) and not run.unjudged
