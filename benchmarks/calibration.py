"""Count how often verdicts are wrong, on simulated runs whose truth is known.

    python -m benchmarks.calibration

Every cell is RUNS runs of n images, each with some rows, of which a share violates in expectation. How much rows of an
image agree is their correlation, of a beta-binomial law; or "rare" images violate in all their rows, and the others in
half as many as there are on average. A fail is false where the rate is allowed, a pass where it is not. Beside it are
claims about a mean; and, for values of two kinds, which deceive a bound most, the exact probability that it is wrong,
worst of a grid. The figures go to benchmarks/calibration.json, from where `python -m benchmarks.table` takes tables and
curves.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
from scipy.stats import binom

from vlcheck.behaviors.schedule import sizes
from vlcheck.stats.betting import anytime
from vlcheck.stats.bounds import Tally, Test, exact
from vlcheck.stats.decision import Status, status_of_mean, status_of_rate

RESULTS = Path(__file__).with_name("calibration.json")
RUNS = 2000
IMAGES = (30, 50, 200)
ROWS = (1, 5, 9, 21)
RATES = (0.0, 0.02, 0.05, 0.1, 0.101, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
AGREEMENT = ("0", "0.3", "1", "rare")
ALLOWED, ALPHA = 0.1, 0.05
WIDE, NARROW = "mean", "mean in a narrow band"
BANDS = {WIDE: (-0.25, 0.25), NARROW: (-0.01, 0.01)}
MEANS = {WIDE: (-0.3, 0.0, 0.25, 0.251, 0.4), NARROW: (0.0, 0.01, 0.1)}
MEANS_IMAGES = IMAGES[:2]
SHAPES = ("two values", "uniform", "narrow", "rare outliers")
LEVELS = 100  # of a value in [0, 1]
Decide = Callable[[Tally], Status]


@dataclass(frozen=True)
class Counted:
    """How some runs of a cell ended.

    Attributes:
        images: that were asked about, on average.
    """

    runs: int
    failed: int
    passed: int
    images: float


@dataclass(frozen=True)
class Cell:
    """Runs whose truth is known: a rate of violations, or the mean of values in [-1, 1].

    Attributes:
        truth: the rate, or the mean.
        kind: how rows of an image agree, or the values' distribution.
    """

    claim: str
    n: int
    truth: float
    rows: int
    kind: str
    fixed: Counted | None = None
    sequential: Counted | None = None

    @property
    def seed(self) -> list[int]:
        """Of its own, so that a cell's figures do not depend on which others there are."""
        return list(f"{self.claim} {self.n} {self.truth} {self.rows} {self.kind}".encode())


def cells() -> Iterator[Cell]:
    """All of them."""
    for n, rate in product(IMAGES, RATES):
        yield Cell("rate", n, rate, 1, "1")
        for rows, agreement in product(ROWS[1:], AGREEMENT):
            yield Cell("rate", n, rate, rows, agreement)
    for n, (claim, means), shape in product(MEANS_IMAGES, MEANS.items(), SHAPES):
        yield from (Cell(claim, n, mean, 1, shape) for mean in means)


def shares(cell: Cell, rng: np.random.Generator) -> np.ndarray:
    """The violating shares of one run's images, of the cell's rate in expectation."""
    rate, rows, n = cell.truth, cell.rows, cell.n
    match cell.kind:
        case "1":
            return (rng.random(n) < rate).astype(float)
        case "0":
            return rng.binomial(rows, rate, n) / rows
        case "rare":
            some = rate / 2
            whole = rng.random(n) < (rate - some) / (1 - some)
            return np.where(whole, 1.0, rng.binomial(rows, some, n) / rows)
    if rate == 0:
        return np.zeros(n)
    spread = 1 / float(cell.kind) - 1
    return rng.binomial(rows, rng.beta(rate * spread, (1 - rate) * spread, n)) / rows


def units(cell: Cell, rng: np.random.Generator) -> np.ndarray:
    """The values of one run's images, scaled from [-1, 1] to [0, 1], of the cell's mean in expectation."""
    mean, n = (cell.truth + 1) / 2, cell.n
    match cell.kind:
        case "two values":
            return (rng.random(n) < mean).astype(float)
        case "uniform":
            return rng.binomial(LEVELS, rng.beta(2 * mean, 2 * (1 - mean), n)) / LEVELS
        case "narrow":
            return rng.binomial(LEVELS, rng.beta(100 * mean, 100 * (1 - mean), n)) / LEVELS
    return np.where(rng.random(n) < 0.02, 0.0, mean / 0.98)


