"""The verdicts of a control beside those of the model under test, e.g. of a model that sees no picture."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from vlcheck._util.numbers import counted, names_in_brief, part_of
from vlcheck.metrics.registry import KINDS
from vlcheck.results.agreement import violations
from vlcheck.results.file import ResultLines, key_of
from vlcheck.results.records import FaultRecord, RunRecord, VerdictRecord
from vlcheck.results.sentence import tally

_MOST_NAMED = 3  # number of tests that a sentence names


@dataclass(frozen=True)
class Pairing:
    """Numbers of the cases that count for the model and for the control, by which of the two they violate.

    Attributes:
        neither: number of cases that hold for both.
        both: number of cases that violate for both.
        model: number of cases that violate for the model alone.
        control: number of cases that violate for the control alone.
    """

    neither: int
    both: int
    model: int
    control: int

    @property
    def said(self) -> str:
        """The numbers in words."""
        n = self.neither + self.both + self.model + self.control
        return (
            f"of {counted(n, 'case')} in common, the model alone violates {self.model},"
            f" the control alone {self.control}, both {self.both}"
        )


class ControlVerdicts:
    """The verdicts of a control, to be looked up for those of a model.

    Args:
        results: the results of the control, on the same data.
    """

    def __init__(self, results: ResultLines) -> None:
        self.results = results
        judged = () if results.changed else results.verdicts.values()  # else they are verdicts on two models
        self._verdicts = {(one.behavior, one.metric): one for one in judged}
        self._faults = {(one.behavior, one.metric): one for one in results.faults.values()}

    @property
    def run(self) -> RunRecord:
        """The control, its data and its settings."""
        return self.results.run

    def of(self, verdict: VerdictRecord) -> VerdictRecord | None:
        """Return the control's verdict on the same behavior, under another metric if it lacks the verdict's."""
        if verdict.metric in self.run.score_kinds:
            return self._verdicts.get((verdict.behavior, verdict.metric))
        return next((one for one in self._verdicts.values() if one.behavior == verdict.behavior), None)

    def fault(self, verdict: VerdictRecord) -> str:
        """Return the reason why the control has no verdict on the same behavior; "" if no fault is the reason."""
        if self.results.changed:
            return self.results.changed.rstrip(".")
        fault = self._faults.get((verdict.behavior, verdict.metric))
        return fault.reason if fault else ""

    def pairing(self, verdict: VerdictRecord, results: ResultLines) -> Pairing | None:
        """Compare the model and the control case by case; None if they share no case, or the claim is about a mean.

        Args:
            verdict: the model's verdict.
            results: the results that it is from.
        """
        other = self.of(verdict)
        if other is None or "mean" in (verdict.claim, other.claim):
            return None
        mine, theirs = violations(results, key_of(verdict)), violations(self.results, key_of(other))
        shared = [(mine[row], theirs[row]) for row in mine.keys() & theirs.keys()]
        if not shared:
            return None
        return Pairing(*(shared.count(each) for each in ((False, False), (True, True), (True, False), (False, True))))

    def notes(self, results: ResultLines) -> Iterator[str]:
        """Yield sentences about the control: what it shows, how it fares, and why some verdicts lack one beside them.

        Args:
            results: the results of the model.
        """
        if self.results.changed:
            yield f"{self.run.name} is not shown beside: {self.results.changed.rstrip('.')}"
            return
        verdicts = list(results.verdicts.values())
        if results.run.fingerprint == self.run.fingerprint:
            yield f"{self.run.name} is the model itself: what it shows beside the model says nothing more"
        yield from _meaning(self.run)
        yield from self._fares(verdicts, results.run.name)
        yield from self._other_kinds(verdicts)
        yield from self._unasked(verdicts)
        yield from _faults(self.run.name, self._faults.values())

    def _fares(self, verdicts: Iterable[VerdictRecord], model: str) -> Iterator[str]:
        """Yield how the control fares where the model passes, and where it fails."""
        for status, verb in (("pass", "passes"), ("fail", "fails")):
            its = [verdict for verdict in verdicts if verdict.status == status]
            others = [other for verdict in its if (other := self.of(verdict))]
            lacking = [f"{len(its) - len(others)} without a verdict"] if len(others) < len(its) else []
            if its:
                alike = sum(other.status == status for other in others)
                told = ", ".join([*tally(others), *lacking])
                yield (
                    f"Both {status} {part_of(alike, len(its), 'test')} that {model} {verb}; the verdicts of"
                    f" {self.run.name} on them: {told}"
                )

    def _other_kinds(self, verdicts: Iterable[VerdictRecord]) -> Iterator[str]:
        pairs = [(verdict, other) for verdict in verdicts if (other := self.of(verdict))]
        kinds = {(one.metric, one.score_kind, other.score_kind) for one, other in pairs if one.metric == other.metric}
        for metric, own, theirs in sorted(kinds):
            if own != theirs:
                yield (
                    f"Scores of {self.run.name} are not compared under {metric}: they are of kind {theirs}, not {own};"
                    " its verdicts and shares of images are shown"
                )

    def _unasked(self, verdicts: Iterable[VerdictRecord]) -> Iterator[str]:
        """Yield the metrics under which the control has no verdict at all, and those that are shown in their place."""
        metrics: dict[str, set[str]] = defaultdict(set)
        for verdict in verdicts:
            other = self.of(verdict)
            metrics[verdict.metric] |= {other.metric} if other else set()
        faulty = {metric for _, metric in self._faults}
        for metric, others in sorted(metrics.items()):
            if metric not in others | faulty:
                instead = f"; its verdicts under {', '.join(sorted(others))} are shown" if others else ""
                yield f"{self.run.name} is not compared under {metric}: it was asked none of these tests{instead}"


def _meaning(run: RunRecord) -> Iterator[str]:
    """Yield what a control shows that is without pictures or without words."""
    if run.sees is False:
        yield (
            f"{run.name} sees no picture: where it passes, the words alone are enough, and a pass of the model does not"
            " show that it looks"
        )
    kinds = [KINDS[kind] for kind in map(str, run.score_kinds.values()) if kind in KINDS]
    if kinds and not any(kind.reads_text for kind in kinds):
        yield (
            f"{run.name} reads no words: where it passes and the model fails, the failure is of the fusion of picture"
            " and words, and not of the eyes; where both fail, the picture may be too hard"
        )


def _faults(name: str, faults: Iterable[FaultRecord]) -> Iterator[str]:
    """Yield the reasons why the control has no verdict on some tests."""
    tests: dict[str, list[str]] = defaultdict(list)
    for fault in faults:
        tests[fault.reason].append(fault.test.rpartition("::")[2])
    for reason, its in tests.items():
        yield f"{name} has no verdict on {names_in_brief(its, _MOST_NAMED)}: {reason}"


def is_on_one_scale(verdict: VerdictRecord, other: VerdictRecord) -> bool:
    """Return True if the observed values of two verdicts can be compared: shares of images, or means of one kind.

    Args:
        verdict: a verdict.
        other: another one on the same behavior.
    """
    return verdict.claim == other.claim and (other.claim == "rate" or other.score_kind == verdict.score_kind)
