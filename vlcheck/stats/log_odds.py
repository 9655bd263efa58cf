"""Log-odds of probabilities, and probabilities that are near one another on that scale.

The rounding of a number format changes a model's logits by about the same amount whatever they are, and so the
log-odds of its probabilities; the probabilities themselves it changes most around one half.
"""

from __future__ import annotations

import math

from scipy.special import expit  # scipy.stats takes half a second to import

# Log-odds beyond these are taken for these: there, float64 cannot tell probabilities from 0 and 1 any more.
_ENDS = (-744.4, 36.7)


def log_odds(probability: float) -> float:
    """Return the log-odds of a probability: infinite for 0 and 1, NaN for NaN."""
    if not 0 < probability < 1:
        return math.nan if math.isnan(probability) else math.copysign(math.inf, probability - 0.5)
    return math.log(probability) - math.log1p(-probability)


def distance(one: float, other: float) -> float:
    """Return the difference of two probabilities in log-odds, 0 or above.

    Args:
        one: a probability, in [0, 1].
        other: another one.

    Example:
        >>> round(distance(0.5, 0.9), 2), round(distance(1.0, 0.5), 1)
        (2.2, 36.7)
    """
    return abs(_within_ends(one) - _within_ends(other))


def shifted(probability: float, by: float) -> float:
    """Return the probability whose log-odds are by a number higher, or lower if that is below 0.

    Args:
        probability: a probability, in [0, 1].
        by: the difference in log-odds; it may be infinite.

    Example:
        >>> round(shifted(0.5, 2.2), 2), shifted(0.3, 0.0), shifted(0.3, float("inf"))
        (0.9, 0.3, 1.0)
    """
    if by == 0:
        return probability
    there = float(expit(_within_ends(probability) + by))
    return max(probability, there) if by > 0 else min(probability, there)


def _within_ends(probability: float) -> float:
    low, high = _ENDS
    return min(max(log_odds(probability), low), high)
