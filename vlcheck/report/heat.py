"""The colors of heat maps, on pages and in pictures."""

from __future__ import annotations

import numpy as np
from PIL import Image

# Colors of a cell without weight, and of the strongest cells for and against the score. Dark to light, and yellow
# against blue, can be told apart without color vision of red and green; no mark, badge or box has these colors.
NOTHING, FOR, AGAINST = (16, 16, 32), (253, 216, 53), (79, 195, 247)
_OPACITY = 110, 205  # of a cell without weight and of the strongest, of 255


def heat(cells: np.ndarray) -> Image.Image:
    """Return a map as a small translucent picture, to be stretched over the picture that it explains.

    Args:
        cells: the map, (rows, columns).

    Returns:
        RGBA of a pixel a cell: the hue shows the sign; lightness and opacity show the share of the strongest cell.
    """
    strength = (np.abs(cells) / (np.abs(cells).max() or 1.0))[..., None]
    strongest = np.where(cells[..., None] < 0, AGAINST, FOR)
    color = (1 - strength) * NOTHING + strength * strongest
    opacity = (1 - strength) * _OPACITY[0] + strength * _OPACITY[1]
    pixels = np.rint(np.concatenate([color, opacity], axis=-1))
    return Image.fromarray(pixels.astype(np.uint8), "RGBA")


def heated(image: Image.Image, cells: np.ndarray) -> Image.Image:
    """Return a picture with a map over it.

    Args:
        image: the picture, RGB.
        cells: the map, (rows, columns).
    """
    over = heat(cells).resize(image.size, Image.Resampling.BICUBIC)
    return Image.alpha_composite(image.convert("RGBA"), over).convert("RGB")
