"""Verdicts of an exact number type from scores of a fast one: what has to be asked again, so that nothing differs.

A part of the queries is asked in both types. The largest difference that they show, in log-odds, times a factor of
safety, is the bound of how far any fast score may be off. A case is asked again if moving its scores within the bound
could change what the verdict counts of it; a claim about a mean, if it could change the verdict. Every query that is
asked again adds to what is known of the difference, and the bound grows with it. The scores that set the operating
scale are exact.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from vlcheck._util.hashing import digest
from vlcheck.behaviors.behavior import Behavior, Trial
from vlcheck.evaluation.differences import Differences
from vlcheck.evaluation.doubt import Doubt
from vlcheck.evaluation.outcomes import Findings
from vlcheck.evaluation.steps import Round
from vlcheck.metrics.kinds import Metric
from vlcheck.metrics.query import Query
from vlcheck.metrics.registry import METRICS
from vlcheck.metrics.tolerances import Tolerances
from vlcheck.policy.policy import Rule
from vlcheck.scoring.two_types import TwoTypes
from vlcheck.stats.bounds import Test

SAMPLED = 0.02  # share of the queries of a metric that are asked in both types
FEWEST_SAMPLED = 32  # the least number of them


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


@dataclass(frozen=True)
class Verifier:
    """Finds the queries that have to be asked in the exact type, too.

    Attributes:
        scorer: the model in both types.
        differences: the differences between both that were seen, by metric.
        means: whether every case of a claim about a mean is asked again, since another run is compared with it.
        doubt: finds the queries whose answers could change a verdict.
    """

    scorer: TwoTypes
    differences: dict[Metric, Differences] = field(default_factory=dict)
    means: bool = False
    _begun: set[str] = field(default_factory=set, repr=False)
    _sampled: dict[str, Query] = field(default_factory=dict, repr=False)
    _compared: set[str] = field(default_factory=set, repr=False)
    _settled: dict[tuple[object, ...], float] = field(default_factory=dict, repr=False)

    @cached_property
    def doubt(self) -> Doubt:
        return Doubt(self.bound, self.means)

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
        return stage, behavior.name, repr(behavior.expect), metric, len(trials), last  # it need not be hashable

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
        for key, answer in fast.items():
            metric = fresh[key].metric
            self.differences.setdefault(metric, Differences()).add(METRICS[metric], answer, exact[key])
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
        return self.doubt.queries(findings, trials, loose, tolerances, rule, test) if loose else []
