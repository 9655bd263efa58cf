"""Noise that changes a picture as much as another edit does, as a control for the size of the change.

If an edit lowers a score more than equally large noise does, the score depends on the information that the edit
removed.
"""

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

CLOSE = 0.02  # tolerance of the root mean square error, in levels
_STEPS = 30
_STRIP = 4_000_000  # pixels


@dataclass(frozen=True)
class LuminanceNoise(OfThePicture):
    """Add Gaussian noise, equal in all three channels, with the root mean square error of another edit.

    Attributes:
        like: the other edit; the noise does not apply to pictures to which the edit does not.

    Example:
        >>> import numpy as np
        >>> from PIL import Image
        >>> from vlcheck.perturb import Grayscale
        >>> image = Image.new("RGB", (64, 48), (120, 100, 80))
        >>> grey, noisy = Grayscale().edit(image), LuminanceNoise(like=Grayscale()).edit(image)
        >>> [float(np.sqrt(np.square(np.asarray(one, float) - image).mean()).round(1)) for one in (grey, noisy)]
        [16.8, 16.8]
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
    """Replace a perturbation of the picture by noise that changes it as much; the text stays as it was.

    Attributes:
        like: the perturbation to replace.

    Example:
        >>> from vlcheck.perturb import Grayscale
        >>> AsMuchNoise(like=Grayscale()).label
        'as-much-noise(Grayscale()) v1'
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
    """Add noise, scaled by bisection so that the error after clipping to 0 to 255 has the wanted size."""
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
    """Yield a picture in horizontal strips of float32; a large picture as a whole would take gigabytes."""
    rows = max(1, _STRIP // pixels.shape[1])
    yield from (pixels[top : top + rows].astype(np.float32) for top in range(0, len(pixels), rows))


def _rmse(strips: Iterable[tuple[np.ndarray, np.ndarray]]) -> float:
    """Return the root mean square error between two pictures, given in strips."""
    errors = [(float(np.mean((one - other) ** 2)), one.size) for one, other in strips]
    mean = sum(error * size for error, size in errors) / sum(size for _, size in errors)
    return float(np.sqrt(np.float32(mean)))
