"""Real models whose reading of pictures or texts is broken as loading breaks it, for parity to catch.

Each fault wraps a model of a kind that vlcheck loads: it changes what the model's own preprocessing, template or cache
is given, and nothing of the answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from PIL import Image

from vlcheck.cases import MASK
from vlcheck.models.adapters.features import Features
from vlcheck.models.protocol import Encoded, VisionLanguageModel

SMALL = 48  # side of the square to which a wrong configuration resizes first


class Faulty:
    """A model that is given other pictures or texts than those it is asked about.

    Args:
        model: the model.
        name: name of the fault.
        picture: the change of each picture before the model's own preprocessing.
        text: the change of each text before the model's own tokenizer.
    """

    mask = MASK

    def __init__(
        self,
        model: VisionLanguageModel,
        name: str,
        *,
        picture: Callable[[Image.Image], Image.Image] = lambda image: image,
        text: Callable[[str], str] = lambda text: text,
    ) -> None:
        self.model, self.name, self.kinds, self.metrics = model, f"{model.name}, {name}", model.kinds, model.metrics
        self.fingerprint = f"{model.fingerprint}-{name}"
        self._picture, self._text = picture, text

    def encode(self, images: Sequence[Image.Image]) -> Encoded:
        return self.model.encode([self._picture(image) for image in images])

    def itm(self, encoded: Encoded, texts: Sequence[str], foils: Sequence[Sequence[str]] | None = None) -> np.ndarray:
        others = None if foils is None else [[*map(self._text, some)] for some in foils]
        return self.model.itm(encoded, [*map(self._text, texts)], others)

    def mlm(self, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        return self.model.mlm(encoded, [*map(self._text, texts)], words)


class Stale(Faulty):
    """A kept prefix of another picture: every second picture of a batch has that of the one half a batch before it."""

    def encode(self, images: Sequence[Image.Image]) -> Encoded:
        n = len(images)
        return self.model.encode(images)[[(row - row % 2 * (n // 2)) % n for row in range(n)]]


class Unnormalised(Faulty):
    """Pixels in [0, 1], which no mean is taken from and no standard deviation divides."""

    def encode(self, images: Sequence[Image.Image]) -> Encoded:
        network = self.model.network  # type: ignore[attr-defined]  # ALBEF's
        side = network.config.image_size
        squares = [image.convert("RGB").resize((side, side), Image.Resampling.BICUBIC) for image in images]
        pixels = torch.from_numpy(np.stack([np.asarray(one, dtype=np.float32) for one in squares])) / 255
        with torch.inference_mode():
            return Features.of(network.image_embeds(pixels.movedim(-1, -3).to(network.temp)))


def swapped(image: Image.Image) -> Image.Image:
    """Return a picture whose channels are read in the order blue, green, red."""
    return Image.merge("RGB", image.convert("RGB").split()[::-1])


def resized_first(image: Image.Image) -> Image.Image:
    """Return a picture that a wrong configuration has resized to a smaller square, without smoothing."""
    return image.resize((SMALL, SMALL), Image.Resampling.NEAREST)


def halves_exchanged(text: str) -> str:
    """Return a text whose parts stand in another order, as a template with exchanged parts has them."""
    words = text.split()
    return " ".join(words[len(words) // 2 :] + words[: len(words) // 2])


def bilinear(model: Any) -> Faulty:
    """Return a model whose pictures are resized by another interpolation than its own."""
    side = model.network.config.image_size
    resized = lambda image: image.resize((side, side), Image.Resampling.BILINEAR)  # noqa: E731
    return Faulty(model, "bilinear", picture=resized)


FAULTS: Mapping[str, Callable[[Any], VisionLanguageModel]] = MappingProxyType(
    {
        "channel swap": lambda model: Faulty(model, "channel swap", picture=swapped),
        "resize": lambda model: Faulty(model, "resize", picture=resized_first),
        "no normalisation": lambda model: Unnormalised(model, "no normalisation"),
        "text order": lambda model: Faulty(model, "text order", text=halves_exchanged),
        "stale prefix": lambda model: Stale(model, "stale prefix"),
    }
)
# Faults that move tiny's scores by less than the margins, or by no more than a few images show.
MILD: Mapping[str, Callable[[Any], VisionLanguageModel]] = MappingProxyType({"bilinear, not bicubic": bilinear})
