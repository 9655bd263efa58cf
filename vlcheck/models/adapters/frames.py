"""The part of a picture that is left after the image processor has cropped it."""

from __future__ import annotations

from typing import Any

from PIL import Image

from vlcheck.cases.box import Box
from vlcheck.models.differentiable import WHOLE


def seen_part(processor: Any, size: tuple[int, int], made: tuple[int, int]) -> Box:
    """Return the part of a picture that an image processor keeps, in fractions of the picture's width and height.

    The part is larger than the picture if the processor puts a border around it.

    Args:
        processor: an image processor of transformers.
        size: the picture's width and height in pixels.
        made: the height and width in pixels of the processor's output.
    """
    if not getattr(processor, "do_center_crop", False):
        return WHOLE
    resized = processor([Image.new("RGB", size)], do_center_crop=False, return_tensors="pt")["pixel_values"]
    down, across = (kept / whole for kept, whole in zip(made, resized.shape[-2:], strict=True))
    return Box((1 - across) / 2, (1 - down) / 2, across, down)
