"""Noise that changes as much as another edit does: what the edit costs beyond it is due to what it took away."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from PIL import Image

from vlcheck.cases.case import Case
from vlcheck.cases.picture import ImageEdit
from vlcheck.cases.view import View
from vlcheck.errors import NotApplicable
from vlcheck.perturb.base import Labelled, OfThePicture, Perturbation

CLOSE = 0.02  # levels by which the root mean square error may be off
_STEPS = 30
_STRIP = 4_000_000  # pixels


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
        pixels = np.asarray(image)
        wanted = _rmse(zip(_strips(np.asarray(self.like.edit(image))), _strips(pixels), strict=True))
        seed = int.from_bytes(hashlib.sha256(pixels.data).digest()[:8], "big")
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
        error = _rmse((_noisy(*strip, sigma), strip[0]) for strip in zip(_strips(pixels), _strips(noise), strict=True))
        if abs(error - wanted) <= CLOSE:
            break
        low, high = (sigma, high) if error < wanted else (low, sigma)
    parts = (_noisy(*strip, sigma) for strip in zip(_strips(pixels), _strips(noise), strict=True))
    return np.concatenate([part.astype(np.uint8) for part in parts])


def _noisy(pixels: np.ndarray, noise: np.ndarray, sigma: float) -> np.ndarray:
    noisy: np.ndarray = (pixels + sigma * noise).clip(0, 255).round()
    return noisy


def _strips(pixels: np.ndarray) -> Iterator[np.ndarray]:
    """Part a picture from top to bottom, in float32: all of a large one would take gigabytes in the steps between."""
    rows = max(1, _STRIP // pixels.shape[1])
    yield from (pixels[top : top + rows].astype(np.float32) for top in range(0, len(pixels), rows))


def _rmse(strips: Iterable[tuple[np.ndarray, np.ndarray]]) -> float:
    """The root mean square error between two pictures, given by strips."""
    errors = [(float(np.mean((one - other) ** 2)), one.size) for one, other in strips]
    mean = sum(error * size for error, size in errors) / sum(size for _, size in errors)
    return float(np.sqrt(np.float32(mean)))
