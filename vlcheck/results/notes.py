"""Notes of a conclusion: what was not decided, what was not asked, and what the model breaks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import MappingProxyType

from vlcheck._util.numbers import names_in_brief
from vlcheck.metrics.registry import METRICS, OF_PICTURES
from vlcheck.results.bias_matrix import causes_of
from vlcheck.results.file import ResultLines
from vlcheck.results.records import RunRecord, VerdictRecord
from vlcheck.results.unjudged import is_ended, unjudged
from vlcheck.stats.decision import NOT_ASKED
from vlcheck.suite.shipped import BIASES, OF_FOILS

_OF_THE_MODEL = ("knows too few cases", "refuses too many cases")  # of these words, the subject is the model
_UNDECIDED: Mapping[str, str] = MappingProxyType(
    {
        "invalid": "neither good nor bad",
        "inconclusive": "too few images to tell",
        NOT_ASKED: "no model could pass on these images",
    }
)
MOST_NAMED = 5  # number of tests that a sentence names


def undecided_notes(verdicts: Sequence[VerdictRecord]) -> Iterator[str]:
    """Yield sentences about the verdicts that are invalid, inconclusive or were not asked, with their causes."""
    for status, why in _UNDECIDED.items():
        its = [verdict for verdict in verdicts if verdict.status == status]
        if its:
            causes = f" ({', '.join(map(_in_full, causes_of(its)))})" if causes_of(its) else ""
            yield f"{status.capitalize()} (in {', '.join(sorted({one.bias for one in its}))}): {why}{causes}."
            yield from _without_images(its if status == NOT_ASKED else ())


def left_out_notes(results: ResultLines) -> Iterator[str]:
    """Yield sentences about biases, metrics and tests without a verdict."""
    run, lacking_one = results.run, unjudged(results)
    verdicts = results.verdicts.values()
    biases = {verdict.bias for verdict in verdicts} | {one.bias for one in lacking_one}
    metrics = {verdict.metric for verdict in verdicts} | {one.metric for one in lacking_one}
    of_foils = any(verdict.claim == "lead" for verdict in verdicts)  # which are asked about alone, by one metric
    if not of_foils and (absent := [bias for bias in BIASES if bias not in (*biases, *OF_FOILS)]):
        yield f"No test was run on {', '.join(absent)}."
    if not of_foils and (lacking := [metric for metric in OF_PICTURES if metric not in metrics]):
        yield from (_without_metric(metric, run) for metric in lacking)
    yield from unjudged_notes(run)
    if not run.complete and not lacking_one:
        yield "Not the whole suite was asked: tests were left out of this run."


def unjudged_notes(run: RunRecord) -> Iterator[str]:
    """Yield a sentence about selected tests without a verdict."""
    tests = run.unjudged
    if tests:
        names = [test.rpartition("::")[2] for test in tests]
        why = ", since they were left out, skipped, not reached or ended in an error" if is_ended(run) else ""
        yield f"Without a verdict{why}: {names_in_brief(names, MOST_NAMED)}."


def contract_notes(run: RunRecord) -> Iterator[str]:
    """Yield sentences about a model that breaks the contract, or was not checked."""
    contract = run.contract
    if contract and not contract.tried:
        yield (
            "The contract was not tried on this model as it is loaded and installed here: vlcheck models check tells"
            " whether its answers can be relied on."
        )
    if contract and contract.broken:
        named, more = "; ".join(contract.broken[:MOST_NAMED]), len(contract.broken) - MOST_NAMED
        yield f"The model breaks the contract (vlcheck models check): {named}{f' and {more} more' if more > 0 else ''}."


def _in_full(cause: str) -> str:
    """Return a cause with its subject: "the model knows too few cases"."""
    return f"the model {cause}" if cause in _OF_THE_MODEL else cause


def _without_images(verdicts: Iterable[VerdictRecord]) -> Iterator[str]:
    """Yield the reason of each test that was not asked since no image counts."""
    reasons: dict[str, dict[str, None]] = defaultdict(dict)
    for verdict in verdicts:
        if not verdict.n and verdict.reason:
            reasons[verdict.reason].setdefault(verdict.behavior)
    for reason, tests in islice(reasons.items(), MOST_NAMED):
        yield f"Not asked: {names_in_brief([*tests], MOST_NAMED)} ({reason})."


def _without_metric(metric: str, run: RunRecord) -> str:
    """Return a sentence about a metric that no test used."""
    why = "the model has no such score" if run.lacks(metric) else "no test was run with it"
    return f"Nothing was asked with {metric} ({METRICS[metric].meaning}): {why}."
