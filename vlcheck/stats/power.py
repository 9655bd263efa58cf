"""Power: how many images a decision needs, and the smallest effect that n images find."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable

import numpy as np
from scipy.special import betaincinv, ndtri

from vlcheck.stats.bounds import Tally, Test, exact
from vlcheck.stats.decision import (
    is_above,
    is_inside,
    is_within,
    n_sides,
)

POWER = 0.8


MOST_CASES = 100_000


_STEP = 0.001


def could_pass(n: int, allowed: float, alpha: float = 0.05, *, test: Test = exact) -> bool:
    """Whether n images without a violation would pass."""
    return n > 0 and is_within(Tally.of_violations(0, n), allowed, alpha, test)


def most_that_pass(n: int, allowed: float, alpha: float = 0.05, *, test: Test = exact) -> int | None:
    """The most violations among n images that still pass; None where not even none does."""
    too_many = _first(lambda x: x > n or not is_within(Tally.of_violations(x, n), allowed, alpha, test), 0, n + 1)
    return too_many - 1 if n and too_many else None


def fewest_that_pass(allowed: float, alpha: float = 0.05, *, test: Test = exact) -> int | None:
    """The least number of images that pass where none violates; None where 100,000 do not."""
    if not could_pass(MOST_CASES, allowed, alpha, test=test):
        return None
    return _first(lambda n: could_pass(n, allowed, alpha, test=test), 1, MOST_CASES)


def fewest_inside(band: tuple[float, float], alpha: float = 0.05, *, test: Test = exact) -> int | None:
    """The least number of images of which a mean passes where all have the spotless value; None where 100,000 do not.

    The spotless value is the one that passes soonest: in a band around 0 its middle. It is 0 where a side of the band
    is open, since no model is at the end of the range.
    """
    low, high = ((edge + 1) / 2 for edge in band)
    spotless = 0.5 if low <= 0 or high >= 1 else low / (1 - high + low)

    def passes(n: int) -> bool:
        return is_inside(Tally(np.array([spotless]), np.array([float(n)])), (low, high), alpha, test)

    return _first(passes, 1, MOST_CASES) if passes(MOST_CASES) else None


def needed_n(sample: Tally, allowed: float, alpha: float = 0.05, *, test: Test = exact) -> int | None:
    """The least number of images, above those there are, at which what was seen of them would decide.

    None where the rate is the allowed one, so that no number would, or where 100,000 would not.
    """
    if sample.mean == allowed:
        return None
    decides = is_within if sample.mean < allowed else is_above
    return _enlarged(sample, lambda larger: decides(larger, allowed, alpha, test))


def detectable(n: int, allowed: float, alpha: float = 0.05, *, test: Test = exact) -> float | None:
    """The least true rate of violations that fails with a power of 0.8 at n images; None where even 1 does not.

    Of images that have one row each, or whose rows hold or violate together; where they do not, less can be found.
    """
    if not is_above(Tally.of_violations(n, n), allowed, alpha, test):
        return None
    fewest = _first(lambda x: is_above(Tally.of_violations(x, n), allowed, alpha, test), 1, n)
    return float(betaincinv(fewest, n - fewest + 1, POWER))


def _enlarged(sample: Tally, decides: Callable[[Tally], bool]) -> int | None:
    """The least number of images, above those there are, at which a sample of the same values decides."""
    n = round(sample.n)
    if n >= MOST_CASES or not decides(sample.times(MOST_CASES / n)):
        return None
    return _first(lambda size: decides(sample.times(size / n)), n + 1, MOST_CASES)


def _first(true: Callable[[int], bool], low: int, high: int) -> int:
    """The least number for which it is true, of those from low to high, from some of which on it is."""
    return low + bisect_left(range(low, high), True, key=true)


def detectable_mean(sample: Tally, band: tuple[float, float], alpha: float, test: Test) -> float | None:
    """How far from the band a mean has to be to fail with a power of 0.8, on the side where that is farther.

    Of a sample's mean it is taken, by the normal approximation, that in a fifth of all samples it is nearer to the band
    by `stray` than the true one.
    """
    stray = _quantile(POWER) * sample.deviation / math.sqrt(sample.n)
    low, high = ((edge + 1) / 2 for edge in band)
    outward = [(one, edge) for one, edge in ((sample, high), (sample.mirrored(), 1 - low)) if edge < 1]
    found = [_found_beyond(one, edge, alpha / n_sides(band), stray, test) for one, edge in outward]
    there = [distance for distance in found if distance is not None]
    return 2 * max(there) if there else None


def _found_beyond(sample: Tally, edge: float, alpha: float, stray: float, test: Test) -> float | None:
    """How far above an edge the mean of a sample's values has to be, in steps; None where the range ends before."""

    def fails(steps: int) -> bool:
        return is_above(sample.moved(edge + steps * _STEP - stray), edge, alpha, test)

    last = int((1 - edge) / _STEP)
    return _first(fails, 1, last) * _STEP if last > 0 and fails(last) else None


def needed_for_mean(sample: Tally, band: tuple[float, float], alpha: float, test: Test) -> int | None:
    """The n at which the mean seen would pass where it is in the band, and fail where it is not."""
    low, high = ((edge + 1) / 2 for edge in band)
    share = alpha / n_sides(band)
    if sample.mean > high:
        return _enlarged(sample, lambda larger: is_above(larger, high, share, test))
    if sample.mean < low:
        return _enlarged(sample, lambda larger: is_above(larger.mirrored(), 1 - low, share, test))
    return _enlarged(sample, lambda larger: is_inside(larger, (low, high), alpha, test))


def _quantile(probability: float) -> float:
    """Of the standard normal distribution."""
    return float(ndtri(probability))
