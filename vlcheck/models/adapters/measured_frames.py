"""The part of a picture that an input of a network shows, measured with pictures of known content."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from vlcheck.cases.box import Box

_LEAST = 0.5  # share of the range from black to white; a pixel with less of the picture in it belongs to a border
_MARGIN = 2  # pixels at an edge whose colors resizing mixes with what it assumes to lie beyond
_ERROR = 0.003  # the largest error of an edge, in fractions of the picture


def measured_frames(prepare: Callable[[Image.Image], Tensor], size: tuple[int, int]) -> list[Box | None]:
    """Return the part of a picture that each tile shows, in fractions of the picture's width and height.

    Image processors crop, pad, resize and cut pictures into tiles, each in its own way. Here a picture whose colors are
    the coordinates of its pixels is prepared, beside a black and a white one. Across each tile the coordinates that
    arrive grow evenly, so that a straight line through them leads to the tile's edges. The boxes are right to about
    two thousandths of the picture, since a color has 256 steps; an edge that near to the picture's is taken for it.

    Args:
        prepare: returns the tiles of a picture as the network reads them, (tiles, 3, height, width); their number and
            places depend on the picture's size alone.
        size: the picture's width and height in pixels.

    Returns:
        A box for each tile, larger than the picture if the tile has a border around it; None for a tile that shows
        nothing of the picture.
    """
    width, height = size
    across = np.broadcast_to((np.arange(width) + 0.5) / width, (height, width))
    down = np.broadcast_to(((np.arange(height) + 0.5) / height)[:, None], (height, width))
    places = np.rint(np.stack([across, down, 0 * down], axis=-1) * 255).astype(np.uint8)
    pictures = Image.new("RGB", size), Image.new("RGB", size, "white"), Image.fromarray(places)
    black, white, prepared = (prepare(picture)[:, :2].double().cpu() for picture in pictures)
    span = white - black
    shown = span.abs() > _LEAST * span.abs().max()
    found = torch.where(shown, (prepared - black) / span, torch.nan)
    return [_frame(tile) for tile in found.numpy()]


def _frame(tile: np.ndarray) -> Box | None:
    """Return the part of the picture that a tile shows, given the coordinates at its pixels, (2, height, width)."""
    if np.isnan(tile).all():
        return None
    (left, right), (top, bottom) = _ends(tile[0].T), _ends(tile[1])
    return Box(left, top, right - left, bottom - top)


def _ends(lines: np.ndarray) -> tuple[float, float]:
    """Return the coordinate at both ends of a stretch of lines, given the coordinates at their pixels, (lines, pixels).

    All pixels of a line have the same coordinate.
    """
    known = np.flatnonzero(~np.isnan(lines).all(axis=1))
    inner = known[_MARGIN:-_MARGIN] if len(known) > 3 * _MARGIN else known
    slope, start = np.polyfit(inner + 0.5, np.nanmedian(lines[inner], axis=1), 1)
    low, high = float(start), float(start + slope * len(lines))
    return low if abs(low) > _ERROR else 0, high if abs(high - 1) > _ERROR else 1
