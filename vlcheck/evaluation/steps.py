"""The steps in which a test is asked, so that no picture is encoded for a case that cannot count.

First come the views that tell whether the model knows a case: its own picture and another one. The edited picture
follows for cases that may count, and at last come the pictures that only a table needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from vlcheck.behaviors.behavior import Trial
from vlcheck.expect.base import AFTER, BEFORE, Expectation, Given, Refused, Unknown, Unneeded, Unscaled
from vlcheck.metrics.query import Query
from vlcheck.metrics.question import Question
from vlcheck.metrics.reading import Unlikely
from vlcheck.scoring.cached import CachedScorer

NOT_COUNTED = (Unknown, Unneeded, Unlikely, Refused, Unscaled, Given)
"""Reasons that stay, whatever the model would answer about further views of a case."""


@dataclass(frozen=True)
class Parts:
    """The questions of a trial, by the step in which they are asked.

    A view whose picture an earlier step shows is asked about in that step: a text costs less than another encoding of
    the picture.

    Attributes:
        opening: by arm, the questions that tell whether the model knows the case.
        closing: by arm, the questions that a case that counts needs as well.
        aside: by arm, the questions about pictures that only tables need.
    """

    opening: Mapping[str, Question]
    closing: Mapping[str, Question]
    aside: Mapping[str, Question]

    @classmethod
    def of(cls, trial: Trial, expect: Expectation) -> Parts:
        """Return the parts of a trial.

        Args:
            trial: the trial.
            expect: the expectation of its behavior.
        """
        left = {arm: question for arm, question in trial.arms.items() if isinstance(question, Question)}
        opening = _taken(left, {BEFORE, *expect.arms()})
        closing = _taken(left, {AFTER})
        return cls(opening, closing, left)


def _taken(left: dict[str, Question], arms: Iterable[str]) -> Mapping[str, Question]:
    """Remove the questions of some arms, and those about the same pictures, from all that are left; return them."""
    shown = {left[arm].view.picture.key for arm in arms if arm in left}
    return {arm: left.pop(arm) for arm in list(left) if arm in arms or left[arm].view.picture.key in shown}


@dataclass(frozen=True)
class Step:
    """The queries that a test needs next.

    Attributes:
        needed: the queries.
        beside: queries that it may need later.
        scorer: asks them; None for the model's own.
    """

    needed: tuple[Query, ...]
    beside: tuple[Query, ...] = ()
    scorer: CachedScorer | None = None


@dataclass(frozen=True)
class Round:
    """Queries of several tests that are asked together.

    Attributes:
        queries: the queries.
        scorer: asks them.
    """

    queries: Sequence[Query]
    scorer: CachedScorer

    def without(self, had: set[tuple[CachedScorer, str]]) -> Round:
        """Return the round without queries that its scorer was asked before; those that are left are added to these."""
        fresh = {query.key: query for query in self.queries if (self.scorer, query.key) not in had}
        had.update((self.scorer, key) for key in fresh)
        return Round(tuple(fresh.values()), self.scorer)


def queries_of(parts: Iterable[Mapping[str, Question]]) -> Iterator[Query]:
    """Yield the queries of some parts of trials."""
    for part in parts:
        for question in part.values():
            yield from question.queries.values()


def gather(steps: Iterable[Step], scorer: CachedScorer) -> list[Round]:
    """Return the queries of one step of several tests, with those for later about pictures that it shows anyway.

    So no picture is encoded in one step because of one test, and in the next one because of another.

    Args:
        steps: the step of each test.
        scorer: the model's own.
    """
    steps = list(steps)
    scorers = dict.fromkeys(step.scorer or scorer for step in steps)
    return [_gathered([step for step in steps if (step.scorer or scorer) is one], one) for one in scorers]


def _gathered(steps: Sequence[Step], scorer: CachedScorer) -> Round:
    needed = [query for step in steps for query in step.needed]
    shown = {query.picture.key for query in needed}
    return Round([*needed, *(query for step in steps for query in step.beside if query.picture.key in shown)], scorer)


def merged(rounds: Iterable[Round]) -> Iterator[Round]:
    """Yield one round for each scorer that some rounds have, with all their queries; none without queries."""
    rounds = list(rounds)
    for scorer in dict.fromkeys(one.scorer for one in rounds):
        if queries := [query for one in rounds if one.scorer is scorer for query in one.queries]:
            yield Round(queries, scorer)
