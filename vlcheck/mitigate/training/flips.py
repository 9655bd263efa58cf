"""Flips that keep a caption true: the picture is mirrored, and left and right change places in the words.

A horizontal flip without the words, as many training pipelines have it, makes each caption that names a side false.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import torch
from torchvision.transforms.v2.functional import horizontal_flip

from vlcheck.mitigate.sides import can_be_mirrored, exchange_sides

AnyImage = TypeVar("AnyImage")  # a PIL image, or a tensor (..., height, width)


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