def measured(cell: Cell, runs: int = RUNS) -> Cell:
    """The cell with what came of its runs."""
    rng = np.random.default_rng(cell.seed)
    draw = shares if cell.claim == "rate" else units
    drawn = [draw(cell, rng) for _ in range(runs)]
    once, often = (decides(cell.claim, test) for test in (exact, anytime))
    fixed = Counter(once(Tally.of(values)) for values in drawn)
    ends = [sequentially(values, often) for values in drawn]
    stopped = Counter(status for status, _ in ends)
    return replace(
        cell,
        fixed=Counted(runs, fixed["fail"], fixed["pass"], cell.n),
        sequential=Counted(runs, stopped["fail"], stopped["pass"], float(np.mean([n for _, n in ends]))),
    )


def decides(claim: str, test: Test) -> Decide:
    """Return the function that decides a claim by a test."""
    if claim == "rate":
        return lambda sample: status_of_rate(sample, ALLOWED, ALPHA, test=test)
    return lambda sample: status_of_mean(sample, BANDS[claim], ALPHA, test=test)


def sequentially(values: np.ndarray, decide: Decide, *, unjudged: int = 0) -> tuple[Status, int]:
    """Return how a run ends that stops once it is decided, and after how many images; the first are not judged."""
    status: Status = "inconclusive"
    for n in sizes(len(values)):
        if n > unjudged:
            status = decide(Tally.of(values[unjudged:n]))
        if status != "inconclusive":
            break
    return status, n


def allowed(cell: Cell) -> bool:
    """Whether the truth is within what is allowed."""
    low, high = (0.0, ALLOWED) if cell.claim == "rate" else BANDS[cell.claim]
    return low <= cell.truth <= high


def wrong(cell: Cell, counted: Counted) -> int:
    """How many of the verdicts are false."""
    return counted.failed if allowed(cell) else counted.passed


def bound(runs: int = RUNS) -> float:
    """The share of false verdicts that is no more than alpha and three Monte-Carlo standard errors."""
    return ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / runs)


def worst_of_two_values(n: int, mean: float, steps: int = 20) -> float:
    """The highest exact probability that `mean` is rejected although it is true, of values of two kinds.

    Args:
        n: how many values are drawn.
        mean: what they are rejected as being above, in (0, 1).
        steps: grid points below and above the mean.
    """
    below, above = np.linspace(0, mean, steps, endpoint=False), np.linspace(1, mean, steps, endpoint=False)
    return max(_rejected(n, mean, low, high) for low, high in product(below, above))


def _rejected(n: int, mean: float, low: float, high: float) -> float:
    """The probability that n values, each `low` or `high` so that `mean` is true, reject it."""
    share = (mean - low) / (high - low)

    def rejects(x: int) -> bool:
        counts = np.array([n - x, x])
        return exact(Tally(np.array([low, high])[counts > 0], counts[counts > 0]), mean) < ALPHA

    fewest = next((x for x in range(n + 1) if rejects(x)), n + 1)
    return float(binom.sf(fewest - 1, n, share))


@cache
def _two_values(n: int) -> dict[str, float]:
    return {"fail": worst_of_two_values(n, ALLOWED), "pass": worst_of_two_values(n, 1 - ALLOWED)}


def main() -> None:
    with ProcessPoolExecutor() as pool:
        found = list(pool.map(measured, cells(), chunksize=4))
        deceived = dict(zip(IMAGES, pool.map(_two_values, IMAGES), strict=True))
    rows = ",\n".join(json.dumps(asdict(one)) for one in found)
    head = f'"runs": {RUNS}, "two_values": {json.dumps(deceived)}'
    RESULTS.write_text(f'{{{head}, "cells": [\n{rows}\n]}}\n', encoding="utf-8")
    for one in found:
        if any(counted and wrong(one, counted) > bound() * RUNS for counted in (one.fixed, one.sequential)):
            print(f"above the bound of {bound():.4f}: {one}")


if __name__ == "__main__":
    main()
