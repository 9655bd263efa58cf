"""Expectations: from the scores of a case to a signed margin.

Example:
    An expectation of your own, and its margin for a case whose score rises from 0.2 to 0.6:

    >>> import vlcheck
    >>> from vlcheck.perturb import Solid
    >>> from vlcheck.policy.policy import Tolerances as Limits
    >>> class Rises(BaseExpectation):
    ...     claim: Claim = "rate"
    ...     competence: Competence = "no"
    ...     expected = "the score rises"
    ...     def reads(self):
    ...         return ("by",)
    ...     def conditions(self, sample, tolerances: Tolerances):
    ...         rise = sample[AFTER].value - sample[BEFORE].value
    ...         return (Condition("the rise", rise, "above", tolerances.by, "by", rise - tolerances.by),)
    >>> rises: Expectation = Rises()
    >>> red = Solid((64, 48), (200, 0, 0))
    >>> case = vlcheck.Case(id="ball", image=red, caption="a red ball", target="red")
    >>> low, high = Reading("red", {"red": 0.2}), Reading("red", {"red": 0.6})
    >>> round(rises.margins(Sample(case, {BEFORE: low, AFTER: high}), Limits(by=0.05))[WHOLE], 2)
    0.35

    A case that says nothing does not count; the exception is the reason:

    >>> reasons = (Refused, Unknown, Unlikely, Unneeded, Unscaled)
    >>> try:
    ...     Preserved().margins(Sample(case, {BEFORE: high, AFTER: high, OTHER: high}), Limits(delta=0.15))
    ... except reasons as reason:
    ...     print(f"{type(reason).__name__}: {reason}")
    Unknown: the model does not know the case
"""

from vlcheck.expect.aggregate import Balance, BothContribute, ContextReliance, SidePreference, Skew
from vlcheck.expect.base import (
    AFTER,
    BEFORE,
    OTHER,
    WHOLE,
    BaseExpectation,
    Competence,
    Condition,
    Expectation,
    Refused,
    Sample,
    Unknown,
    Unneeded,
    Unscaled,
)
from vlcheck.expect.directional import Drops, Flips, Swaps
from vlcheck.expect.foils import BeatsBlind
from vlcheck.expect.functionality import Beats
from vlcheck.expect.invariance import Preserved
from vlcheck.expect.maps import FollowsObject, MirroredMap
from vlcheck.expect.modalities import NeitherAlone
from vlcheck.metrics.reading import Reading, Unlikely
from vlcheck.metrics.tolerances import Tolerances
from vlcheck.stats.decision import Claim

__all__ = [
    "AFTER",
    "BEFORE",
    "OTHER",
    "WHOLE",
    "Balance",
    "BaseExpectation",
    "Beats",
    "BeatsBlind",
    "BothContribute",
    "Claim",
    "Competence",
    "Condition",
    "ContextReliance",
    "Drops",
    "Expectation",
    "Flips",
    "FollowsObject",
    "MirroredMap",
    "NeitherAlone",
    "Preserved",
    "Reading",
    "Refused",
    "Sample",
    "SidePreference",
    "Skew",
    "Swaps",
    "Tolerances",
    "Unknown",
    "Unlikely",
    "Unneeded",
    "Unscaled",
]
