"""Limits on differences of scores, which a policy sets for each metric."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Tolerances:
    """Limits on differences of scores, in [0, 1].

    Attributes:
        within: how far a preserved score may fall.
        delta: by how much the own picture has to beat another for a case to be known; above `within`.
        by: the least difference that counts as a change, above 0.
        below: a dropped score has to be below this.
        floor: the least sum of the probabilities of two compared words; below it the case says nothing. For a model
            that only compares words, the least sum over all of them.
        mass: the least P(yes) + P(no); below it an answer says nothing, since the model prefers to answer something
            else.
    """

    within: float = 0.10
    delta: float = 0.15
    by: float = 0.05
    below: float = 0.50
    floor: float = 0.01
    mass: float = 0.50
