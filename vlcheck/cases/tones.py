"""Quick measures of a picture: whether it shows anything, whether it has color, and how bright its parts are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vlcheck.cases.rgb import to_rgb

GLANCE = 128  # pixels of the longer side after scaling: enough to see color, while noise is averaged
BLOCK, SIDE = 8, 16  # pixels of a side: of a JPEG block, and of the map of brightness
GRAY = 12  # levels by which the channels of a gray photograph may differ: a scan's tint, JPEG's rounding
BLANK = 8  # levels by which a channel of a blank picture may differ: JPEG's rounding


def is_colorless(image: Image.Image) -> bool:
    """Return True if a whole picture is gray; a single tone such as sepia counts as color."""
    if len(image.getbands()) == 1 and image.mode != "P":
        return True
    image.draft("RGB", (GLANCE, GLANCE))  # JPEG is decoded at a fraction of its size
    shown = to_rgb(image)
    shown.thumbnail((GLANCE, GLANCE), Image.Resampling.BOX)
    return int(np.ptp(np.asarray(shown), axis=2).max()) <= GRAY


def is_blank(image: Image.Image) -> bool:
    """Return True if a picture has one color throughout, within BLANK levels of each channel."""
    extrema = image.convert("RGB").getextrema()
    return all(high - low <= BLANK for low, high in extrema)  # type: ignore[misc]


def glance(image: Image.Image) -> NDArray[np.uint8]:
    """Return a map of brightness: (16, 16), uint8; the same within two levels in every file format."""
    width, height = image.size
    image.draft("L", (width // BLOCK, height // BLOCK))  # JPEG stores the mean of each block, and only that is decoded
    if image.size == (width, height):
        image = to_rgb(image).convert("L").reduce(BLOCK)
    whole = image.convert("L").crop((0, 0, max(1, width // BLOCK), max(1, height // BLOCK)))
    return np.asarray(whole.resize((SIDE, SIDE), Image.Resampling.BOX))
