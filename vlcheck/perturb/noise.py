"""Noise that changes as much as another edit does: what the edit costs beyond it is due to what it took away."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from PIL import Image

from vlcheck.perturb.view import OfThePicture
from vlcheck.query import ImageEdit

CLOSE = 0.02  # levels by which the root mean square error may be off
_STEPS = 30


@dataclass(frozen=True)
class LuminanceNoise(OfThePicture):
    """Gaussian noise, the same in all three channels, of the root mean square error that another edit has.

    Attributes:
        like: the edit; where it does not apply, neither does the noise.
    """

    like: ImageEdit

    name: ClassVar[str] = "luminance-noise"
    version: ClassVar[int] = 1

    def edit(self, image: Image.Image) -> Image.Image:
        pixels = np.asarray(image, dtype=np.float32)
        wanted = _rmse(np.asarray(self.like.edit(image), dtype=np.float32), pixels)
        seed = int.from_bytes(hashlib.sha256(image.tobytes()).digest()[:8], "big")
        noise = np.random.default_rng(seed).standard_normal((*pixels.shape[:2], 1), dtype=np.float32)
        return Image.fromarray(_with_error(pixels, noise, wanted))


def _with_error(pixels: np.ndarray, noise: np.ndarray, wanted: float) -> np.ndarray:
    """Add as much of the noise as comes to an error, once what leaves 0 to 255 is cut off; found by bisection."""
    low, high = 0.0, 1024.0
    for _ in range(_STEPS):
        sigma = (low + high) / 2
        noisy = (pixels + sigma * noise).clip(0, 255).round()
        error = _rmse(noisy, pixels)
        if abs(error - wanted) <= CLOSE:
            break
        low, high = (sigma, high) if error < wanted else (low, sigma)
    return noisy.astype(np.uint8)


def _rmse(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.sqrt(np.mean((one - other) ** 2)))
