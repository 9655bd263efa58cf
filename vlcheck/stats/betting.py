"""A test of a bounded mean that may be looked at after every image.

Whoever bets on each value before seeing it, against the hypothesis that the mean is at most m, has a wealth whose
expectation never grows if that is true: it ever reaches 1 / alpha with a probability of at most alpha (Ville, 1939;
Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", JRSS-B 86, 2024).
"""

from __future__ import annotations

import math

import numpy as np

from vlcheck.stats.bounds import Tally

_BETS = 64
# As shares of the largest bet that cannot bankrupt: nodes of the arcsine distribution, which favors both ends.
_SHARES = np.sin(np.pi * (np.arange(_BETS) + 0.5) / (2 * _BETS)) ** 2


def anytime(sample: Tally, mean: float) -> float:
    """For a number of images that may depend on what was seen so far: 1 / the wealth, at most 1.

    The wealth is spread over constant bets, as in Cover's universal portfolio (Orabona and Jun, IEEE Transactions on
    Information Theory 70, 2024); so it does not depend on the order of what was seen.
    """
    if mean <= 0:
        return 0.0 if sample.values[-1] > 0 else 1.0
    gains = np.log1p(_SHARES[:, None] * (sample.values / mean - 1)) @ sample.counts
    most = float(gains.max())  # taken out, since it may be more than can be raised to e
    return min(1.0, math.exp(-most) / float(np.exp(gains - most).mean()))
