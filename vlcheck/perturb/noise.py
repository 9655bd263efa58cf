"""Noise that changes as much as another edit does: what the edit costs beyond it is due to what it took away."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from PIL import Image

from vlcheck.cases.case import Case
from vlcheck.errors import NotApplicable
from vlcheck.perturb.view import Labelled, OfThePicture, Perturbation, View
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


@dataclass(frozen=True)
class AsMuchNoise(Labelled):
    """In place of a perturbation of the picture, noise that changes it as much; the text is left as it was.

    Attributes:
        like: the perturbation.
    """

    like: Perturbation

    name: ClassVar[str] = "as-much-noise"
    version: ClassVar[int] = 1

    def __call__(self, view: View, others: Sequence[Case]) -> View:
        before, after = view.picture, self.like(view, others).picture
        edits = after.edits[len(before.edits) :]
        if after.source.key != before.source.key or len(edits) != 1:
            raise NotApplicable("not one edit of the picture: no noise is as much")
        return replace(view, picture=before.then(LuminanceNoise(edits[0])))


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
