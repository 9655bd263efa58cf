"""Bounds on a bounded mean by betting.

Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", JRSS-B 86 (2024): under the
hypothesis that the mean is m, a gambler who bets on each value before seeing it has a wealth whose expectation stays
1, so that the wealth exceeds 1 / alpha with probability at most alpha at any time (Ville).
"""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import brentq

_CAUTION = 0.75  # bets stay under this share of the largest that could not bankrupt
_GRID = 1e-6


def lower_bound(values: np.ndarray, alpha: float) -> float:
    """A lower bound on the mean of values in [0, 1] that holds with probability 1 - alpha; never above their mean."""
    bets = _bets(values, alpha)

    def evidence(mean: float) -> float:
        return _log_wealth(values, bets, mean) + math.log(alpha)

    seen = float(values.mean())
    if seen <= _GRID or evidence(_GRID) <= 0:
        return 0.0
    if evidence(seen) > 0:
        return seen
    return float(brentq(evidence, _GRID, seen))


def upper_bound(values: np.ndarray, alpha: float) -> float:
    """The same from above."""
    return 1.0 - lower_bound(1.0 - values, alpha)


def p_value(values: np.ndarray, mean: float, alpha: float) -> float:
    """Of the hypothesis that the mean is at most this: 1 / the wealth of betting against it, at most 1."""
    if mean <= 0:
        return 0.0 if values.max() > 0 else 1.0
    return float(min(1.0, math.exp(-_log_wealth(values, _bets(values, alpha), mean))))


def _bets(values: np.ndarray, alpha: float) -> np.ndarray:
    """Predictable plug-in bets (equation 26 there): each rests on the values before it alone."""
    n = len(values)
    count = np.arange(1, n + 1)
    means = (0.5 + np.cumsum(values)) / (count + 1)
    variances = (0.25 + np.cumsum((values - means) ** 2)) / (count + 1)
    before = np.concatenate([[0.25], variances[:-1]])
    return np.asarray(np.sqrt(2 * math.log(1 / alpha) / (before * n)))


def _log_wealth(values: np.ndarray, bets: np.ndarray, mean: float) -> float:
    return float(np.log1p(np.minimum(bets, _CAUTION / mean) * (values - mean)).sum())
