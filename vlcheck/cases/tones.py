"""Tells at a glance whether a picture has color, and how bright it is where."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vlcheck.cases.rgb import to_rgb

GLANCE = 128  # pixels, of the longer side: enough to see color, and noise is averaged
BLOCK, SIDE = 8, 16  # pixels of a side: of what JPEG encodes as one, and of how bright a picture is where
GRAY = 12  # levels by which red, green and blue of a gray photograph may differ: a scan's cast, JPEG's rounding


def is_colorless(image: Image.Image) -> bool:
    """Return True if all of a picture is gray; a single tone, as sepia, is not told from a photograph of sand."""
    if len(image.getbands()) == 1 and image.mode != "P":
        return True
    image.draft("RGB", (GLANCE, GLANCE))  # JPEG is decoded at a fraction of its size
    shown = to_rgb(image)
    shown.thumbnail((GLANCE, GLANCE), Image.Resampling.BOX)
    return int(np.ptp(np.asarray(shown), axis=2).max()) <= GRAY


def glance(image: Image.Image) -> NDArray[np.uint8]:
    """Return how bright the parts of a picture are, as stored: a few levels, the same within two in every format."""
    width, height = image.size
    image.draft("L", (width // BLOCK, height // BLOCK))  # JPEG keeps the mean of each block, which is read alone
    if image.size == (width, height):
        image = to_rgb(image).convert("L").reduce(BLOCK)
    whole = image.convert("L").crop((0, 0, max(1, width // BLOCK), max(1, height // BLOCK)))
    return np.asarray(whole.resize((SIDE, SIDE), Image.Resampling.BOX))
