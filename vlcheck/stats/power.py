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
    """Return True if n images without a violation would pass.

    Args:
        n: number of images, 0 or more.
        allowed: the allowed rate of violations, in [0, 1).
        alpha: error rate of each one-sided bound, in (0, 0.5).
        test: a test of a mean of values in [0, 1].
    """
    return n > 0 and is_within(Tally.of_violations(0, n), allowed, alpha, test)


def most_that_pass(n: int, allowed: float, alpha: float = 0.05, *, test: Test = exact) -> int | None:
    """Return the largest number of violating images among n that still passes.

    Args:
        n: number of images, 0 or more.
        allowed: the allowed rate of violations, in [0, 1).
        alpha: error rate of each one-sided bound, in (0, 0.5).
        test: a test of a mean of values in [0, 1].

    Returns:
        The number, or None if even n images without a violation do not pass.
    """
    too_many = _first(lambda x: x > n or not is_within(Tally.of_violations(x, n), allowed, alpha, test), 0, n + 1)
    return too_many - 1 if n and too_many else None


def fewest_that_pass(allowed: float, alpha: float = 0.05, *, test: Test = exact) -> int | None:
    """Return the least number of images that pass if none of them violates.

    Args:
        allowed: the allowed rate of violations, in [0, 1).
        alpha: error rate of each one-sided bound, in (0, 0.5).
        test: a test of a mean of values in [0, 1].

    Returns:
        The number, or None if 100,000 images do not pass.
    """
    if not could_pass(MOST_CASES, allowed, alpha, test=test):
        return None
    return _first(lambda n: could_pass(n, allowed, alpha, test=test), 1, MOST_CASES)


def fewest_inside(band: tuple[float, float], alpha: float = 0.05, *, test: Test = exact) -> int | None:
    """Return the least number of images whose mean passes if all of them have the ideal value.

    The ideal value is the one that passes soonest: the middle of a band around 0. It is 0 if a side of the band is
    open, since no model is at the end of the range.

    Args:
        band: lowest and highest mean that pass, in [-1, 1].
        alpha: error rate of each one-sided bound, in (0, 0.5).
        test: a test of a mean of values in [0, 1].

    Returns:
        The number, or None if 100,000 images do not pass.
    """
    low, high = ((edge + 1) / 2 for edge in band)
    spotless = 0.5 if low <= 0 or high >= 1 else low / (1 - high + low)

    def passes(n: int) -> bool:
        return is_inside(Tally(np.array([spotless]), np.array([float(n)])), (low, high), alpha, test)

    return _first(passes, 1, MOST_CASES) if passes(MOST_CASES) else None


def fewest_ahead(alpha: float = 0.05, *, test: Test = exact) -> int | None:
    """Return the least number of images on which a model that is always right is ahead of a guess between two texts.

    Args:
        alpha: error rate of the decision, in (0, 0.5).
        test: a test of a mean of values in [0, 1].

    Returns:
        The number, or None if 100,000 images do not show it.

    Example:
        >>> fewest_ahead()
        8
    """

    def ahead(n: int) -> bool:
        return test(Tally(np.array([0.75]), np.array([float(n)])), 0.5) <= alpha  # a lead of 0.5, scaled to [0, 1]

    return _first(ahead, 1, MOST_CASES) if ahead(MOST_CASES) else None


def needed_n(sample: Tally, allowed: float, alpha: float = 0.05, *, test: Test = exact) -> int | None:
    """Return the least larger number of images at which the same distribution of values would decide about a rate.

    Args:
        sample: the violating share of each image, in [0, 1].
        allowed: the allowed rate of violations, in [0, 1).
        alpha: error rate of each one-sided bound, in (0, 0.5).
        test: a test of a mean of values in [0, 1].

    Returns:
        The number of images, or None if 100,000 would not decide; none does at a rate that equals the allowed one.
    """
    if sample.mean == allowed:
        return None
    decides = is_within if sample.mean < allowed else is_above
    return _enlarged(sample, lambda larger: decides(larger, allowed, alpha, test))


