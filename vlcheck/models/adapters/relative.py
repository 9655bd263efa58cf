"""Models that only rank texts: the score of a text is its share among the text and its foils."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
import torch
from torch import Tensor

from vlcheck.errors import UsageError
from vlcheck.models.adapters.base import Adapter, own
from vlcheck.models.adapters.features import Features
from vlcheck.models.protocol import Encoded


class Relative(Adapter):
    """The base class of models that rank texts by a logit; P is the softmax over a text and its foils."""

    @torch.inference_mode()
    def itm(self, encoded: Encoded, texts: Sequence[str], foils: Sequence[Sequence[str]] | None = None) -> np.ndarray:
        """Return P(text | the text or one of its foils).

        Args:
            encoded: n images, encoded by this model.
            texts: n texts.
            foils: n lists of texts that are false of the image, at least one for each text.

        Returns:
            Probabilities, (n,), float64, in [0, 1].

        Raises:
            UsageError: a text has no foil, and would always get probability 1.
            NotApplicable: a text is too long for the model.
        """
        self._demand("itm")
        features = own(encoded, texts, self)
        if foils is None or not all(foils):
            raise UsageError(
                f"{self.name} only ranks texts: each text needs foils, texts that are false of its picture."
            )
        sets = [list(dict.fromkeys([text, *against])) for text, against in zip(texts, foils, strict=True)]
        # Words that are compared with each other have the same texts of the same image. Each pair is ranked once.
        row_of = {image: row for row, image in enumerate(features.index)}
        pairs = [[(row_of[image], text) for text in told] for image, told in zip(features.index, sets, strict=True)]
        distinct = list(dict.fromkeys(chain.from_iterable(pairs)))
        logits = torch.cat([self._rank(features, chunk) for chunk in self._chunks(distinct)]).double().cpu()
        place = {pair: at for at, pair in enumerate(distinct)}
        return np.array([logits[[place[pair] for pair in told]].softmax(0)[0].item() for told in pairs])

    def _rank(self, features: Features, pairs: Sequence[tuple[int, str]]) -> Tensor:
        return self.rank(features.each([row for row, _ in pairs]), [text for _, text in pairs])

    def rank(self, images: tuple[Tensor, ...], texts: Sequence[str]) -> Tensor:
        """Return one logit for each pair of image and text, (n,).

        Args:
            images: encoded images, each (n, ...).
            texts: n texts.
        """
        raise NotImplementedError
