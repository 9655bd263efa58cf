"""Decisions by one-sided bounds at alpha: on which side of a limit is a rate or a mean?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from vlcheck.stats.bounds import Tally, Test, exact

Status = Literal["pass", "fail", "inconclusive", "invalid", "not asked"]


Claim = Literal["rate", "mean", "lead"]


Cause = Literal[
    "",
    "no cases",
    "one image",
    "unknown",
    "unlikely",
    "constant",
    "not finite",
    "refused",
    "by construction",
    "errors",
    "changed",
]


DECIDED = ("pass", "fail")


NOT_ASKED: Status = "not asked"


# Causes that a bias of the model can produce. The other causes lie in the data, or there is no sound answer at all.
OF_A_BIAS: tuple[Cause, ...] = ("unknown", "unlikely")


HOLLOW = ("invalid", NOT_ASKED)  # verdicts that rest on too little for any comparison


# "not asked" comes last: beside a pass the pass remains, and alone it is not a pass.
BY_GRAVITY: tuple[Status, ...] = ("fail", "invalid", "inconclusive", "pass", NOT_ASKED)


def status_of_rate(sample: Tally, allowed: float, alpha: float = 0.05, *, test: Test = exact) -> Status:
    """Decide whether the rate of violations is above or within the allowed rate.

    Args:
        sample: the violating share of each image, in [0, 1].
        allowed: the rate that passes, in [0, 1).
        alpha: error rate of each one-sided bound, in (0, 0.5).
        test: a test of a mean of values in [0, 1].

    Returns:
        "fail" if the lower bound is above `allowed`, "pass" if the upper bound is not, else "inconclusive".
    """
    if is_above(sample, allowed, alpha, test):
        return "fail"
    return "pass" if is_within(sample, allowed, alpha, test) else "inconclusive"


def status_of_mean(sample: Tally, band: tuple[float, float], alpha: float = 0.05, *, test: Test = exact) -> Status:
    """Decide whether a mean is inside or outside its band.

    Both edges must hold for a pass, so each is tested at alpha. One edge is enough for a fail, so each is tested at its
    share of alpha (Bonferroni).

    Args:
        sample: values in [-1, 1], scaled to [0, 1].
        band: lowest and highest mean that pass, in [-1, 1].
        alpha: error rate of the decision, in (0, 0.5).
        test: a test of a mean of values in [0, 1].

    Returns:
        "fail" outside the band, "pass" inside, else "inconclusive".
    """
    if p_outside(test, sample, band) < alpha:
        return "fail"
    low, high = ((edge + 1) / 2 for edge in band)
    return "pass" if is_inside(sample, (low, high), alpha, test) else "inconclusive"


def sides_of_mean(
    sample: Tally, band: tuple[float, float], alpha: float = 0.05, *, test: Test = exact
) -> tuple[bool, ...]:
    """Return for each edge of a band whether a mean is shown to be inside of it, and outside of it.

    They are what `status_of_mean` rests on. Each is monotone in every value of the sample: if it is the same for the
    lowest and for the highest values that a sample may have, it is the same for all between.

    Args:
        sample: values in [-1, 1], scaled to [0, 1].
        band: lowest and highest mean that pass, in [-1, 1].
        alpha: error rate of the decision, in (0, 0.5).
        test: a test of a mean of values in [0, 1].
    """
    low, high = ((edge + 1) / 2 for edge in band)
    inside = is_inside(sample, (low, 1.0), alpha, test), is_inside(sample, (0.0, high), alpha, test)
    share = alpha / n_sides(band)
    above = high < 1 and is_above(sample, high, share, test)
    return *inside, above, low > 0 and is_above(sample.mirrored(), 1 - low, share, test)


def worst(statuses: Iterable[str]) -> str:
    """Return the gravest of some statuses, in the order fail, invalid, inconclusive, pass, not asked."""
    return min(statuses, key=BY_GRAVITY.index)


def is_above(sample: Tally, allowed: float, alpha: float, test: Test) -> bool:
    """Return True if the lower bound of the mean is above the allowed one.

    Args:
        sample: values in [0, 1], one an image.
        allowed: the allowed mean, in [0, 1].
        alpha: error rate of the bound.
        test: a test of a mean of values in [0, 1].
    """
    return test(sample, allowed) < alpha


def is_within(sample: Tally, allowed: float, alpha: float, test: Test) -> bool:
    """Return True if the upper bound of the mean is at most the allowed one.

    Args:
        sample: values in [0, 1], one an image.
        allowed: the allowed mean, in [0, 1].
        alpha: error rate of the bound.
        test: a test of a mean of values in [0, 1].
    """
    return test(sample.mirrored(), 1 - allowed) <= alpha


def is_inside(sample: Tally, edges: tuple[float, float], alpha: float, test: Test) -> bool:
    """Return True if both bounds of the mean are between two edges.

    Args:
        sample: values in [0, 1], one an image.
        edges: lower and upper edge, in [0, 1]; an edge of 0 or 1 needs no evidence.
        alpha: error rate of each bound.
        test: a test of a mean of values in [0, 1].
    """
    low, high = edges
    above = low <= 0 or is_within(sample.mirrored(), 1 - low, alpha, test)
    return above and (high >= 1 or is_within(sample, high, alpha, test))


def n_sides(band: tuple[float, float]) -> int:
    """Return the number of sides, 1 or 2, on which a mean in [-1, 1] can leave its band."""
    return max(1, (band[0] > -1) + (band[1] < 1))


def p_outside(test: Test, sample: Tally, band: tuple[float, float]) -> float:
    """Return the p-value of the hypothesis that the mean is in its band, with Bonferroni's correction for two sides.

    Args:
        test: a test of a mean of values in [0, 1].
        sample: values in [-1, 1], scaled to [0, 1].
        band: lowest and highest mean under the hypothesis, in [-1, 1]; an edge at the end of the range is not tested.
    """
    low, high = ((edge + 1) / 2 for edge in band)
    above = [test(sample, high)] if high < 1 else []
    below = [test(sample.mirrored(), 1 - low)] if low > 0 else []
    return min(1.0, n_sides(band) * min(above + below, default=1.0))
