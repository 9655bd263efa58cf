"""Simulated tests whose truth is known, with the operating scale fitted anew in each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise, product
from typing import Protocol

import numpy as np
from scipy.special import expit, softmax
from scipy.stats import norm, qmc

from benchmarks.calibration import ALLOWED, decides, sequentially
from vlcheck.behaviors.schedule import FIRST_LOOK, FOLDS, doubled
from vlcheck.metrics.tolerances import Tolerances
from vlcheck.stats.betting import anytime
from vlcheck.stats.bounds import Tally, exact
from vlcheck.stats.operating_scale import Scale, fit_alone, fit_closed

RUNS, FEWER_RUNS = 2000, 1000
ALONE, CLOSED = "alone", "closed set"
ONCE, SEQUENTIALLY = "once", "sequentially"
RATES = (0.02, 0.05, ALLOWED, 0.101, 0.15, 0.2, 0.3)
FEW_RATES = (0.05, ALLOWED, 0.101, 0.2)
_POINTS = 400  # of a distribution
_NOISE = 2**15  # low-discrepancy draws: the images that are very many


class Scores(Protocol):
    """Scores of a metric, in logits whose true text or word stands in the first column.

    Attributes:
        width: how many logits an image has.
        own: mean true one with the own picture.
        other: the same with another picture.
    """

    width: int
    own: float
    other: float

    def fit(self, own: np.ndarray, other: np.ndarray) -> Scale:
        """Fit a scale to logits with own and other pictures, (n, width) each."""

    def levels(self, scale: Scale, logits: np.ndarray) -> np.ndarray:
        """Return logits on a scale, (n,)."""


class Alone:
    """A probability that stands alone."""

    width, own, other = 1, 4.0, -4.0

    def fit(self, own: np.ndarray, other: np.ndarray) -> Scale:
        return fit_alone(expit(own[:, 0]).tolist(), expit(other[:, 0]).tolist())

    def levels(self, scale: Scale, logits: np.ndarray) -> np.ndarray:
        return np.asarray(expit(scale.gain * np.clip(logits[:, 0], *scale.edges) + scale.offset))


class ClosedSet:
    """The share of a word among eight, of which the others have a mean logit of 0 and a spread of 1."""

    width, own, other = 8, 4.0, 0.0

    def fit(self, own: np.ndarray, other: np.ndarray) -> Scale:
        sets = [(row[0], row[1:]) for row in softmax(own, axis=1).tolist()]
        return Scale(power=fit_closed(sets))

    def levels(self, scale: Scale, logits: np.ndarray) -> np.ndarray:
        return np.asarray(softmax(scale.power * logits, axis=1)[:, 0])


SCORES: Mapping[str, Scores] = {ALONE: Alone(), CLOSED: ClosedSet()}


@dataclass(frozen=True)
class Cell:
    """Tests of one true rate, on scales that are fitted to so many images each.

    Attributes:
        expects: "preserved" or "drops".
        spread: standard deviation of the true logit after the edit, that of own pictures being 1.
        scores: ALONE or CLOSED.
        looks: ONCE, with a scale for each fold; or SEQUENTIALLY, with a scale for each batch.
    """

    expects: str
    n: int
    truth: float
    spread: float
    scores: str = ALONE
    looks: str = ONCE
    runs: int = RUNS
    fails: int = 0
    passes: int = 0

    @property
    def wrong(self) -> int:
        """The number of false verdicts."""
        return self.fails if self.truth <= ALLOWED else self.passes

    @property
    def seed(self) -> list[int]:
        """Of its own, so that a cell's figures do not depend on which others there are."""
        return list(f"{self.expects} {self.n} {self.truth} {self.spread} {self.scores} {self.looks}".encode())


def cells() -> Iterator[Cell]:
    """All of them."""
    expects, spreads, edge = ("preserved", "drops"), (1.0, 3.0), (ALLOWED, 0.101)
    yield from (Cell(*one) for one in product(expects, (30, 50, 200), RATES, spreads))
    more = (
        *product(expects, (50, 200), FEW_RATES, spreads, [ALONE], [SEQUENTIALLY]),
        *product(expects, (30, 50, 200), FEW_RATES, spreads, [CLOSED], [ONCE]),
        *product(expects, (50, 200), edge, spreads, [CLOSED], [SEQUENTIALLY]),
    )
    yield from (Cell(*one, runs=FEWER_RUNS) for one in more)


def simulated(cell: Cell) -> Cell:
    """Draw tests whose true rate of violations is known on the scale that infinitely many images would set."""
    random, middle = np.random.default_rng(cell.seed), middle_of(cell)
    found = Counter(_status(cell, middle, random) for _ in range(cell.runs))
    return replace(cell, fails=found["fail"], passes=found["pass"])


def middle_of(cell: Cell) -> float:
    """The mean true logit after the edit at which the true rate of violations is the cell's; by bisection."""
    scores = SCORES[cell.scores]
    noise = norm.ppf(qmc.Sobol(scores.width, seed=0).random(_NOISE))
    scale = scores.fit(logits_of(noise, scores.own), logits_of(noise, scores.other))

    def points(mean: float, spread: float) -> np.ndarray:
        levels = scores.levels(scale, logits_of(noise, mean, spread))
        return np.asarray(np.quantile(levels, (np.arange(_POINTS) + 0.5) / _POINTS))

    before = points(scores.own, 1.0)[:, None]
    low, high = -30.0, 30.0
    for _ in range(40):
        at = (low + high) / 2
        rate = violates(cell, before, points(at, cell.spread)).mean()
        low, high = (at, high) if (rate > cell.truth) == (cell.expects == "preserved") else (low, at)
    return (low + high) / 2


def logits_of(noise: np.ndarray, mean: float, spread: float = 1.0) -> np.ndarray:
    """Logits of images, given standard normal noise, (n, width): the first column is that of the true word."""
    logits = noise.copy()
    logits[:, 0] = mean + spread * noise[:, 0]
    return logits


def _status(cell: Cell, middle: float, random: np.random.Generator) -> str:
    scores = SCORES[cell.scores]
    noise = random.standard_normal((3, cell.n, scores.width))
    own, other = logits_of(noise[0], scores.own), logits_of(noise[1], scores.other)
    after = logits_of(noise[2], middle, cell.spread)
    violated = np.zeros(cell.n)
    for taught, here in cross_fitted(cell.n) if cell.looks == ONCE else predictable(cell.n):
        scale = scores.fit(own[taught], other[taught])
        violated[here] = violates(cell, scores.levels(scale, own[here]), scores.levels(scale, after[here]))
    if cell.looks == ONCE:
        return decides("rate", exact)(Tally.of(violated))
    return sequentially(violated, decides("rate", anytime), unjudged=FIRST_LOOK)[0]


def cross_fitted(n: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield for each fold which images set its scale, and which are judged by it; images are in a random order."""
    fold = np.arange(n) % FOLDS
    yield from ((fold != one, fold == one) for one in range(FOLDS))


def predictable(n: int) -> Iterator[tuple[slice, slice]]:
    """Yield the same for each batch: those before it set its scale, so that the first one is not judged."""
    yield from ((slice(start), slice(start, end)) for start, end in pairwise([*doubled(FIRST_LOOK, n), n]))


def violates(cell: Cell, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return True for each image that violates what the cell expects, given levels before and after the edit: (n,)."""
    tolerances = Tolerances()
    if cell.expects == "preserved":
        return np.asarray(before - after >= tolerances.within)
    drop, below, above = before - after - tolerances.by, tolerances.below - after, before - tolerances.below
    return np.asarray(np.minimum(np.minimum(drop, below), above) <= 0)
