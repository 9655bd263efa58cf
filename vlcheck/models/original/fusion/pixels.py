"""Pictures as ALBEF and X-VLM read them: squares, normalised with CLIP's mean and standard deviation."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from vlcheck.cases.rgb import to_rgb

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)


def preprocess(image: Image.Image, size: int) -> Tensor:
    """Resize to a square without keeping the aspect, bicubic, and normalise.

    Args:
        image: an image of any size and mode.
        size: side of the square in pixels.

    Returns:
        Pixels, (3, size, size), float32.
    """
    resized = to_rgb(image).resize((size, size), Image.Resampling.BICUBIC)
    return normalise(torch.from_numpy(np.array(resized, dtype=np.float32)) / 255)


def normalise(pixels: Tensor) -> Tensor:
    """Normalise pixels: from (..., height, width, 3) in [0, 1] to (..., 3, height, width) around 0."""
    return ((pixels - torch.tensor(MEAN)) / torch.tensor(STD)).movedim(-1, -3)
