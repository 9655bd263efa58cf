"""Log-odds of probabilities, and probabilities that are near one another on that scale.

The rounding of a number format changes a model's logits by about the same amount whatever they are, and so the
log-odds of its probabilities; the probabilities themselves it changes most around one half.
"""

from __future__ import annotations

import math

from scipy.special import expit  # scipy.stats takes half a second to import

# Where float32, in which scores are computed, cannot tell probabilities from 0 and 1 any more.
_ENDS = (-126 * math.log(2), 25 * math.log(2))
# Where bfloat16 rounds a probability to 1: of a fast score of exactly 0 or 1, the log-odds are somewhere beyond.
_SATURATED = 9 * math.log(2)


def log_odds(probability: float) -> float:
    """Return the log-odds of a probability: infinite for 0 and 1, NaN for NaN."""
    if not 0 < probability < 1:
        return math.nan if math.isnan(probability) else math.copysign(math.inf, probability - 0.5)
    return math.log(probability) - math.log1p(-probability)


def distance(fast: float, exact: float) -> float:
    """Return how far a score of a fast number type is off, in log-odds, 0 or above.

    A fast score of exactly 0 or 1 is off by as much as the exact one is short of the log-odds at which bfloat16 rounds
    to that: how far beyond these the exact one lies, such a score never tells.

    Args:
        fast: the probability in the fast type, in [0, 1].
        exact: the same in the exact type.

    Example:
        >>> round(distance(0.5, 0.9), 2), round(distance(1.0, 0.5), 2), distance(0.0, 1e-4)
        (2.2, 6.24, 0.0)
    """
    if 0 < fast < 1:
        return abs(_within(_ENDS, fast) - _within(_ENDS, exact))
    return abs(_within((-_SATURATED, _SATURATED), fast) - _within((-_SATURATED, _SATURATED), exact))


def shifted(probability: float, by: float) -> float:
    """Return the farthest exact score of which a fast one is off by a number of log-odds at most; see `distance`.

    Args:
        probability: the probability in the fast type, in [0, 1].
        by: the number of log-odds, above 0 for the highest score, below 0 for the lowest; it may be infinite.

    Example:
        >>> round(shifted(0.5, 2.2), 2), shifted(0.3, 0.0), shifted(0.3, float("inf")), round(shifted(1.0, -2.2), 2)
        (0.9, 0.3, 1.0, 0.98)
    """
    if by == 0 or math.isnan(probability):
        return probability
    low, high = _ENDS if 0 < probability < 1 else (-_SATURATED, _SATURATED)
    there = _within((low, high), probability) + by
    if not low < there < high:
        return float(there > 0)
    there = float(expit(there))
    return max(probability, there) if by > 0 else min(probability, there)


def _within(ends: tuple[float, float], probability: float) -> float:
    low, high = ends
    return min(max(log_odds(probability), low), high)
