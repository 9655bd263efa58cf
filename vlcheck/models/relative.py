"""Models that only rank: a text is as probable as it is more likely than its foils."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from vlcheck.errors import UsageError
from vlcheck.models.asking import Adapter, own
from vlcheck.models.protocol import Encoded


class Relative(Adapter):
    """Matching against foils: softmax over a text and its foils."""

    @torch.inference_mode()
    def itm(self, encoded: Encoded, texts: Sequence[str], foils: Sequence[Sequence[str]] | None = None) -> np.ndarray:
        """P(text | text or one of its foils), (n,).

        Raises:
            UsageError: a text has no foil: without one it is certain, whatever the picture.
        """
        self._demand("itm")
        features = own(encoded, texts, self)
        if foils is None or not all(foils):
            raise UsageError(f"{self.name} only ranks texts: each needs foils that are false of its picture.")
        sets = [[text, *(foil for foil in against if foil != text)] for text, against in zip(texts, foils, strict=True)]
        asked = [(row, text) for row, texts_of in enumerate(sets) for text in texts_of]
        logits = [
            self.rank(features.each([row for row, _ in chunk]), [text for _, text in chunk])
            for chunk in self._chunks(asked)
        ]
        parts = torch.split(torch.cat(logits).cpu(), [len(texts_of) for texts_of in sets])
        return np.array([part.double().softmax(0)[0].item() for part in parts])

    def rank(self, images: tuple[Tensor, ...], texts: Sequence[str]) -> Tensor:
        """One logit a text, (n,), over as many images."""
        raise NotImplementedError
