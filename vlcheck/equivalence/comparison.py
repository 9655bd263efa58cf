"""Two models' answers to the same questions, pair by pair; the unit is the image."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from vlcheck._util.numbers import counted
from vlcheck.cases.picture import UNCHANGED
from vlcheck.equivalence.records import (
    CriterionRecord,
    KeptAnswer,
    KeptCase,
    MetricParity,
    PairRecord,
    ViewRecord,
)
from vlcheck.policy.policy import Margins
from vlcheck.stats.bounds import Tally, exact, lower, upper
from vlcheck.stats.equivalence import Criterion, Sameness, ShareCriterion, ShiftCriterion, decide

WORST = 10  # pairs of answers that a report lists
MOST_UNANSWERED = 0.05  # share of a metric's questions without two answers to compare, above which no sameness is shown
_Row = tuple[float, float, float]  # changed, shift and difference of an image or a pair


def compared(a: KeptAnswer, b: KeptAnswer, case: str, tie: float) -> PairRecord | None:
    """Compare two answers to one question.

    An answer changes if another text or word is preferred, or if a score crosses 0.5; scores nearer to one another, or
    to 0.5, than `tie` prefer nothing. If one model alone refuses, the answer changes, by a difference of 1.

    Args:
        a: the first model's answer.
        b: the second model's answer.
        case: id of the case.
        tie: the difference of scores up to which they are tied.

    Returns:
        The pair; None if both models refuse, or if an error left one without an answer.
    """
    if a.failed or b.failed or (a.refused and b.refused):
        return None
    pair = partial(
        PairRecord, case=case, view=a.view, metric=a.metric, text=a.text, asked=a.asked, a=a.scores, b=b.scores
    )
    if a.refused or b.refused:
        return pair(changed=True, shift=0.0, difference=1.0, refused=a.refused or b.refused)
    one, other = _levels(a), _levels(b)
    moved = other - one
    changed = _preferred_otherwise(one, other, tie) or _crosses(one, other, tie)
    return pair(changed=changed, shift=float(moved[0]), difference=float(np.abs(moved).max()))


def _levels(answer: KeptAnswer) -> np.ndarray:
    """Return the scores; those of words as shares of their sum."""
    scores = np.array(answer.scores)
    whole = scores.sum() if answer.metric == "mlm" else 1.0
    return scores / whole if whole > 0 else scores


def _preferred_otherwise(one: np.ndarray, other: np.ndarray, tie: float) -> bool:
    """Return True if no text or word that one model likes best is among those that the other likes best."""
    return not np.any((one >= one.max() - tie) & (other >= other.max() - tie))


def _crosses(one: np.ndarray, other: np.ndarray, tie: float) -> bool:
    """Return True if a score is above 0.5 for one model and below for the other."""
    up = (one < 0.5 - tie) & (other > 0.5 + tie)
    return bool(np.any(up | ((one > 0.5 + tie) & (other < 0.5 - tie))))


@dataclass
class MetricPairs:
    """The differences under one metric, gathered image by image.

    Attributes:
        metric: the metric.
        kind: the kind of score.
        largest: the largest difference of all.
        n_pairs: number of pairs that are compared.
        refused: number of questions that neither model answers, by the first model's reason.
        failed: number of questions that a model failed to answer, by the error.
    """

    metric: str
    kind: str
    largest: float = 0.0
    n_pairs: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    _images: list[_Row] = field(default_factory=list)
    _views: dict[str, list[_Row]] = field(default_factory=lambda: defaultdict(list))

    def add(self, pairs: Sequence[PairRecord]) -> None:
        """Add the pairs of one image; several views of it count once, by their mean."""
        if not pairs:
            return
        rows = [(float(pair.changed), pair.shift, pair.difference) for pair in pairs]
        for pair, row in zip(pairs, rows, strict=True):
            self._views[pair.view].append(row)
        self._images.append(tuple(np.mean(rows, axis=0).tolist()))
        self.n_pairs += len(pairs)
        self.largest = max(self.largest, *(pair.difference for pair in pairs))

    def leave_out(self, a: KeptAnswer, b: KeptAnswer) -> None:
        """Count a question that is not compared.

        Args:
            a: the first model's answer.
            b: the second model's answer.
        """
        if failed := a.failed or b.failed:
            self.failed[failed] += 1
        else:
            self.refused[a.refused] += 1

    @property
    def n(self) -> int:
        """The number of images."""
        return len(self._images)

    @property
    def lacking(self) -> Counter[str]:
        """The number of questions without two answers, by reason; a picture that no edit changes is not asked."""
        return Counter({why: n for why, n in (self.refused + self.failed).items() if why != UNCHANGED})

    @property
    def unanswered(self) -> str:
        """The number of questions without two answers, and the most frequent reason, in words; "" if there is none."""
        lacking = self.lacking
        if not lacking:
            return ""
        asked = counted(lacking.total() + self.n_pairs, "question")
        (why, _), *others = lacking.most_common()
        return f"{lacking.total():,} of {asked} not compared ({why}{', and other reasons' if others else ''})"

    @property
    def is_open(self) -> bool:
        """True if too little was answered for sameness to be shown, however alike the answers are."""
        lacking = self.lacking.total()
        return not self.n or lacking > MOST_UNANSWERED * (lacking + self.n_pairs)

    def status(self, margins: Margins) -> Sameness:
        """Return the answer on this metric alone."""
        return _unless_open(decide(self.criteria(margins), margins.alpha), [self])

    def criteria(self, margins: Margins, times: float = 1.0) -> tuple[Criterion, ...]:
        """Return the criteria; none without images.

        Args:
            margins: the margins.
            times: a factor by which the number of images is multiplied, for the number that would decide.
        """
        return criteria_of(self._images, margins, times)

    def record(self, margins: Margins) -> MetricParity:
        """Return what a report says of the metric."""
        criteria = self.criteria(margins)
        return MetricParity(
            metric=self.metric,  # type: ignore[arg-type]  # one of the metrics that are asked
            kind=self.kind,
            status=self.status(margins),
            n=self.n,
            compared=self.n_pairs,
            refused=dict(self.refused),
            failed=dict(self.failed),
            criteria=tuple(map(_record, criteria)),
            largest=self.largest,
            views=tuple(_view(name, rows, margins.alpha) for name, rows in self._views.items()),
        )


def criteria_of(images: Sequence[_Row], margins: Margins, times: float = 1.0) -> tuple[Criterion, ...]:
    """Test the differences of images.

    Args:
        images: changed, in [0, 1], shift, in [-1, 1], and difference, in [0, 1], of each image.
        margins: the margins.
        times: a factor by which the number of images is multiplied.
    """
    if not images:
        return ()
    changed, shift, difference = np.array(images).T

    def tally(values: np.ndarray) -> Tally:
        return Tally.of(values.clip(0.0, 1.0)).times(times)

    return (
        ShareCriterion("changed", tally(changed), margins.changed, margins.alpha),
        ShiftCriterion("shift", tally((shift + 1) / 2), margins.shift, margins.alpha),
        ShareCriterion("difference", tally(difference), margins.difference, margins.alpha),
    )


def _unless_open(status: Sameness, metrics: Iterable[MetricPairs]) -> Sameness:
    return "inconclusive" if status == "same" and any(metric.is_open for metric in metrics) else status


def _record(criterion: Criterion) -> CriterionRecord:
    figures = {name: getattr(criterion, name) for name in ("mean", "low", "high", "p_same", "p_different")}
    return CriterionRecord(name=criterion.name, margin=criterion.margin, **figures)


def _view(name: str, rows: Sequence[_Row], alpha: float) -> ViewRecord:
    changed, shift, difference = np.array(rows).T
    sample = Tally.of(changed)
    return ViewRecord(
        view=name,
        n=len(rows),
        changed=sample.mean,
        low=lower(exact, sample, alpha),
        high=upper(exact, sample, alpha),
        shift=float(shift.mean()),
        difference=float(difference.mean()),
        largest=float(difference.max()),
    )


@dataclass
class Pairs:
    """The differences between two models, gathered case by case.

    Attributes:
        metrics: the differences by metric.
        tie: the difference of scores up to which they are tied.
        worst: pairs of answers that differ most, in no order.
    """

    metrics: Mapping[str, MetricPairs]
    tie: float
    worst: list[tuple[bool, float, int, PairRecord]] = field(default_factory=list)
    _n: int = 0

    def add(self, a: KeptCase, b: KeptCase) -> None:
        """Add both models' answers about one case.

        Args:
            a: the first model's answers.
            b: the second model's answers.
        """
        its = {answer.key: answer for answer in b.answers}
        for name, metric in self.metrics.items():
            answers = [(one, its[one.key]) for one in a.answers if one.metric == name]
            found = [compared(*both, a.case, self.tie) for both in answers]
            for both, pair in zip(answers, found, strict=True):
                if pair is None:
                    metric.leave_out(*both)
            pairs = [pair for pair in found if pair is not None]
            metric.add(pairs)
            for pair in pairs:
                self._keep(pair)

    def _keep(self, pair: PairRecord) -> None:
        """Keep a pair if it is one of the WORST; of equal ones the first."""
        self._n -= 1
        heapq.heappush(self.worst, (pair.changed, pair.difference, self._n, pair))
        if len(self.worst) > WORST:
            heapq.heappop(self.worst)

    @property
    def n(self) -> int:
        """The number of images, under the metric that has most."""
        return max((metric.n for metric in self.metrics.values()), default=0)

    def most_different(self) -> tuple[PairRecord, ...]:
        """Return the pairs that differ most, of those that are not tied."""
        ordered = sorted(self.worst, key=lambda one: one[:3], reverse=True)
        return tuple(pair for *_, pair in ordered if pair.changed or pair.difference > self.tie)

    def criteria(self, margins: Margins, times: float = 1.0) -> tuple[Criterion, ...]:
        """Return the criteria of all metrics; see `MetricPairs.criteria`.

        Args:
            margins: the margins.
            times: a factor by which the number of images is multiplied.
        """
        return tuple(one for metric in self.metrics.values() for one in metric.criteria(margins, times))

    def status(self, margins: Margins) -> Sameness:
        """Return the answer on all metrics; one with too few answers leaves sameness open."""
        return _unless_open(decide(self.criteria(margins), margins.alpha), self.metrics.values())
