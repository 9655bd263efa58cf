"""Crops that move what a caption names: a thing in the middle of every picture teaches that only the middle counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torchvision.transforms.v2.functional import get_size, resized_crop

from vlcheck.cases.box import Box
from vlcheck.cases.words import words_of
from vlcheck.mitigate.training.flips import AnyImage

# Words after which a moved thing may be where the caption does not have it; "above" and "below" hold in any crop.
_PLACES = frozenset(
    {"left", "right", "side", "top", "bottom", "upper", "lower", "middle", "center", "centre", "centered"}
    | {"corner", "corners", "edge", "edges", "foreground", "background"}
)


@dataclass(frozen=True)
class ShiftedCrop:
    """Show a random part of a picture in its size, so that things are elsewhere in it; the caption stays.

    A pair whose caption names a place in the picture stays as it is: the crop would make it false. Give the boxes of
    the things that the caption names, if you have them: the part holds them whole.

    Attributes:
        smallest: least side of the part, as a share of the picture's side, in (0, 1].

    Example:
        >>> from PIL import Image
        >>> cropped, caption = ShiftedCrop()(Image.new("RGB", (64, 48)), "a photo of a cup")
        >>> cropped.size, caption
        ((64, 48), 'a photo of a cup')
    """

    smallest: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.smallest <= 1:
            raise ValueError(f"ShiftedCrop: smallest is {self.smallest}; it has to be a share, above 0 and at most 1")

    def __call__(self, image: AnyImage, caption: str, boxes: Sequence[Box] = ()) -> tuple[AnyImage, str]:
        """Return the part and the caption.

        Args:
            image: a PIL image, or a tensor (..., height, width).
            caption: the caption.
            boxes: the boxes that the part has to hold, in pixels.
        """
        if names_a_place(caption):
            return image, caption
        height, width = get_size(image)
        size, across, along = torch.rand(3).tolist()
        part = draw_part((width, height), boxes, self.smallest, size, across, along)
        return resized_crop(image, *part, [height, width]), caption


def names_a_place(caption: str) -> bool:
    """Return True if a caption names a place in the picture, or may do so.

    Example:
        >>> names_a_place("a cup in the corner"), names_a_place("a cup above a box")
        (True, False)
    """
    return not _PLACES.isdisjoint(words_of(caption))


def draw_part(
    size: tuple[int, int], boxes: Sequence[Box], smallest: float, share: float, across: float, along: float
) -> tuple[int, int, int, int]:
    """Return the top, the left, the height and the width of a part of a picture, in pixels, that holds all boxes.

    Args:
        size: width and height of the picture in pixels.
        boxes: the boxes, in pixels.
        smallest: least side of the part, as a share of the picture's side, in (0, 1].
        share: random number in [0, 1) for the part's size.
        across: random number in [0, 1) for its left edge.
        along: random number in [0, 1) for its upper edge.
    """
    spans = (
        [(box.x, box.x + box.width) for box in boxes],
        [(box.y, box.y + box.height) for box in boxes],
    )
    needed = (_span(span) / side for span, side in zip(spans, size, strict=True))
    least = min(1.0, max(smallest, *needed))
    side = least + share * (1 - least)
    width, height = (max(1, math.ceil(side * whole)) for whole in size)
    left = _start(spans[0], size[0], width, across)
    return _start(spans[1], size[1], height, along), left, height, width


def _span(edges: Sequence[tuple[float, float]]) -> float:
    return max(end for _, end in edges) - min(start for start, _ in edges) if edges else 0.0


def _start(edges: Sequence[tuple[float, float]], whole: int, part: int, random: float) -> int:
    """Return where a part begins that holds all edges: at random among the places that do."""
    first = max([0.0, *(end - part for _, end in edges)])
    last = min([float(whole - part), *(start for start, _ in edges)])
    return min(max(round(first + random * (last - first)), 0), whole - part)
