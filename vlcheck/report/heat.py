"""The colors of heat maps, on pages and in pictures."""

from __future__ import annotations

import numpy as np
from PIL import Image

FOR, AGAINST = (215, 48, 31), (33, 102, 172)  # cells that speak for and against the score
_OPACITY = 200  # of the strongest cell, of 255


def heat(cells: np.ndarray) -> Image.Image:
    """Return a map as a small transparent picture, to be stretched over the picture that it explains.

    Args:
        cells: the map, (rows, columns).

    Returns:
        RGBA of a pixel a cell: the color shows the sign, the opacity the share of the strongest cell.
    """
    strength = np.abs(cells) / (np.abs(cells).max() or 1.0)
    color = np.where(cells[..., None] < 0, AGAINST, FOR)
    pixels = np.concatenate([color, np.rint(_OPACITY * strength)[..., None]], axis=-1)
    return Image.fromarray(pixels.astype(np.uint8), "RGBA")


def heated(image: Image.Image, cells: np.ndarray) -> Image.Image:
    """Return a picture with a map over it.

    Args:
        image: the picture, RGB.
        cells: the map, (rows, columns).
    """
    over = heat(cells).resize(image.size, Image.Resampling.BICUBIC)
    return Image.alpha_composite(image.convert("RGBA"), over).convert("RGB")
