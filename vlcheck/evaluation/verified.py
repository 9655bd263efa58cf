"""Verdicts of an exact number type from scores of a fast one: what has to be asked again, so that nothing differs.

A part of the queries is asked in both types. The largest difference that they show, in log-odds, times a factor of
safety, is the bound of how far any fast score may be off. A case is asked again if moving its scores within the bound
could change what the verdict counts of it; a claim about a mean, if it could change the verdict. Every query that is
asked again adds to what is known of the difference, and the bound grows with it. The scores that set the operating
scale are exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from vlcheck._util.hashing import digest
from vlcheck.behaviors.behavior import Behavior, Trial
from vlcheck.evaluation.nearby import Bounds, Possible, possible
from vlcheck.evaluation.outcomes import FEWEST_KNOWN, Finding, Findings, decisive_arms
from vlcheck.evaluation.steps import Round
from vlcheck.expect.base import Expectation, Unscaled
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.kinds import Metric
from vlcheck.metrics.query import Query
from vlcheck.metrics.question import Question
from vlcheck.metrics.tolerances import Tolerances
from vlcheck.policy.policy import Rule
from vlcheck.scoring.two_types import TwoTypes
from vlcheck.stats.bootstrap import by_cluster
from vlcheck.stats.bounds import Tally, Test
from vlcheck.stats.decision import sides_of_mean
from vlcheck.stats.log_odds import distance, log_odds, shifted

SAFETY = 2.0  # the bound is so many times the largest difference that was seen
SAMPLED = 0.02  # share of the queries of a metric that are asked in both types
FEWEST_SAMPLED = 32  # the least number of them
_AT_ONCE = 0.25  # share of the cases of a mean that are asked again before it is looked at again
_FEWEST_AT_ONCE = 8  # the least number of cases


class AskedInTypes(NamedTuple):
    """The numbers of queries of a run.

    Attributes:
        all: all queries.
        exact: those that were asked in the exact type alone.
        both: those that were asked in both types.
    """

    all: int = 0
    exact: int = 0
    both: int = 0


@dataclass
class Differences:
    """The differences between both types of the scores that were asked in both, under one metric.

    Attributes:
        n: number of queries.
        log_odds: the largest difference in log-odds.
        score: the largest difference of a score, in [0, 1].
    """

    n: int = 0
    log_odds: float = 0.0
    score: float = 0.0

    @property
    def bound(self) -> float:
        """The largest error of a fast score that is allowed for, in log-odds; infinite if none was measured."""
        return SAFETY * self.log_odds if self.n else math.inf

    def add(self, fast: Answer, exact: Answer) -> None:
        """Add the answers to a query in both types, if both have finite values.

        Args:
            fast: the answer in the fast type.
            exact: the answer in the exact type.
        """
        pairs = list(zip(fast.values, exact.values, strict=False))
        if pairs and all(map(math.isfinite, (*fast.values, *exact.values))):
            self.n += 1
            self.log_odds = max(self.log_odds, *(distance(*pair) for pair in pairs))
            self.score = max(self.score, *(abs(one - other) for one, other in pairs))


@dataclass(frozen=True)
class Verifier:
    """Finds the queries that have to be asked in the exact type, too.

    Attributes:
        scorer: the model in both types.
        differences: the differences between both that were seen, by metric.
        means: whether every case of a claim about a mean is asked again, since another run is compared with it.
    """

    scorer: TwoTypes
    differences: dict[Metric, Differences] = field(default_factory=dict)
    means: bool = False
    _begun: set[str] = field(default_factory=set, repr=False)
    _sampled: dict[str, Query] = field(default_factory=dict, repr=False)
    _compared: set[str] = field(default_factory=set, repr=False)
    _settled: dict[tuple[object, ...], float] = field(default_factory=dict, repr=False)
    _tried: dict[tuple[object, ...], list[Possible]] = field(default_factory=dict, repr=False)

    @property
    def asked(self) -> AskedInTypes:
        """The numbers of queries that were asked in each type."""
        fast, exact = (one.store.missing(self._begun) for one in (self.scorer.fast, self.scorer.exact))
        return AskedInTypes(len(self._begun), len(fast - exact), len(self._begun - fast - exact))

    def bound(self, metric: Metric) -> float:
        """Return how far a fast score under a metric may be off, in log-odds."""
        return self.differences.get(metric, Differences()).bound

    def sampled(self, rounds: Sequence[Round]) -> list[Round]:
        """Return some rounds, and those in which a part of their fast queries is asked in both types.

        Queries that the fast type cannot be asked are moved to the exact one.

        Args:
            rounds: rounds of this verifier's scorer, or of its exact one.
        """
        fast = [query for one in rounds if one.scorer is self.scorer for query in one.queries]
        exact = [one for one in rounds if one.scorer is not self.scorer]
        slow = [query for query in fast if not self.scorer.asks(query)]
        sample = self.sample(fast)
        self._begun.update(query.key for one in rounds for query in one.queries)
        self._sampled.update((query.key, query) for query in sample)
        able = [query for query in fast if self.scorer.asks(query)]
        return [
            *exact,
            Round([*slow, *sample], self.scorer.exact),
            Round(able, self.scorer),
            Round(sample, self.scorer.fast),
        ]

    def begin(self, queries: Collection[Query]) -> None:
        """Ask the queries that no round asked, a part of them in both types, and take account of all differences."""
        fresh = [query for query in queries if query.key not in self._begun]
        for one in self.sampled([Round(fresh, self.scorer)]) if fresh else ():
            one.scorer.answers(one.queries)
        self.compare([*self._sampled.values(), *queries])
        self._sampled.clear()

    def is_settled(self, stage: str, behavior: Behavior, metric: Metric, trials: Sequence[Trial]) -> bool:
        """Return True if nothing is in doubt about a behavior's trials at a stage, by the differences known now.

        Args:
            stage: the name of the stage.
            behavior: the behavior.
            metric: the metric.
            trials: the trials.
        """
        return self._settled.get(self._at(stage, behavior, metric, trials), -1.0) >= self.bound(metric)

    def settle(self, stage: str, behavior: Behavior, metric: Metric, trials: Sequence[Trial]) -> None:
        """Note that nothing is in doubt about a behavior's trials at a stage.

        Args:
            stage: the name of the stage.
            behavior: the behavior.
            metric: the metric.
            trials: the trials.
        """
        self._settled[self._at(stage, behavior, metric, trials)] = self.bound(metric)

    @staticmethod
    def _at(stage: str, behavior: Behavior, metric: Metric, trials: Sequence[Trial]) -> tuple[object, ...]:
        last = next((query.key for trial in reversed(trials) for query in trial.queries()), "")
        return stage, behavior.name, behavior.expect, metric, len(trials), last

    def ask_again(self, queries: Sequence[Query]) -> None:
        """Ask doubtful queries in the exact type."""
        self.scorer.exact.answers(queries)
        self.compare(queries)

    def sample(self, queries: Iterable[Query]) -> list[Query]:
        """Return a part of the queries, to be asked in both types: all those of a metric about some pictures.

        The pictures are chosen by a hash, so that every process of every run chooses the same ones.

        Args:
            queries: the queries of a round.
        """
        asked = [query for query in {query.key: query for query in queries}.values() if self.scorer.asks(query)]
        metrics = dict.fromkeys(query.metric for query in asked)
        return [query for metric in metrics for query in self._of_metric([q for q in asked if q.metric == metric])]

    def _of_metric(self, queries: Sequence[Query]) -> list[Query]:
        begun = self.differences.get(queries[0].metric, Differences()).n
        least = max(SAMPLED * len(queries), FEWEST_SAMPLED - begun)
        by_picture: dict[str, list[Query]] = {}
        for query in queries:
            by_picture.setdefault(query.picture.key, []).append(query)
        chosen: list[Query] = []
        for picture in sorted(by_picture, key=lambda key: digest("asked in both types", key)):
            if len(chosen) >= least:
                break
            chosen += by_picture[picture]
        return chosen

    def compare(self, queries: Iterable[Query]) -> None:
        """Take account of the differences of queries that are answered in both types."""
        fresh = {query.key: query for query in queries if query.key not in self._compared}
        exact = self.scorer.exact.kept(fresh.values())
        fast = self.scorer.fast.kept(fresh[key] for key in exact)
        for key in fast:
            self.differences.setdefault(fresh[key].metric, Differences()).add(fast[key], exact[key])
            self._compared.add(key)

    def doubtful(
        self,
        findings: Findings,
        trials: Sequence[Trial],
        asked: Collection[str],
        tolerances: Tolerances,
        rule: Rule,
        test: Test,
    ) -> list[Query]:
        """Return the queries that have to be asked in the exact type before a verdict can be taken from findings.

        Args:
            findings: the findings on some cases, from the scores that there are.
            trials: their questions, in the same order.
            asked: keys of the queries that the findings are from.
            tolerances: the tolerances of the policy.
            rule: the policy's statistical limits.
            test: the statistical test.
        """
        queries = (query for trial in trials for query in trial.queries() if query.key in asked)
        loose = self.scorer.exact.missing(queries)
        if not loose:
            return []
        cases = [_Case(self, one, trial, loose) for one, trial in zip(findings.each, trials, strict=True)]
        if findings.constant:
            return [query for case in cases for query in case.loose_queries()]
        if unsound := [case for case in cases if case.unsound]:
            return [query for case in unsound for query in case.loose_queries()]
        if _may_be_constant(cases):
            return [query for case in _with_loose(cases)[:_FEWEST_AT_ONCE] for query in case.loose_queries()]
        expect = findings.behavior.expect
        each = [self._outcomes(case, findings.behavior, tolerances) for case in cases]
        open_ = [case for case, may in zip(cases, each, strict=True) if len({one.counts(expect) for one in may}) > 1]
        if not open_ and expect.claim == "mean":
            open_ = self._of_mean(findings, cases, each, rule, test)
        return [query for case in open_ for query in case.deciding(expect, tolerances)]

    def _outcomes(self, case: _Case, behavior: Behavior, tolerances: Tolerances) -> list[Possible]:
        """Return what a case may come to; it is computed once for what is known of its scores."""
        loose = list(case.loose_queries())
        if not loose:
            return case.outcomes(behavior.expect, tolerances)
        scales = {reading.scale for reading in case.finding.sample.readings.values()}
        bound, keys = self.bound(loose[0].metric), (query.key for query in loose)
        heard = frozenset(case.finding.sample.readings)  # at an earlier stage, fewer views are heard
        key = behavior.name, case.trial.case.id, case.trial.perturbation, bound, heard, *scales, *keys
        if key not in self._tried:
            self._tried[key] = case.outcomes(behavior.expect, tolerances)
        return self._tried[key]

    def _of_mean(
        self, findings: Findings, cases: Sequence[_Case], each: Sequence[Sequence[Possible]], rule: Rule, test: Test
    ) -> list[_Case]:
        """Return the cases to ask again so that the verdict on a mean is certain, those that may move it most first."""
        widths = [_width(may) for may in each]
        wide = [place for place in sorted(range(len(cases)), key=lambda place: -widths[place]) if widths[place] > 0]
        if self.means:
            return [cases[place] for place in wide]
        if not _may_turn(findings, each, rule, test):
            return []
        return [cases[place] for place in wide[: max(_FEWEST_AT_ONCE, round(_AT_ONCE * len(wide)))]]


@dataclass(frozen=True)
class _Case:
    """A case whose scores are fast in part.

    Attributes:
        verifier: knows the bounds.
        finding: the finding on the case, from the scores that there are.
        trial: its questions.
        loose: the keys of the queries that have no exact answer.
    """

    verifier: Verifier
    finding: Finding
    trial: Trial
    loose: set[str]

    @property
    def unsound(self) -> bool:
        """True if a fast answer is an error, a refusal or no number."""
        finite = self.finding.finite
        return (bool(self.finding.errors or not finite) and any(self.loose_queries())) or self._is_refused

    @property
    def _is_refused(self) -> bool:
        """True if the fast type has no answer about a view that it was asked about."""
        unheard = (one for arm, one in self.trial.arms.items() if arm not in self.finding.sample.readings)
        asked = (query for one in unheard if isinstance(one, Question) for query in one.queries.values())
        return any(query.key in self.loose for query in asked)

    def ranges(self) -> Iterator[tuple[float, float]]:
        """Yield the least and the most that each of its scores may be, in log-odds."""
        for arm, reading in self.finding.sample.readings.items():
            bounds = self._bounds(arm)
            for word, score in reading.scores.items():
                bound = bounds.get(word, 0.0)
                yield log_odds(shifted(score, -bound)), log_odds(shifted(score, bound))

    def loose_queries(self) -> Iterator[Query]:
        """Yield its queries that have no exact answer."""
        return (query for query in self.trial.queries() if query.key in self.loose)

    def deciding(self, expect: Expectation, tolerances: Tolerances) -> Iterator[Query]:
        """Yield the queries without an exact answer that put the case in doubt: those of single views, if these do."""
        bounds = self._loose_bounds(expect)
        alone = [arm for arm in bounds if self._doubted({arm: bounds[arm]}, expect, tolerances)]
        for arm in alone or bounds:
            question = self.trial.arms[arm]
            if isinstance(question, Question):
                yield from (query for query in question.queries.values() if query.key in self.loose)

    def outcomes(self, expect: Expectation, tolerances: Tolerances) -> list[Possible]:
        """Return what the case may come to."""
        sample = self.finding.sample
        if isinstance(self.finding.reason, Unscaled) or sample.given:
            return [Possible()]
        return possible(sample, self._loose_bounds(expect), expect, tolerances)

    def _doubted(self, bounds: Mapping[str, Bounds], expect: Expectation, tolerances: Tolerances) -> bool:
        found = possible(self.finding.sample, bounds, expect, tolerances)
        return len({one.counts(expect) for one in found}) > 1

    def _loose_bounds(self, expect: Expectation) -> dict[str, Bounds]:
        """Return the bounds of the views that decide about the case and have scores that are not exact."""
        arms = sorted(decisive_arms(expect) & self.finding.sample.readings.keys())
        bounds = {arm: self._bounds(arm) for arm in arms}
        return {arm: each for arm, each in bounds.items() if any(each.values())}

    def _bounds(self, arm: str) -> Bounds:
        question = self.trial.arms[arm]
        if isinstance(question, str):
            return {}
        bound, sole = self.verifier.bound(question.metric), next(iter(question.queries.values()))
        asked = {word: question.queries.get(word, sole) for word in self.finding.sample.readings[arm].scores}
        return {word: bound if query.key in self.loose else 0.0 for word, query in asked.items()}


def _with_loose(cases: Iterable[_Case]) -> list[_Case]:
    return [case for case in cases if any(case.loose_queries())]


def _may_be_constant(cases: Sequence[_Case]) -> bool:
    """Return True if all exact scores of some cases may be one number, which would say nothing of the model."""
    ranges = [each for case in cases for each in case.ranges()]
    return bool(ranges) and max(low for low, _ in ranges) <= min(high for _, high in ranges)


def _width(may: Sequence[Possible]) -> float:
    """Return how far a case may move a mean, over all claims."""
    claims = {claim for one in may for claim in one.margins}
    return max((_high(may, claim) - _low(may, claim) for claim in claims), default=0.0)


def _low(may: Sequence[Possible], claim: str) -> float:
    return min(one.margins[claim] for one in may)


def _high(may: Sequence[Possible], claim: str) -> float:
    return max(one.margins[claim] for one in may)


def _may_turn(findings: Findings, each: Sequence[Sequence[Possible]], rule: Rule, test: Test) -> bool:
    """Return True if the verdict on means depends on where in their ranges the values are."""
    images = [one.sample.case.image.key for one in findings.each]
    counted = [(may, image) for may, image in zip(each, images, strict=True) if may[0].margins]
    claims = {claim for may, _ in counted for claim in may[0].margins}
    known = [sum(how(one.known for one in may) for may, _ in counted) for how in (all, any)]
    if len({one < FEWEST_KNOWN * len(counted) for one in known}) > 1:
        return True
    return any(
        len({sides_of_mean(_tally(counted, claim, end), rule.band, alpha, test=test) for end in (_low, _high)}) > 1
        for claim in claims
        for alpha in (rule.alpha, rule.alpha / len(claims))
    )


def _tally(
    counted: Sequence[tuple[Sequence[Possible], str]], claim: str, end: Callable[[Sequence[Possible], str], float]
) -> Tally:
    """Return the images' values of a claim at one end of their ranges, scaled to [0, 1]."""
    values = [(end(may, claim), image) for may, image in counted if claim in may[0].margins]
    return Tally.of((by_cluster(values) + 1) / 2)
