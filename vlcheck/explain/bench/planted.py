"""The statement: which maps the embedded models must give if a method is honest.

It was written before the first run; the sentence on `tiny-center` was changed with the rule.
`docs/explanation/known-truth.md` has it with the reasons. The models' names are specs; their biases are planted by
`vlcheck.zoo.planted_biases`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

Cause = Literal["modality", "color", "position", "order", "place"]

CAUSES: tuple[Cause, ...] = get_args(Cause)
CONTROL = "tiny"


@dataclass(frozen=True)
class Planted:
    """A model whose wrong reason is known.

    Attributes:
        cause: the bias that was planted.
        honest: a sentence: how its maps differ from those of a sound model.
    """

    cause: Cause
    honest: str


PLANTED_CAUSES: Mapping[str, Planted] = MappingProxyType(
    {
        "tiny-color": Planted(
            "color",
            "A thing in another color has the support of a wrong thing, and not that of the right one.",
        ),
        "tiny-mirror": Planted(
            "position",
            "A mirrored picture has the support of the true one, although the caption names a side.",
        ),
        "tiny-right": Planted(
            "position",
            "A mirrored picture has the support of the true one; the word for the side decides, and not the side.",
        ),
        "tiny-blind": Planted(
            "modality",
            "A black picture has the support of the true one: picture and words together still speak for a match.",
        ),
        "tiny-bag": Planted(
            "order",
            "A picture with exchanged colors has the support of the true one: the order of the words says nothing.",
        ),
        "tiny-center": Planted(
            "place",
            "A thing off the middle has the support of a wrong thing, and not that of the right one.",
        ),
    }
)
