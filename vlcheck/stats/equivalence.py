"""Tests of equivalence: is a difference shown to be within a margin, shown to be beyond it, or neither?

A usual test begins with "there is no difference", and few images never refute it. A test of equivalence begins with
"the difference is as large as the margin", and few images never refute that: sameness has to be shown.

Source: Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15, 1987 (two one-sided tests); Berger,
Technometrics 24, 1982 (several criteria, each tested at alpha, are all met by chance at a rate of at most alpha).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from vlcheck.stats.bounds import Tally, exact, lower, upper
from vlcheck.stats.power import MOST_CASES

Sameness = Literal["same", "different", "inconclusive"]


@dataclass(frozen=True)
class Criterion(ABC):
    """A mean over images, held to a margin; bounds and p-values are computed when they are read.

    Attributes:
        name: name of the criterion.
        sample: one value an image, in [0, 1].
        margin: the margin, in (0, 1).
        alpha: error rate of each bound, in (0, 0.5).
    """

    name: str
    sample: Tally
    margin: float
    alpha: float

    @property
    def mean(self) -> float:
        """The mean over the images."""
        return self.sample.mean

    @cached_property
    def low(self) -> float:
        """The lower bound of the mean at alpha; with the upper one it holds with probability 1 - 2 alpha."""
        return lower(exact, self.sample, self.alpha)

    @cached_property
    def high(self) -> float:
        """The upper bound of the mean at alpha."""
        return upper(exact, self.sample, self.alpha)

    @property
    @abstractmethod
    def p_same(self) -> float:
        """The p-value of the hypothesis that the mean is at the margin or beyond it."""

    @property
    @abstractmethod
    def p_different(self) -> float:
        """The p-value of the hypothesis that the mean is within the margin."""


@dataclass(frozen=True)
class ShareCriterion(Criterion):
    """A mean of values that are never negative: one of the two one-sided tests is met by definition."""

    @cached_property
    def p_same(self) -> float:
        return exact(self.sample.mirrored(), 1 - self.margin)

    @cached_property
    def p_different(self) -> float:
        return exact(self.sample, self.margin)


@dataclass(frozen=True)
class ShiftCriterion(Criterion):
    """A mean of values in [-1, 1], scaled to [0, 1]: two one-sided tests, one for each end of (-margin, margin)."""

    @property
    def mean(self) -> float:
        return 2 * super().mean - 1

    @cached_property
    def low(self) -> float:
        return 2 * lower(exact, self.sample, self.alpha) - 1

    @cached_property
    def high(self) -> float:
        return 2 * upper(exact, self.sample, self.alpha) - 1

    @cached_property
    def p_same(self) -> float:
        inside = (1 - self.margin) / 2
        return max(exact(self.sample.mirrored(), inside), exact(self.sample, inside))

    @cached_property
    def p_different(self) -> float:
        outside = (1 + self.margin) / 2
        return min(1.0, 2 * min(exact(self.sample, outside), exact(self.sample.mirrored(), outside)))


def decide(criteria: Sequence[Criterion], alpha: float) -> Sameness:
    """Return "same" if every criterion is within its margin, "different" if one is beyond it.

    Each criterion has to be within its margin at alpha, so that no correction is needed. One criterion beyond its
    margin is enough, so each is tested at its share of alpha (Bonferroni).

    Args:
        criteria: the criteria; without any nothing is shown.
        alpha: error rate of either answer, in (0, 0.5).

    Example:
        >>> nothing = Tally.of_violations(0, 200)
        >>> decide([ShareCriterion("changed", nothing, margin=0.05, alpha=0.05)], alpha=0.05)
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
        criteria: list[Criterion] = [ShareCriterion("", none, margin, alpha) for margin in shares]
        return decide([*criteria, ShiftCriterion("", still, shift, alpha)], alpha) == "same"

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
    """Return the least number from `low` to MOST_CASES for which `true` holds; it must hold for all larger ones."""
    if low > MOST_CASES or not true(MOST_CASES):
        return None
    return low + bisect_left(range(low, MOST_CASES), True, key=true)
