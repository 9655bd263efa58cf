"""The differences between the answers of two number types to the same queries, and the bound that they give."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from vlcheck.metrics.answer import Answer
from vlcheck.metrics.definition import MetricDefinition
from vlcheck.stats.log_odds import distance

SAFETY = 2.0  # the bound is so many times the largest difference that was seen
LEAST = 2**-7  # the least bound: the step from one number of bfloat16 to the next, between 1 and 2


@dataclass
class Differences:
    """The differences between both types of the answers that were asked in both, under one metric.

    Attributes:
        n: number of queries that both types answer.
        log_odds: the largest difference in log-odds, of scores and of what all answers have together.
        score: the largest difference of a score, in [0, 1].
        unanswered: number of queries that the fast type answers, and the exact one does not.
    """

    n: int = 0
    log_odds: float = 0.0
    score: float = 0.0
    unanswered: int = 0

    @property
    def bound(self) -> float:
        """The largest error of a fast score that is allowed for, in log-odds; infinite if nothing can be relied on."""
        return max(SAFETY * self.log_odds, LEAST) if self.n and not self.unanswered else math.inf

    def add(self, metric: MetricDefinition, fast: Answer, exact: Answer) -> None:
        """Add the answers to a query in both types; one that the fast type does not answer says nothing of the others.

        Args:
            metric: the metric of the query.
            fast: the answer in the fast type.
            exact: the answer in the exact type.
        """
        if not _is_sound(fast):
            return
        if not _is_sound(exact):
            self.unanswered += 1
            return
        self.n += 1
        self.log_odds = max(self.log_odds, *map(distance, _chances(metric, fast), _chances(metric, exact)))
        self.score = max(self.score, *(abs(one - other) for one, other in zip(fast.values, exact.values, strict=True)))


def _is_sound(answer: Answer) -> bool:
    return bool(answer.values) and all(map(math.isfinite, answer.values))


def _chances(metric: MetricDefinition, answer: Answer) -> Sequence[float]:
    """Return the probabilities in an answer that decide about a case."""
    mass = metric.mass(answer)
    return answer.values if mass is None else (*answer.values, mass)
