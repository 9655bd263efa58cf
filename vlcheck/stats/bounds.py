"""Bounds on the mean of values in [0, 1], one an image, that assume nothing but the range.

A test gives the p-value of the hypothesis that the mean is at most a given value. A bound is the value at which the
test begins to reject.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import betainc  # scipy.stats takes half a second to import

_NEAR = 1e-9
# The trapezoidal rule after the substitution of sinh converges exponentially, also where the integrand has long tails.
_STRETCHED = np.arange(0.0, 20.0, 0.05)
_WEIGHTS = 0.05 * np.cosh(_STRETCHED) * np.where(_STRETCHED > 0, 1.0, 0.5)
_BLOCKS = tuple(zip(np.split(np.sinh(_STRETCHED), 10), np.split(_WEIGHTS, 10), strict=True))
_NOTHING = 1e-17  # a share too small to change a sum in float64


@dataclass(frozen=True)
class Tally:
    """Values in [0, 1] with the number of images that have each value; their order carries no information.

    Attributes:
        values: distinct values, ascending: (k,), float64.
        counts: the number of images for each value, above 0: (k,). The counts of a sample that is scaled to another
            size need not be whole numbers.
    """

    values: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, values: Iterable[float]) -> Tally:
        """Count values in [0, 1], one an image."""
        return cls(*np.unique(np.fromiter(values, dtype=np.float64), return_counts=True))

    @classmethod
    def of_violations(cls, x: float, n: float) -> Tally:
        """Return the tally of n images, of which x violate in all their rows and the others in none.

        Args:
            x: number of violating images, from 0 to n.
            n: number of images, above 0.
        """
        counts = np.array([n - x, x], dtype=np.float64)
        return cls(np.array([0.0, 1.0])[counts > 0], counts[counts > 0])

    @property
    def n(self) -> float:
        """The number of images."""
        return float(self.counts.sum())

    @property
    def mean(self) -> float:
        return float(self.values @ self.counts / self.counts.sum())

    @property
    def deviation(self) -> float:
        """The standard deviation."""
        return math.sqrt(max(0.0, float(self.values**2 @ self.counts) / self.n - self.mean**2))

    def mirrored(self) -> Tally:
        """Return the tally of 1 minus each value."""
        return Tally(1.0 - self.values[::-1], self.counts[::-1])

    def moved(self, mean: float) -> Tally:
        """Return the values shifted so that `mean` is their mean, clipped to [0, 1]."""
        return Tally(np.clip(self.values + (mean - self.mean), 0.0, 1.0), self.counts)

    def times(self, factor: float) -> Tally:
        """Return the same values with each count multiplied by `factor`."""
        return Tally(self.values, self.counts * factor)


# (sample, mean) -> p-value of the hypothesis that the mean of the population is at most `mean`.
Test = Callable[[Tally, float], float]


def exact(sample: Tally, mean: float) -> float:
    """Return the p-value of "the mean is at most `mean`", for a number of images that is fixed beforehand.

    The values and one additional 0 get random weights, drawn uniformly from all weights that sum to 1. The p-value is
    the probability that the weighted mean is at most `mean`. For values 0 and 1 this is the exact binomial test, whose
    bound is that of Clopper and Pearson. For other values it was a conjecture of Gaffke, which Vlassis and Thomas have
    proved, and which `benchmarks/calibration.py` tests by simulation.

    Args:
        sample: values in [0, 1], one an image, with their counts.
        mean: the largest mean under the hypothesis, in [0, 1].

    Returns:
        The p-value, in [0, 1].

    Source: Gaffke, Mathematical Methods of Statistics 14, 2005; Learned-Miller and Thomas, arXiv:1905.06208; Vlassis
    and Thomas, arXiv:2607.08415; Clopper and Pearson, Biometrika 26, 1934.
    """
    if sample.values[-1] == 0:
        return 1.0
    if mean <= 0:
        return 0.0
    if set(sample.values.tolist()) <= {0.0, 1.0}:
        x = float(sample.counts[-1])
        return float(betainc(x, sample.n - x + 1, mean))
    if sample.values[-1] <= mean:
        return 1.0
    return _weighted_sum_below(np.append(sample.values, 0.0) - mean, np.append(sample.counts, 1.0))


def lower(test: Test, sample: Tally, alpha: float) -> float:
    """Return the one-sided lower bound of the mean: the highest mean that the test rejects at alpha.

    Args:
        test: the test, of the hypothesis that the mean is at most a value.
        sample: values in [0, 1], one an image, with their counts.
        alpha: error rate of the bound, in (0, 1).

    Returns:
        The bound, in [0, 1]: at most the mean of the sample, and 0 if the test rejects no mean.
    """
    seen = sample.mean
    if seen <= _NEAR or test(sample, _NEAR) >= alpha:
        return 0.0
    if test(sample, seen) < alpha:
        return seen
    return float(brentq(lambda mean: test(sample, mean) - alpha, _NEAR, seen, xtol=1e-12))


def upper(test: Test, sample: Tally, alpha: float) -> float:
    """Return the one-sided upper bound of the mean, by the lower bound of the mirrored sample.

    Args:
        test: the test, of the hypothesis that the mean is at most a value.
        sample: values in [0, 1], one an image, with their counts.
        alpha: error rate of the bound, in (0, 1).

    Returns:
        The bound, in [0, 1]: at least the mean of the sample.

    Example:
        >>> round(upper(exact, Tally.of_violations(0, 60), 0.05), 3)  # no violation in 60 images
        0.049
    """
    return 1.0 - lower(test, sample.mirrored(), alpha)


def _weighted_sum_below(values: np.ndarray, counts: np.ndarray) -> float:
    """Return P(sum of values x Gamma(counts) <= 0), for values on both sides of 0.

    This integrates the inverse Laplace transform of the sum's moment generating function along the line through its
    saddle point, where the integrand decreases fastest and does not oscillate.
    """
    left, right = (1 - _NEAR) / float(values.min()), (1 - _NEAR) / float(values.max())
    saddle = brentq(lambda s: float((counts * values / (1 - s * values)).sum()), left, right)
    room = min(-left / 2, right / 2, 1 / math.sqrt(float((counts * values**2).sum())))
    start = saddle if abs(saddle) > room else -room  # the integrand has a pole at 0
    width = 1 / math.sqrt(float((counts * (values / (1 - start * values)) ** 2).sum()))

    height = -float((counts * np.log(1 - start * values)).sum())
    total = 0.0
    for steps, weights in _BLOCKS:
        line = start + 1j * width * steps
        log_transform = -(counts * np.log(1 - line[:, None] * values)).sum(axis=1)
        parts = (np.exp(log_transform - height) / line).real * weights
        total += float(parts.sum())
        if np.abs(parts).max() < _NOTHING * abs(total):
            break
    area = math.exp(height) * width / math.pi * total
    # On a line left of the pole the integral is the probability's complement minus 1.
    return min(1.0, max(0.0, -area if start < 0 else 1 - area))
