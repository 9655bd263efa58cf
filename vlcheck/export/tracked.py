"""A run as experiment trackers keep one: parameters, tags, and a metric for each verdict."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vlcheck._util.numbers import rounded
from vlcheck.results.anchors import verdict_anchor
from vlcheck.results.bias_matrix import matrix_of
from vlcheck.results.conclusion import conclude
from vlcheck.results.file import ResultLines
from vlcheck.results.records import RunRecord, VerdictRecord
from vlcheck.results.unjudged import is_ended

_UNUSUAL = re.compile(r"[^A-Za-z0-9_. -]+")  # characters that trackers refuse in a metric's name, or take for a folder
_LONGEST = 100  # characters of a bias in a metric's name
_LONGEST_VALUE = 5_000  # characters of a parameter or tag


@dataclass(frozen=True)
class TrackedRun:
    """A run as a tracker keeps it.

    Attributes:
        name: the model's name, for the run.
        sentence: the conclusion of the run.
        ended: whether the run came to its end, whatever its verdicts; False if it was stopped or killed.
        exit_status: exit status of the run's process; None if it has none.
        parameters: model, data and settings, by name.
        tags: texts to search runs by, e.g. the conclusion and the run's id.
        metrics: a figure for each verdict, and the number of verdicts of each status.
    """

    name: str
    sentence: str
    ended: bool
    exit_status: int | None
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    metrics: Mapping[str, float]


def tracked_run(results: ResultLines, exporter: str) -> TrackedRun:
    """Return a run as a tracker keeps it; a run that was stopped has the verdicts that it came to.

    Args:
        results: the results of the run.
        exporter: the version of vlcheck that exports them, which may not be the one that asked.
    """
    run, found = results.run, conclude(results)
    return TrackedRun(
        name=run.name[:_LONGEST],
        sentence=" ".join(filter(None, (found.sentence, found.counts))),
        ended=is_ended(run),
        exit_status=run.exit_status,
        parameters=_texts(_parameters(run)),
        tags=_texts(_tags(run, found.tone, exporter)),
        metrics=dict([*_figures(results), *_counts(results)]),
    )


def metric_name(verdict: VerdictRecord, anchor: str) -> str:
    """Return the name of a verdict's metric, e.g. "position/mirror-swaps-sides-itm/violation_rate".

    Args:
        verdict: the verdict.
        anchor: its anchor on the page, which no other verdict has.
    """
    what = "mean" if verdict.claim == "mean" else "violation_rate"
    bias = _UNUSUAL.sub("_", verdict.bias)[:_LONGEST].strip() or "_"
    return f"{bias}/{anchor}/{what}"


def _figures(results: ResultLines) -> Iterator[tuple[str, float]]:
    """Yield the observed value of each verdict that has one."""
    for key, verdict in results.verdicts.items():
        if verdict.observed is not None:
            yield metric_name(verdict, verdict_anchor(*key)), rounded(verdict.observed)


def _counts(results: ResultLines) -> Iterator[tuple[str, float]]:
    """Yield the number of verdicts of each status, and of biases that fail."""
    statuses = Counter(verdict.status for verdict in results.verdicts.values())
    yield from ((f"verdicts/{status.replace(' ', '_')}", float(count)) for status, count in statuses.items())
    yield "verdicts/without", float(len(results.run.unjudged))
    yield "biases/fail", float(sum(one.status == "fail" for one in matrix_of(results).biases.values()))


def _parameters(run: RunRecord) -> Iterator[tuple[str, object]]:
    named = ("name", "model", "fingerprint", "data", "images", "seed", "device", "dtype", "sequential")
    yield from ((name, getattr(run, name)) for name in named)
    yield from ((f"scores.{metric}", kind) for metric, kind in run.score_kinds.items())
    yield from ((f"setup.{name}", said) for name, said in run.setup.items())
    yield "vlcheck", run.versions.get("vlcheck")


def _tags(run: RunRecord, tone: str, exporter: str) -> Iterator[tuple[str, object]]:
    yield "vlcheck.conclusion", tone
    yield "vlcheck.status", "ended" if is_ended(run) else "stopped"
    yield "vlcheck.exit_status", run.exit_status
    yield "vlcheck.run_id", run.run_id
    yield "vlcheck.started", run.started
    yield "vlcheck.version", run.versions.get("vlcheck", "unknown")
    yield "vlcheck.exported_by", exporter


def _texts(pairs: Iterator[tuple[str, object]]) -> Mapping[str, str]:
    """Return named values as texts of limited length; None is left out."""
    return {
        _UNUSUAL.sub("_", name)[:_LONGEST]: str(value)[:_LONGEST_VALUE] for name, value in pairs if value is not None
    }
