"""The part of a picture that is left after the image processor has cropped it."""

from __future__ import annotations

from typing import Any

from PIL import Image

from vlcheck.cases.box import Box
from vlcheck.models.differentiable import WHOLE


def seen_part(processor: Any, size: tuple[int, int]) -> Box:
    """Return the part of a picture that an image processor keeps, in fractions of the picture's width and height.

    The part is larger than the picture if the processor puts a border around it.

    Args:
        processor: an image processor of transformers.
        size: the picture's width and height in pixels.
    """
    if not getattr(processor, "do_center_crop", False):
        return WHOLE
    blank = Image.new("RGB", size)
    resized_height, resized_width = _shape(processor, blank, do_center_crop=False)
    height, width = _shape(processor, blank)
    across, down = width / resized_width, height / resized_height
    return Box((1 - across) / 2, (1 - down) / 2, across, down)


def _shape(processor: Any, picture: Image.Image, **settings: bool) -> tuple[int, int]:
    """Return the height and width of a picture after the image processor, with some of its settings changed."""
    height, width = processor([picture], return_tensors="pt", **settings)["pixel_values"].shape[-2:]
    return height, width
