"""The base of adapters whose text encoder gives one vector for a text."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from vlcheck.cases.case import MASK
from vlcheck.models.adapters.base import Adapter
from vlcheck.models.text_encoding import BLANK


class EmbedsTexts(Adapter):
    """The base of adapters of models that can embed a text without a picture.

    Attributes:
        blank: the text that stands for "[MASK]"; "[MASK]" itself if the encoder was trained with a mask token.
    """

    blank: ClassVar[str] = BLANK

    @torch.inference_mode()
    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """Return the vectors of texts. See `vlcheck.models.text_encoding.TextEncoding`.

        Args:
            texts: n texts; "[MASK]" stands for a gap.

        Returns:
            Vectors, (n, width), float64.

        Raises:
            NotApplicable: a text is too long for the model.
        """
        asked = [text.replace(MASK, self.blank) for text in texts]
        parts = [self.text_vectors(chunk).double().cpu().numpy() for chunk in self._chunks(asked)]
        return np.concatenate(parts) if parts else np.zeros((0, 0))

    @abstractmethod
    def text_vectors(self, texts: Sequence[str]) -> Tensor:
        """Return the vectors of at most `max_pairs` texts, (n, width)."""


def mean_of_tokens(states: Tensor, attention: Tensor) -> Tensor:
    """Return the mean of the states of a text's tokens, (n, width).

    Args:
        states: states of the tokens, (n, tokens, width).
        attention: (n, tokens): 1 = token, 0 = padding.

    Source:
        Reimers and Gurevych 2019, arXiv:1908.10084.
    """
    kept = attention[..., None].to(states.dtype)
    return (states * kept).sum(1) / kept.sum(1)
