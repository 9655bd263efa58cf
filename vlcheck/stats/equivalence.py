"""Tests of equivalence: is a difference shown to be within a margin, shown to be beyond it, or neither?

A usual test begins with "there is no difference", and few images never refute it. A test of equivalence begins with
"the difference is as large as the margin", and few images never refute that: sameness has to be shown.

Source: Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15, 1987 (two one-sided tests); Berger, Technometrics
24, 1982 (several criteria, each tested at alpha, are all met by chance at a rate of at most alpha).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vlcheck.stats.bounds import Tally, exact, lower, upper
from vlcheck.stats.power import MOST_CASES

Sameness = Literal["same", "different", "inconclusive"]


@dataclass(frozen=True)
class Criterion:
    """A mean over images, held to a margin.

    Attributes:
        name: name of the criterion.
        mean: the mean over the images.
        low: lower bound of the mean at alpha; of a mean that cannot be negative, 0 if nothing is shown.
        high: upper bound of the mean at alpha. Both bounds together hold with probability 1 - 2 alpha.
        margin: the margin, above 0.
        p_same: p-value of the hypothesis that the mean is at the margin or beyond it.
        p_different: p-value of the hypothesis that the mean is within the margin.
    """

    name: str
    mean: float
    low: float
    high: float
    margin: float
    p_same: float
    p_different: float


def test_share(name: str, sample: Tally, margin: float, alpha: float) -> Criterion:
    """Test a mean of values that are never negative: one of the two one-sided tests is met by definition.

    Args:
        name: name of the criterion.
        sample: values in [0, 1], one an image.
        margin: the margin, in (0, 1).
        alpha: error rate of each bound, in (0, 0.5).
    """
    return Criterion(
        name,
        sample.mean,
        lower(exact, sample, alpha),
        upper(exact, sample, alpha),
        margin,
        p_same=exact(sample.mirrored(), 1 - margin),
        p_different=exact(sample, margin),
    )


def test_shift(name: str, sample: Tally, margin: float, alpha: float) -> Criterion:
    """Test a mean of signed values by two one-sided tests, one for each end of (-margin, margin).

    Args:
        name: name of the criterion.
        sample: values in [-1, 1], scaled to [0, 1], one an image.
        margin: the margin, in (0, 1).
        alpha: error rate of each bound, in (0, 0.5).
    """
    below, above = (1 - margin) / 2, (1 + margin) / 2
    mirrored = sample.mirrored()
    beyond = min(exact(sample, above), exact(mirrored, 1 - below))
    return Criterion(
        name,
        2 * sample.mean - 1,
        2 * lower(exact, sample, alpha) - 1,
        2 * upper(exact, sample, alpha) - 1,
        margin,
        p_same=max(exact(mirrored, 1 - above), exact(sample, below)),
        p_different=min(1.0, 2 * beyond),
    )


def decide(criteria: Sequence[Criterion], alpha: float) -> Sameness:
    """Return "same" if every criterion is within its margin, "different" if one is beyond it.

    Each criterion has to be within its margin at alpha, so that no correction is needed. One criterion beyond its margin
    is enough, so each is tested at its share of alpha (Bonferroni).

    Args:
        criteria: the criteria; without any nothing is shown.
        alpha: error rate of either answer, in (0, 0.5).

    Example:
        >>> nothing = Tally.of_violations(0, 200)
        >>> decide([test_share("changed", nothing, 0.05, alpha=0.05)], alpha=0.05)
        'same'
    """
    if not criteria:
        return "inconclusive"
    if min(one.p_different for one in criteria) < alpha / len(criteria):
        return "different"
    return "same" if all(one.p_same <= alpha for one in criteria) else "inconclusive"


def fewest_same(shares: Sequence[float], shift: float, alpha: float) -> int | None:
    """Return the least number of images at which models that do not differ at all are called the same.

    Args:
        shares: the margins of means that are never negative, each in (0, 1).
        shift: the margin of the signed mean, in (0, 1).
        alpha: error rate of each bound, in (0, 0.5).

    Returns:
        The number, or None if 100,000 images do not show it.

    Example:
        >>> fewest_same([0.05], 0.9, 0.05)
        59
    """

    def shown(n: int) -> bool:
        none, still = Tally.of_violations(0, n), Tally(np.array([0.5]), np.array([float(n)]))
        criteria = [*(test_share("", none, margin, alpha) for margin in shares), test_shift("", still, shift, alpha)]
        return decide(criteria, alpha) == "same"

    return _first(shown)


def needed_same(criteria: Callable[[float], Sequence[Criterion]], n: int, alpha: float) -> int | None:
    """Return the least larger number of images at which the same distribution of differences would decide.

    Args:
        criteria: returns the criteria of the sample with the count of each value multiplied by a factor.
        n: number of images of the sample.
        alpha: error rate of either answer, in (0, 0.5).

    Returns:
        The number, or None if 100,000 images would not decide.
    """
    return _first(lambda size: decide(criteria(size / n), alpha) != "inconclusive", n + 1)


def _first(true: Callable[[int], bool], low: int = 1) -> int | None:
    """Return the least number from `low` to MOST_CASES for which `true` holds, and then for all larger ones; or None."""
    if low > MOST_CASES or not true(MOST_CASES):
        return None
    return low + bisect_left(range(low, MOST_CASES), True, key=true)