def detectable(n: int, allowed: float, alpha: float = 0.05, *, test: Test = exact) -> float | None:
    """Return the least true rate of violations that fails with a power of 0.8.

    It holds for images that have one row each, or whose rows hold or violate together. If the rows of an image differ,
    the shares vary less, and a smaller rate can be detected.

    Args:
        n: number of images.
        allowed: the allowed rate of violations, in [0, 1).
        alpha: error rate of each one-sided bound, in (0, 0.5).
        test: a test of a mean of values in [0, 1].

    Returns:
        The rate, in [0, 1], or None if even n violating images do not fail.
    """
    if not is_above(Tally.of_violations(n, n), allowed, alpha, test):
        return None
    fewest = _first(lambda x: is_above(Tally.of_violations(x, n), allowed, alpha, test), 1, n)
    return float(betaincinv(fewest, n - fewest + 1, POWER))


def _enlarged(sample: Tally, decides: Callable[[Tally], bool]) -> int | None:
    """Return the least larger number of images at which a sample with the same distribution of values decides."""
    n = round(sample.n)
    if n >= MOST_CASES or not decides(sample.times(MOST_CASES / n)):
        return None
    return _first(lambda size: decides(sample.times(size / n)), n + 1, MOST_CASES)


def _first(true: Callable[[int], bool], low: int, high: int) -> int:
    """Return the least number from low to high for which `true` holds; it must hold for all larger ones."""
    return low + bisect_left(range(low, high), True, key=true)


def detectable_mean(sample: Tally, band: tuple[float, float], alpha: float, test: Test) -> float | None:
    """Return how far outside its band a mean must be to fail with a power of 0.8, on the less sensitive side.

    By the normal approximation, the mean of a fifth of all samples is nearer to the band than the true one by more than
    `stray`.

    Args:
        sample: values in [-1, 1], scaled to [0, 1].
        band: lowest and highest mean that pass, in [-1, 1].
        alpha: error rate of the decision, in (0, 0.5).
        test: a test of a mean of values in [0, 1].

    Returns:
        The distance on the scale of [-1, 1], or None if no mean fails.
    """
    stray = _quantile(POWER) * sample.deviation / math.sqrt(sample.n)
    low, high = ((edge + 1) / 2 for edge in band)
    outward = [(one, edge) for one, edge in ((sample, high), (sample.mirrored(), 1 - low)) if edge < 1]
    found = [_found_beyond(one, edge, alpha / n_sides(band), stray, test) for one, edge in outward]
    there = [distance for distance in found if distance is not None]
    return 2 * max(there) if there else None


def _found_beyond(sample: Tally, edge: float, alpha: float, stray: float, test: Test) -> float | None:
    """Return how far above an edge the mean of a sample must be to fail, or None if the range ends before."""

    def fails(steps: int) -> bool:
        return is_above(sample.moved(edge + steps * _STEP - stray), edge, alpha, test)

    last = int((1 - edge) / _STEP)
    return _first(fails, 1, last) * _STEP if last > 0 and fails(last) else None


def needed_for_mean(sample: Tally, band: tuple[float, float], alpha: float, test: Test) -> int | None:
    """Return the least larger number of images at which the observed mean would pass inside its band, or fail outside.

    Args:
        sample: values in [-1, 1], scaled to [0, 1].
        band: lowest and highest mean that pass, in [-1, 1].
        alpha: error rate of the decision, in (0, 0.5).
        test: a test of a mean of values in [0, 1].

    Returns:
        The number of images, or None if 100,000 would not decide.
    """
    low, high = ((edge + 1) / 2 for edge in band)
    share = alpha / n_sides(band)
    if sample.mean > high:
        return _enlarged(sample, lambda larger: is_above(larger, high, share, test))
    if sample.mean < low:
        return _enlarged(sample, lambda larger: is_above(larger.mirrored(), 1 - low, share, test))
    return _enlarged(sample, lambda larger: is_inside(larger, (low, high), alpha, test))


def _quantile(probability: float) -> float:
    """Return a quantile of the standard normal distribution."""
    return float(ndtri(probability))
