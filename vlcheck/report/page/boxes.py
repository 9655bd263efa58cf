"""Boxes as a page draws them over the copy of a picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vlcheck.report.page.images import EmbeddedImage


@dataclass(frozen=True)
class Rectangle:
    """A rectangle in pixels of a picture's copy."""

    x: float
    y: float
    width: float
    height: float


def rectangles(boxes: Iterable[Sequence[float]] | None, picture: EmbeddedImage | None) -> tuple[Rectangle, ...]:
    """Return boxes where the copy of a picture has them; none if there is no copy, or its scale is not known.

    Args:
        boxes: boxes in pixels of the picture as the model was shown it.
        picture: its copy.
    """
    if picture is None or not picture.shrunk:
        return ()
    scale = picture.shrunk
    return tuple(Rectangle(*(round(edge * scale, 1) for edge in box)) for box in boxes or ())
