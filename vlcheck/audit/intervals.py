"""Intervals of shares in a corpus in which one picture may have several captions."""

from __future__ import annotations

from typing import NamedTuple

from vlcheck.stats.bounds import Tally, exact, lower, upper

ALPHA = 0.05  # error rate of an interval, both sides together


class ShareInterval(NamedTuple):
    """An interval of a share, in [0, 1]."""

    low: float
    high: float


def share_interval(count: int, n: int, per: float = 1.0) -> ShareInterval:
    """Return the exact interval of a share, at an error rate of ALPHA.

    Captions of one picture say much the same. They are counted as if they said exactly the same: `n` captions are as
    good as `n / per` pictures. For independent captions the interval is then too wide.

    Args:
        count: number of captions with a property, from 0 to n.
        n: number of captions, above 0.
        per: number of captions of the same picture, in the mean over all captions, at least 1.

    Example:
        >>> low, high = share_interval(0, 60)
        >>> low, round(high, 3)
        (0.0, 0.06)

    Source:
        Clopper and Pearson, Biometrika 26, 1934; the design effect 1 + (per - 1) rho of Kish, Survey Sampling, 1965,
        with its largest correlation, rho = 1. For clusters of unequal sizes m, `per` is sum(m^2) / sum(m).
    """
    tally = _tally(count, n, per)
    return ShareInterval(lower(exact, tally, ALPHA / 2), upper(exact, tally, ALPHA / 2))


def excess_p(count: int, n: int, base: float, per: float = 1.0) -> float:
    """Return the p-value of the hypothesis that a share is at most `base`.

    Args:
        count: number of captions with a property, from 0 to n.
        n: number of captions, above 0.
        base: the largest share under the hypothesis, in [0, 1].
        per: number of captions of the same picture, in the mean over all captions, at least 1.
    """
    return exact(_tally(count, n, per), base)


def _tally(count: int, n: int, per: float) -> Tally:
    """Return the tally of n / per pictures. Each property of a picture counts in whole pictures or in shares of one."""
    return Tally.of_violations(count / per, n / per)
