"""The steps in which a test is asked, so that no picture is encoded for a case that cannot count.

First come the views that tell whether the model knows a case: its own picture and another one. The edited picture
follows for cases that may count, and at last come the pictures that only a table needs.
"""

from __future__ import annotations

from collections import defaultdict
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
        opening: questions by arm, which tell whether the model knows the case.
        closing: further questions by arm, for a case that may count.
        aside: questions by arm, about pictures that only tables need.
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

    def queries(self, *, closing: bool) -> Iterator[Query]:
        """Yield the queries that a verdict needs of a case.

        Args:
            closing: whether the case may count.
        """
        yield from queries_of([self.opening, self.closing] if closing else [self.opening])


def _taken(left: dict[str, Question], arms: Iterable[str]) -> Mapping[str, Question]:
    """Remove the questions of some arms, and those about the same pictures, from all that are left; return them."""
    shown = {left[arm].view.picture.key for arm in arms if arm in left}
    return {arm: left.pop(arm) for arm in list(left) if arm in arms or left[arm].view.picture.key in shown}


@dataclass(frozen=True)
class Step:
    """The queries that a test needs next.

    Attributes:
        needed: the queries.
        beside: queries that it may need later, as far as no step before had them.
        scorer: asks them; None for the model's own.
    """

    needed: tuple[Query, ...]
    beside: tuple[Query, ...] = ()
    scorer: CachedScorer | None = None


def queries_of(parts: Iterable[Mapping[str, Question]]) -> Iterator[Query]:
    """Yield the queries of some parts of trials."""
    for part in parts:
        for question in part.values():
            yield from question.queries.values()


@dataclass(frozen=True)
class Round:
    """Queries of several tests that are asked together.

    Attributes:
        queries: the queries.
        scorer: asks them.
    """

    queries: Sequence[Query]
    scorer: CachedScorer


class Agenda:
    """The queries of several tests, each of which a scorer is asked in one round.

    A query that may be needed later is asked in the first round that shows its picture: so no picture is encoded in one
    round because of one test, and again because of another.

    Args:
        scorer: the model's own scorer, for steps that name none.
    """

    def __init__(self, scorer: CachedScorer) -> None:
        self._own = scorer
        self._had: dict[CachedScorer, set[bytes]] = defaultdict(set)
        self._later: dict[str, list[Query]] = {}

    def rounds(self, steps: Iterable[Step]) -> list[Round]:
        """Return what is asked next, in a round for each scorer.

        Args:
            steps: the next step of each test.
        """
        by_scorer: dict[CachedScorer, list[Query]] = {}
        for step in steps:
            by_scorer.setdefault(step.scorer or self._own, []).extend(step.needed)
            for query in step.beside:
                self._later.setdefault(query.picture.key, []).append(query)
        return [Round(self._fresh(queries, scorer), scorer) for scorer, queries in by_scorer.items()]

    def _fresh(self, needed: Iterable[Query], scorer: CachedScorer) -> list[Query]:
        had = self._had[scorer]
        asked = {query.key: query for query in needed if _short(query) not in had}
        shown = {query.picture.key for query in asked.values()} if scorer is self._own else set()
        for picture in shown & self._later.keys():
            later = self._later.pop(picture)
            asked |= {query.key: query for query in later if _short(query) not in had}
        had.update(map(_short, asked.values()))
        return list(asked.values())


def _short(query: Query) -> bytes:
    """Return a query's key in half of the memory."""
    return bytes.fromhex(query.key)


def merged(rounds: Iterable[Round]) -> Iterator[Round]:
    """Yield one round for each scorer that some rounds have, with all their queries; none without queries."""
    rounds = list(rounds)
    for scorer in dict.fromkeys(one.scorer for one in rounds):
        if queries := [query for one in rounds if one.scorer is scorer for query in one.queries]:
            yield Round(queries, scorer)
