"""Flips that keep a caption true: the picture is mirrored, and left and right change places in the words.

A horizontal flip without the words, as many training pipelines have it, makes each caption that names a side false.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeVar

import torch
from torchvision.transforms.v2.functional import horizontal_flip

from vlcheck.cases.case import word_pattern
from vlcheck.cases.words import OTHER_SIDE, Token, tokenize
from vlcheck.mitigate.training.vocabulary import shipped_lexicons

AnyImage = TypeVar("AnyImage")  # a PIL image, or a tensor (..., height, width)

_SIDE = re.compile("|".join(word_pattern(word).pattern for word in OTHER_SIDE), re.IGNORECASE)
# It is a side in "to the left of", "his right hand" and "the left side", and none in "right behind" or "who left".
_BEFORE = frozenset({"the", "his", "her", "their", "its", "my", "far", "top", "upper", "bottom", "lower", "facing"})
_AFTER = frozenset({"side", "sides", "hand", "hands", "foot", "arm", "leg", "of", "corner", "half", "edge", "wing"})


@dataclass(frozen=True)
class SideAwareFlip:
    """Mirror a picture with probability `p`, and exchange left and right in its caption.

    It stands in the place of `RandomHorizontalFlip`. A pair whose caption cannot be mirrored stays as it is. The
    random numbers are torch's, as those of torchvision's transforms are.

    Attributes:
        p: probability of a flip, in [0, 1].

    Example:
        >>> from PIL import Image
        >>> picture = Image.new("RGB", (2, 1))
        >>> picture.putpixel((0, 0), (255, 0, 0))
        >>> mirrored, caption = SideAwareFlip(p=1.0)(picture, "a cup to the left of a box")
        >>> mirrored.getpixel((1, 0)), caption
        ((255, 0, 0), 'a cup to the right of a box')
    """

    p: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.p <= 1:
            raise ValueError(f"SideAwareFlip: p is {self.p}; it has to be a probability, from 0 to 1")

    def __call__(self, image: AnyImage, caption: str) -> tuple[AnyImage, str]:
        """Return the pair, or the mirrored one.

        Args:
            image: a PIL image, or a tensor (..., height, width).
            caption: the caption.
        """
        if torch.rand(1).item() >= self.p or not can_be_mirrored(caption):
            return image, caption
        return horizontal_flip(image), exchange_sides(caption)


def exchange_sides(caption: str) -> str:
    """Return the caption with "left" and "right" exchanged.

    Example:
        >>> exchange_sides("A man with a ball in his left hand")
        'A man with a ball in his right hand'
    """
    return _SIDE.sub(_other, caption)


def _other(match: re.Match[str]) -> str:
    other = OTHER_SIDE[match[0].lower()]
    return other.upper() if match[0].isupper() else other.capitalize() if match[0][0].isupper() else other


def can_be_mirrored(caption: str) -> bool:
    """Return True if the caption with exchanged sides is true of the mirrored picture, as far as its words tell.

    It is not if the caption suggests writing, which a mirror would turn, uses "left" or "right" in another sense, or
    has a word for a side that has no counterpart, such as "lefty".

    Example:
        >>> can_be_mirrored("a dog to the left of a bed"), can_be_mirrored("a dog right behind a stop sign")
        (True, False)
    """
    lexicons, tokens = shipped_lexicons(), tokenize(caption)
    if any(found.meaning for found in lexicons.suggests_writing.find(tokens)):
        return False
    if not lexicons.sides.also.isdisjoint(token.word for token in tokens):
        return False
    return all(_is_a_side(tokens, at) for at, token in enumerate(tokens) if token.word in OTHER_SIDE)


def _is_a_side(tokens: tuple[Token, ...], at: int) -> bool:
    before = tokens[at - 1].word if at else ""
    after = tokens[at + 1].word if at + 1 < len(tokens) else ""
    return before in _BEFORE or after in _AFTER
