"""Limits on differences of scores, which a policy sets for each metric."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

Share = Annotated[float, Meta(ge=0, le=1, description="a number from 0 to 1")]
_LEAST = (
    sys.float_info.min
)  # not gt=0, which msgspec takes as the least subnormal: that is 0 where a library flushes these
Step = Annotated[float, Meta(ge=_LEAST, le=1, description="a number above 0, up to 1")]


@dataclass(frozen=True, kw_only=True)
class Tolerances:
    """Limits on differences of scores, in [0, 1].

    Attributes:
        within: the most by which a preserved score may fall.
        delta: the least by which the own picture has to beat another for a case to be known; above `within`.
        by: the least difference that counts as a change, above 0.
        below: a dropped score has to be below this.
        floor: the least sum of the probabilities of two compared words; below it the case says nothing. For a model
            that only compares words, the least sum over all of them.
        mass: the least P(yes) + P(no); below it an answer says nothing, since the model prefers to answer something
            else.
    """

    within: Share = 0.10
    delta: Step = 0.15
    by: Step = 0.05
    below: Share = 0.50
    floor: Share = 0.01
    mass: Share = 0.50
