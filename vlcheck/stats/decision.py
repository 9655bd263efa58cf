"""Decisions: which side of a limit a rate or a mean is on, with one-sided bounds at alpha."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from vlcheck.stats.bounds import Tally, Test, exact

Status = Literal["pass", "fail", "inconclusive", "invalid", "not asked"]


Claim = Literal["rate", "mean"]


Cause = Literal["", "no cases", "one image", "unknown", "unlikely", "constant", "not finite", "refused", "errors"]


DECIDED = ("pass", "fail")


NOT_ASKED: Status = "not asked"


# What a bias of the model can bring about. The other causes are the data's, or mean that there is no sound answer.
OF_A_BIAS: tuple[Cause, ...] = ("unknown", "unlikely")


HOLLOW = ("invalid", NOT_ASKED)  # rests on too little for any comparison


# What was not asked comes last: beside a pass it takes nothing from it, and alone it is no pass.
BY_GRAVITY: tuple[Status, ...] = ("fail", "invalid", "inconclusive", "pass", NOT_ASKED)


def status_of_rate(sample: Tally, allowed: float, alpha: float = 0.05, *, test: Test = exact) -> Status:
    """What images' violating shares say: fail or pass where the bound on their mean is above or below the allowed."""
    if is_above(sample, allowed, alpha, test):
        return "fail"
    return "pass" if is_within(sample, allowed, alpha, test) else "inconclusive"


def status_of_mean(sample: Tally, band: tuple[float, float], alpha: float = 0.05, *, test: Test = exact) -> Status:
    """What values that were scaled from [-1, 1] to [0, 1] say of a band of [-1, 1].

    Both edges have to be kept for a pass, so each is held to alpha; either is enough for a fail, so each is held to its
    share of it (Bonferroni).
    """
    if p_outside(test, sample, band) < alpha:
        return "fail"
    low, high = ((edge + 1) / 2 for edge in band)
    return "pass" if is_inside(sample, (low, high), alpha, test) else "inconclusive"


def worst(statuses: Iterable[str]) -> str:
    """The gravest of some statuses: fail, invalid, inconclusive, pass, not asked."""
    return min(statuses, key=BY_GRAVITY.index)


def is_above(sample: Tally, allowed: float, alpha: float, test: Test) -> bool:
    """Whether the lower bound is above what is allowed."""
    return test(sample, allowed) < alpha


def is_within(sample: Tally, allowed: float, alpha: float, test: Test) -> bool:
    """Whether the upper bound is at most what is allowed."""
    return test(sample.mirrored(), 1 - allowed) <= alpha


def is_inside(sample: Tally, edges: tuple[float, float], alpha: float, test: Test) -> bool:
    """Whether both bounds are between two edges in [0, 1]; an edge that is 0 or 1 holds of itself."""
    low, high = edges
    above = low <= 0 or is_within(sample.mirrored(), 1 - low, alpha, test)
    return above and (high >= 1 or is_within(sample, high, alpha, test))


def n_sides(band: tuple[float, float]) -> int:
    """On how many sides a mean can leave its band."""
    return max(1, (band[0] > -1) + (band[1] < 1))


def p_outside(test: Test, sample: Tally, band: tuple[float, float]) -> float:
    """Of the hypothesis that the mean is in its band; an edge at the end of the range is no place to look for it."""
    low, high = ((edge + 1) / 2 for edge in band)
    above = [test(sample, high)] if high < 1 else []
    below = [test(sample.mirrored(), 1 - low)] if low > 0 else []
    return min(1.0, n_sides(band) * min(above + below, default=1.0))
