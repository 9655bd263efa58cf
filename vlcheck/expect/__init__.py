"""Expectations: from the scores of a case to a signed margin.

Example:
    >>> from vlcheck.perturb import Block
    >>> Drops(decided_by=Block()).reads()  # the tolerances of the policy that it depends on
    ('by', 'below', 'delta')
"""

from vlcheck.expect.aggregate import Balance, SidePreference, Skew
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
from vlcheck.expect.functionality import Beats
from vlcheck.expect.invariance import Preserved
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
    "Claim",
    "Competence",
    "Condition",
    "Drops",
    "Expectation",
    "Flips",
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
