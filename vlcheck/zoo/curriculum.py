"""The stages of a training, each with its own mixture of scenes and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

# alone: one thing; beside, stacked: two things; act: a person who faces the viewer; back: one who does not; duo: two.
Kind = Literal["alone", "beside", "stacked", "act", "back", "duo"]

KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A part of a training.

    Attributes:
        steps: number of training steps.
        kinds: kind of scene -> relative frequency.
        masks: probability with which each slot after the first masked one is masked, too. More masks teach more in a
            step, but a side cannot be told if the things are not named.
        places: share of sentences about a thing's place in the picture, for things alone or in pairs; it prepares for
            relations such as "left of".
        sides: share of the other sentences that are about a relation ("left of", "above") or about a hand.
        where: relative frequency with which a word of place or side is masked or falsified; other words have 1.
        shuffled: share of the false sentences that are a true one with its words in another order.
        openings: share of the batches whose sentences have neutral openings.
        hues: share of the pictures whose hues are rotated, so that most colors cannot be told.
        light: the largest relative change of a picture's brightness.
        blocked: share of the pictures that are black.
        cools: True if the learning rate falls to 0 by the end of the stage.
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
