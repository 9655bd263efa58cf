"""Doubt: the queries whose answers in a fast number type could change a verdict, if they are off within a bound."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from vlcheck.behaviors.behavior import Behavior, Trial
from vlcheck.evaluation.finding import Finding, decisive_arms
from vlcheck.evaluation.guards import FEWEST_KNOWN
from vlcheck.evaluation.nearby import Bounds, Possible, possible
from vlcheck.evaluation.outcomes import Findings
from vlcheck.expect.base import WHOLE, Expectation, Unscaled
from vlcheck.metrics.kinds import Metric
from vlcheck.metrics.query import Query
from vlcheck.metrics.question import Question
from vlcheck.metrics.tolerances import Tolerances
from vlcheck.policy.policy import Rule
from vlcheck.stats.bootstrap import by_cluster
from vlcheck.stats.bounds import Tally, Test
from vlcheck.stats.decision import sides_of_mean
from vlcheck.stats.log_odds import log_odds, shifted

Bound = Callable[[Metric], float]
_AT_ONCE = 0.25  # share of the cases of a mean that are asked again before it is looked at again
_FEWEST_AT_ONCE = 8  # the least number of cases
_RARE = 0.1  # share of the cases that have an outcome, up to which each of them is asked again


@dataclass(frozen=True)
class Doubt:
    """Finds the queries that a verdict could change by, if their answers are off within the bound of their metric.

    Attributes:
        bound: returns the bound of the scores of a metric, in log-odds.
        means: whether every case of a claim about a mean is in doubt, since another run is compared with it.
    """

    bound: Bound
    means: bool = False
    _tried: dict[tuple[object, ...], list[Possible]] = field(default_factory=dict, repr=False)

    def queries(
        self,
        findings: Findings,
        trials: Sequence[Trial],
        loose: Collection[str],
        tolerances: Tolerances,
        rule: Rule,
        test: Test,
    ) -> list[Query]:
        """Return the queries to ask in the exact type before a verdict can be taken from findings.

        Args:
            findings: the findings on some cases, from the scores that there are.
            trials: their questions, in the same order.
            loose: the keys of the queries that have a fast answer alone.
            tolerances: the tolerances of the policy.
            rule: the policy's statistical limits.
            test: the statistical test.
        """
        cases = [_Case(one, trial, loose, self.bound) for one, trial in zip(findings.each, trials, strict=True)]
        if findings.constant or any(case.is_unbounded for case in cases):
            return [query for case in cases for query in case.loose_queries()]
        if unsound := [case for case in cases if case.unsound]:
            return [query for case in unsound for query in case.loose_queries()]
        if _may_be_constant(cases):
            return [query for case in _with_loose(cases)[:_FEWEST_AT_ONCE] for query in case.loose_queries()]
        expect = findings.behavior.expect
        each = [self._outcomes(case, findings.behavior, tolerances) for case in cases]
        open_ = [case for case, may in zip(cases, each, strict=True) if len({one.counts(expect) for one in may}) > 1]
        if not open_:
            open_ = self._of_mean(findings, cases, each, rule, test) if expect.claim == "mean" else _rare(cases, each)
        return [query for case in open_ for query in case.deciding(expect, tolerances)]

    def _outcomes(self, case: _Case, behavior: Behavior, tolerances: Tolerances) -> list[Possible]:
        """Return what a case may come to; it is computed once for what is known of its scores."""
        loose = list(case.loose_queries())
        if not loose:
            return case.outcomes(behavior.expect, tolerances)
        scales = {reading.scale for reading in case.finding.sample.readings.values()}
        bound, keys = self.bound(loose[0].metric), (query.key for query in loose)
        heard = frozenset(case.finding.sample.readings)  # at an earlier stage, fewer views are heard
        named = behavior.name, repr(behavior.expect), case.trial.case.id, case.trial.perturbation
        key = *named, bound, heard, *scales, *keys
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
        finding: the finding on the case, from the scores that there are.
        trial: its questions.
        loose: the keys of the queries that have no exact answer.
        bound: returns the bound of the scores of a metric.
    """

    finding: Finding
    trial: Trial
    loose: Collection[str]
    bound: Bound

    @property
    def is_scaled(self) -> bool:
        """True if the answers decide about the case: the model's construction does not, and there is a scale."""
        return not (isinstance(self.finding.reason, Unscaled) or self.finding.sample.given)

    @property
    def is_unbounded(self) -> bool:
        """True if a fast answer may be off by anything."""
        return any(math.isinf(self.bound(query.metric)) for query in self.loose_queries())

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
        if not self.is_scaled:
            return [Possible()]
        return possible(self.finding.sample, self._loose_bounds(expect), expect, tolerances)

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
        bound, sole = self.bound(question.metric), next(iter(question.queries.values()))
        asked = {word: question.queries.get(word, sole) for word in self.finding.sample.readings[arm].scores}
        return {word: bound if query.key in self.loose else 0.0 for word, query in asked.items()}


def _with_loose(cases: Iterable[_Case]) -> list[_Case]:
    return [case for case in cases if any(case.loose_queries())]


def _rare(cases: Sequence[_Case], each: Sequence[Sequence[Possible]]) -> list[_Case]:
    """Return the cases with a fast answer whose outcome is rare: most scores that are off by far lead to one."""
    pairs = [(case, may[0]) for case, may in zip(cases, each, strict=True) if case.is_scaled]
    ends = [(one.reason, one.margins.get(WHOLE, 1.0) > 0, one.known) for _, one in pairs]
    held = Counter(ends)
    return _with_loose(case for (case, _), end in zip(pairs, ends, strict=True) if held[end] <= _RARE * len(pairs))


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
