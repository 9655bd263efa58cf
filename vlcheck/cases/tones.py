"""Tells pictures with color from gray ones."""

from __future__ import annotations

import numpy as np
from PIL import Image

GLANCE = 128  # pixels, of the longer side: enough to see color, and noise is averaged
GRAY = 12  # levels by which red, green and blue of a gray photograph may differ: a scan's cast, JPEG's rounding


def is_colorless(image: Image.Image) -> bool:
    """Return True if all of a picture is gray; a single tone, as sepia, is not told from a photograph of sand."""
    if len(image.getbands()) == 1 and image.mode != "P":
        return True
    image.draft("RGB", (GLANCE, GLANCE))  # JPEG is decoded at a fraction of its size
    shown = image.convert("RGB")
    shown.thumbnail((GLANCE, GLANCE), Image.Resampling.BOX)
    return int(np.ptp(np.asarray(shown), axis=2).max()) <= GRAY
