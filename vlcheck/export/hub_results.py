"""The hub's evaluation results: a file in `.eval_results/` of a model's repository, for the page of a benchmark.

The hub takes the score of a data set that it lists as a benchmark, with one of the tasks that the data set defines.
All other results belong into the card's `model-index`.

Source:
    https://huggingface.co/docs/hub/eval-results
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from vlcheck._util.addresses import checked_address
from vlcheck._util.numbers import between, counted, names_in_brief, rounded
from vlcheck._util.yaml_text import yaml_number, yaml_text
from vlcheck.errors import UsageError, nearest, printable
from vlcheck.results.asked import dataset_of, hub_dataset_of, scheme_of
from vlcheck.results.file import ResultLines
from vlcheck.results.records import RunRecord, VerdictRecord
from vlcheck.stats.decision import HOLLOW

_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_TASK = re.compile(r"[\w.-]+")
_MOST_NAMED = 8
_LONGEST = 500  # characters of the notes


@dataclass(frozen=True)
class Benchmark:
    """A data set that the hub lists as a benchmark, as the user names it.

    Attributes:
        id: the data set's id on the hub, e.g. "ORG/NAME".
        task: the id of the task, as the data set's eval.yaml has it.
    """

    id: str
    task: str

    def __post_init__(self) -> None:
        """Raise UsageError unless both are named, in the form that the hub gives them."""
        if not self.id:
            raise UsageError(
                "--benchmark: is missing. The hub shows evaluation results of data sets alone that it lists as"
                " benchmarks: name one, with its task (--benchmark ORG/NAME --task-id ID). For all others there is"
                " the model-index of `vlcheck card`."
            )
        if not _REPOSITORY.fullmatch(self.id):
            raise UsageError(f"--benchmark {self.id}: is no id of a data set; ORG/NAME is, as on the hub.")
        if not self.task:
            raise UsageError(f"--task-id: is missing. Name a task that the eval.yaml of {self.id} defines.")
        if not _TASK.fullmatch(self.task):
            raise UsageError(f"--task-id {self.task}: is no id of a task; the eval.yaml of {self.id} defines them.")


def score_of(results: ResultLines, test: str, metric: str) -> VerdictRecord:
    """Return the verdict whose figure is the score of a benchmark: the share of its images for which a test holds.

    Args:
        results: the results of the run.
        test: the test's name, with or without "test_"; "" if there is but one.
        metric: its metric; "" if the test has but one.

    Raises:
        UsageError: there is none, or more than one, or it has no score; the message names those that there are.
    """
    if results.run.sequential:
        raise UsageError("export hub: a sequential run stops when a verdict is decided: its rates are no scores.")
    verdicts = [*results.verdicts.values()]
    named = [one for one in verdicts if test in ("", one.behavior, one.behavior.removeprefix("test_"))]
    if not named:
        known = nearest(f"test_{test}", [one.behavior for one in verdicts])
        raise UsageError(f"--test {test}: there is no such test. {known}")
    found = [one for one in named if metric in ("", one.metric)]
    if not found:
        raise UsageError(f"--metric {metric}: {nearest(metric, [one.metric for one in named])}")
    if len(found) > 1:
        raise UsageError(f"--test, --metric: a task has one score, and there are several: {_named(found)}.")
    if why := _no_score(found[0]):
        raise UsageError(f"--test {found[0].behavior} --metric {found[0].metric}: {why}.")
    return found[0]


def demand_same_data(run: RunRecord, benchmark: Benchmark) -> None:
    """Raise UsageError if a run asked about other data than the benchmark's.

    Args:
        run: the run.
        benchmark: the benchmark, as the user names it.
    """
    if scheme_of(run) == "scenes":
        raise UsageError(f"--benchmark {benchmark.id}: the run asked about scenes, which vlcheck draws: no benchmark.")
    asked = hub_dataset_of(run)
    if asked and asked.lower() != benchmark.id.lower():
        raise UsageError(f"--benchmark {benchmark.id}: the run asked about {asked}.")


def unchecked(run: RunRecord, benchmark: Benchmark) -> Iterator[str]:
    """Yield what nobody checked, since only the hub knows it, or only the user.

    Args:
        run: the run.
        benchmark: the benchmark, as the user names it.
    """
    yield f"that the hub lists {benchmark.id} as a benchmark, and that its eval.yaml has the task {benchmark.task}"
    if not hub_dataset_of(run):
        yield f"that {dataset_of(run)}, which the run asked about, is that data set"


def hub_results(run: RunRecord, verdict: VerdictRecord, benchmark: Benchmark, source: str = "") -> str:
    """Return the text of the file.

    Args:
        run: the run.
        verdict: the verdict whose figure is the score.
        benchmark: the benchmark.
        source: the address of the page for reviewers; "" to link to none.
    """
    lines = ["- dataset:", f"    id: {yaml_text(benchmark.id)}", f"    task_id: {yaml_text(benchmark.task)}"]
    lines.append(f"  value: {yaml_number(_score(verdict))}")
    with suppress(ValueError):
        lines.append(f"  date: {yaml_text(datetime.fromisoformat(run.started).date().isoformat())}")
    if source:
        lines += ["  source:", f"    url: {yaml_text(checked_address(source, '--page'))}"]
        lines.append(f"    name: {yaml_text('vlcheck: each test with its interval and its pictures')}")
    lines.append(f"  notes: {yaml_text(printable(_notes(run, verdict), _LONGEST))}")
    return "".join(f"{line}\n" for line in lines)


def _score(verdict: VerdictRecord) -> float:
    """Return the share of images for which a test holds, in [0, 1]."""
    return rounded(1.0 - (verdict.rate or 0.0))


def _notes(run: RunRecord, verdict: VerdictRecord) -> str:
    low, high = verdict.interval
    bounds = f" ({between(1 - high, 1 - low)})" if low is not None and high is not None else ""
    share = f"share of {counted(verdict.n or 0, 'image')} for which {verdict.behavior} holds by {verdict.metric}"
    return f"vlcheck {run.versions.get('vlcheck', '')}: {share}{bounds}".replace(" :", ":")


def _no_score(verdict: VerdictRecord) -> str:
    """Return why a verdict has no figure that could be a score, or ""."""
    if verdict.status in HOLLOW:
        return f"is {verdict.status} ({verdict.reason}); a score needs a verdict that counts"
    if verdict.claim == "mean" or verdict.rate is None:
        return "is about a mean, which has to lie in a band; a score is a share of images"
    return ""


def _named(verdicts: Sequence[VerdictRecord]) -> str:
    return names_in_brief([f"{one.behavior} ({one.metric})" for one in verdicts], _MOST_NAMED)
