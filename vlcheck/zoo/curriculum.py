"""A part of a training, with lessons of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["alone", "beside", "stacked", "act", "back", "duo"]  # of a scene; act: facing the viewer, back: not

KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What is shown how often, and what is asked of it.

    Attributes:
        steps: how many.
        kinds: how often each kind of scene is shown.
        masks: the chance of each further decided word to be masked beside one: more is learnt at a step, but a side
            cannot be told where the things are not named.
        places: how often where in the picture a thing is is said, of those that are alone or in pairs; a bridge to what
            is left of what.
        sides: how often, else, what is left of what or above what is said, or in which hand.
        where: how often a word of place or side is masked or made false, against any other word.
        shuffled: share of the false sentences that are a true one's words in another order.
        openings: share of the batches whose sentences have neutral openings.
        hues: share of the pictures whose hues are turned, so that most colors cannot be told.
        light: by how much a picture may be brighter or darker.
        blocked: share of the pictures that are black.
        cools: whether the learning rate falls to 0 over it.
    """

    steps: int
    kinds: Mapping[Kind, float]
    masks: float = 0.0
    places: float = 0.1
    sides: float = 0.5
    where: float = 4.0
    shuffled: float = 0.1
    openings: float = 0.2
    hues: float = 0.08
    light: float = 0.3
    blocked: float = 0.05
    cools: bool = False
