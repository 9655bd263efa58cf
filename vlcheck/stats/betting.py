"""A test of a bounded mean that stays valid if it is applied after every image.

Suppose that a bettor bets on each value before it is seen, against the hypothesis that the mean is at most m. If the
hypothesis is true, the bettor's expected wealth never grows, so that it ever reaches 1 / alpha with a probability of at
most alpha (Ville, 1939; Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", JRSS-B 86,
2024).
"""

from __future__ import annotations

import math

import numpy as np

from vlcheck.stats.bounds import Tally

_BETS = 64
# Shares of the largest bet that cannot lose everything: nodes of the arcsine distribution, which favors both ends.
_SHARES = np.sin(np.pi * (np.arange(_BETS) + 0.5) / (2 * _BETS)) ** 2


def anytime(sample: Tally, mean: float) -> float:
    """Return the p-value of "the mean is at most `mean`", valid whenever sampling stops.

    The number of images may depend on the values seen so far. The p-value is 1 / wealth, at most 1. The wealth is
    spread over constant bets, as in Cover's universal portfolio, so that the order of the values does not matter.

    Args:
        sample: values in [0, 1], one an image, with their counts.
        mean: the largest mean under the hypothesis, in [0, 1].

    Returns:
        The p-value, in [0, 1].

    Source: Orabona and Jun, IEEE Transactions on Information Theory 70, 2024.
    """
    if mean <= 0:
        return 0.0 if sample.values[-1] > 0 else 1.0
    gains = np.log1p(_SHARES[:, None] * (sample.values / mean - 1)) @ sample.counts
    most = float(gains.max())  # subtracted first, because exp of it may overflow
    return min(1.0, math.exp(-most) / float(np.exp(gains - most).mean()))
