"""Optional protocols of models that can be asked about texts alone: vectors of texts, and words in a gap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

BLANK = "MASK"  # in place of "[MASK]" for encoders that were trained on no mask token, as Alper et al. 2023 wrote it


@runtime_checkable
class TextEncoding(Protocol):
    """A model whose text encoder gives one vector for a text."""

    name: str

    def can_spell(self, text: str) -> bool:
        """Return True if the vocabulary has each word of a text; "[MASK]" is no word."""

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """Return the vectors of texts: those that the model compares with pictures, if it has such vectors.

        Args:
            texts: n texts. "[MASK]" becomes the mask token of an encoder that was trained with one, and else BLANK.

        Returns:
            Vectors, (n, width), float64.

        Raises:
            NotApplicable: a text is too long for the model.
        """


@runtime_checkable
class GapFilling(Protocol):
    """A model that predicts a word from a text alone."""

    name: str

    def can_spell(self, text: str) -> bool:
        """Return True if the vocabulary has each word of a text; "[MASK]" is no word."""

    def gap_log_probs(self, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """Return the log-probability of words in the gap of each text: the mean over the pieces of a word.

        The mean, unlike the sum, does not favor words of few pieces.

        Args:
            texts: n texts, each with "[MASK]" once.
            words: n lists of words.

        Returns:
            For each text an array, shape (len(words[i]),), at most 0.

        Raises:
            UsageError: the vocabulary cannot spell a word.
            NotApplicable: a text is too long for the model.
        """
