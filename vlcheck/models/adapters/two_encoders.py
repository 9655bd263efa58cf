"""Models that encode a picture and a text separately, and compare their vectors."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import torch
from torch import Tensor
from torch.nn.functional import normalize

from vlcheck.models.adapters.base import wide
from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.relative import Relative
from vlcheck.models.adapters.text_encoding import EmbedsTexts


class ComparesVectors(EmbedsTexts):
    """The base of models whose score comes from the cosine of a picture's and a text's vector.

    The first tensor of encoded images holds their unit vectors, (n, width).
    """

    lacks = MappingProxyType({"mlm": "it compares whole texts with pictures, and predicts no word"})

    def scaled(self, cosines: Tensor) -> Tensor:
        """Return the logits of a match, (n,), given cosines, (n,)."""
        raise NotImplementedError

    def cosines(self, images: tuple[Tensor, ...], texts: Sequence[str]) -> Tensor:
        """Return the cosine of each image with its text, (n,). Equal texts are encoded once.

        Args:
            images: unit vectors, (n, width), and further tensors that are not used.
            texts: n texts.
        """
        embeds = images[0]
        places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        encoded = self.text_vectors([*places])
        return (embeds * encoded[[places[text] for text in texts]]).sum(-1)


class RanksVectors(Relative, ComparesVectors):
    """The base of models that were trained to rank texts, whose logit is a scaled cosine."""

    kinds = MappingProxyType({"itm": "contrastive"})

    def rank(self, images: tuple[Tensor, ...], texts: Sequence[str]) -> Tensor:
        return self.scaled(self.cosines(images, texts))


class MatchesVectors(ComparesVectors):
    """The base of models that were trained on single pairs: P(match) is the sigmoid of the logit."""

    kinds = MappingProxyType({"itm": "sigmoid"})

    def _match(self, features: Features, rows: Sequence[int], texts: Sequence[str]) -> Tensor:
        return torch.sigmoid(self.scaled(self.cosines(features.each(rows), texts)))


def unit(vectors: Tensor) -> Tensor:
    """Return vectors scaled to length 1, (n, width), in float32 at least: a scale of 100 would magnify rounding."""
    return normalize(wide(vectors), dim=-1)
