"""The measured trust in a method: a summary of its measures over the seeds of a benchmark, beside the random map."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from vlcheck._util.numbers import counted, figure
from vlcheck.explain.bench.planted import CONTROL, PLANTED_CAUSES
from vlcheck.explain.bench.records import ExplanationBench, SeedCauses, SeedScores, bench_from_json
from vlcheck.results.records import UNMEASURED
from vlcheck.stats.bootstrap import bootstrap_interval

NULL = "random"
MEASURED = Path(__file__).with_name("trust.json")
LEAST_SEEDS = 5  # an interval over fewer says nothing
NAMED_SHARE = 0.9  # share of the seeds in which a planted cause has to be named, to count as named
NOT_BETTER = "not better than random"


@dataclass(frozen=True)
class Mean:
    """A mean over seeds, with its 95 % bootstrap interval.

    Attributes:
        mean: the mean.
        low: lower end of the interval; None for fewer than LEAST_SEEDS seeds.
        high: upper end of the interval; None for fewer than LEAST_SEEDS seeds.
    """

    mean: float
    low: float | None
    high: float | None

    @classmethod
    def over(cls, values: Sequence[float]) -> Mean:
        """Return the mean of values, one a seed."""
        ends = bootstrap_interval(values) if len(values) >= LEAST_SEEDS else (None, None)
        return cls(float(np.mean(values)), *ends)


@dataclass(frozen=True)
class MethodTrust:
    """The measures of a method over the seeds of a benchmark.

    Attributes:
        method: the method's name.
        seeds: number of seeds.
        pointing: share of the maps of the match logit whose peak lies on the named thing.
        lift: share of such a map on the named thing, over the thing's share of the picture; 1 for an even map.
        gain: the same lift minus that of the random map on the same scenes.
        wins: number of seeds in which the lift is larger than that of the random map.
        distractor_lift: the lift on another thing in the picture.
        word_lift: the lift of the maps of a word's log-probability at the mask.
        precedence: share of a caption's other words with smaller values than the named thing; None without words.
        deletion: mean area under the deletion curve, and the random map's minus it.
        insertion: mean area under the insertion curve minus the random map's.
        similarity: rank correlation with the maps of a network with shuffled weights.
        cause_seeds: number of seeds whose trials of causes were explained.
        named: for each embedded model with a planted cause, the number of these seeds in which the rule names it.
        most_named: number of these seeds in which the rule names all of these causes, or all but one.
        clean: number of these seeds in which the rule names no cause for the embedded model without one.
    """

    method: str
    seeds: int
    pointing: Mean
    lift: Mean
    gain: Mean
    wins: int
    distractor_lift: Mean
    word_lift: Mean
    precedence: Mean | None
    deletion: Mean
    insertion: Mean
    similarity: Mean
    cause_seeds: int
    named: Mapping[str, int]
    most_named: int
    clean: int

    @property
    def better(self) -> bool:
        """True if the interval of the gain over the random map is above 0; it takes LEAST_SEEDS seeds."""
        return self.gain.low is not None and self.gain.low > 0

    @property
    def causes_named(self) -> int:
        """The number of planted causes that are named in at least NAMED_SHARE of the seeds."""
        return sum(count >= NAMED_SHARE * self.cause_seeds > 0 for count in self.named.values())

    @property
    def named_a_seed(self) -> float | None:
        """The mean over seeds of the number of planted causes that are named; None without such seeds."""
        return sum(self.named.values()) / self.cause_seeds if self.cause_seeds else None

    @property
    def mark(self) -> str:
        """The words that mark a method that is not shown to be better than random; "" for one that is."""
        few = f"{counted(self.seeds, 'seed')}, too few to tell"
        return "" if self.better or self.method == NULL else NOT_BETTER if self.seeds >= LEAST_SEEDS else few

    @property
    def summary(self) -> str:
        """A few words to stand beside the method's name."""
        lies = f"{figure(self.lift.mean, 1)} times as much of the map on the named thing as by chance"
        known = self.named_a_seed is not None and self.cause_seeds >= LEAST_SEEDS
        names = f"names {figure(self.named_a_seed, 1)} of {len(self.named)} planted causes"
        return f"{self.mark or lies}; {names if known else 'planted causes: not measured'}"


def trust_in(bench: ExplanationBench, method: str) -> MethodTrust:
    """Return the trust in a method of a benchmark, over the seeds in which the random map was measured, too.

    Args:
        bench: the benchmark; it has measured the random map.
        method: the name of a method that it has measured.
    """
    own, null = bench.of(method), bench.of(NULL)
    pairs = [(own[seed], null[seed]) for seed in sorted(own.keys() & null.keys())]

    def over(measure: Callable[[SeedScores], float]) -> Mean:
        return Mean.over([measure(one) for one, _ in pairs])

    def beyond(measure: Callable[[SeedScores], float]) -> Mean:
        return Mean.over([measure(one) - measure(noise) for one, noise in pairs])

    causes = bench.causes_of(method).values()
    ranks = [one.truth["match"].precedence for one, _ in pairs]
    known = [rank for rank in ranks if rank is not None]
    return MethodTrust(
        method=method,
        seeds=len(pairs),
        pointing=over(lambda one: one.truth["match"].pointing),
        lift=over(_lift),
        gain=beyond(_lift),
        wins=sum(_lift(one) > _lift(noise) for one, noise in pairs),
        distractor_lift=over(lambda one: one.truth["match"].distractor_lift),
        word_lift=over(lambda one: one.truth["word"].lift),
        precedence=Mean.over(known) if known else None,
        deletion=beyond(lambda one: -one.deletion),
        insertion=beyond(lambda one: one.insertion),
        similarity=over(lambda one: one.similarity),
        cause_seeds=len(causes),
        named={
            model: sum(one.named(model, bench.trials) == planted.cause for one in causes)
            for model, planted in PLANTED_CAUSES.items()
        },
        most_named=sum(_named(one, bench.trials) >= len(PLANTED_CAUSES) - 1 for one in causes),
        clean=sum(one.named(CONTROL, bench.trials) is None for one in causes),
    )


@cache
def trust(method: str) -> MethodTrust | None:
    """Return the trust in a method as it was measured on `tiny` for this version of vlcheck; None if it was not.

    Args:
        method: the method's name.
    """
    bench = bench_from_json(MEASURED.read_bytes())
    return trust_in(bench, method) if bench.of(method) else None


def trust_sentence(method: str, model: str = "") -> str:
    """Return the measured trust in a method as reports say it beside its name.

    Args:
        method: the method's name.
        model: name of the explained model; "" if it is not known.
    """
    measured = trust(method)
    if measured is None:
        return UNMEASURED
    where = CONTROL if model == CONTROL else f"{CONTROL}, not on your model"
    told = measured.seeds >= LEAST_SEEDS or method == NULL  # the mark of any other method names its seeds
    seeds = f", {counted(measured.seeds, 'seed')}" if told else ""
    return f"Measured on {where}{seeds}: {measured.summary}."


def _named(one: SeedCauses, trials: int) -> int:
    """Return the number of planted causes that the rule names."""
    return sum(one.named(model, trials) == planted.cause for model, planted in PLANTED_CAUSES.items())


def _lift(one: SeedScores) -> float:
    return one.truth["match"].lift
