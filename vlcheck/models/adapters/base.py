"""The base class of adapters. Texts are read in chunks, and a word of several tokens is read with as many masks."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import ClassVar, NamedTuple, TypeVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from vlcheck.cases.case import MASK
from vlcheck.errors import NotApplicable, UsageError
from vlcheck.models.adapters.described import network_setup
from vlcheck.models.adapters.features import Features
from vlcheck.models.differentiable import Differentiable
from vlcheck.models.protocol import Encoded
from vlcheck.models.setup import Setup

_T = TypeVar("_T")


class MaskedPass(NamedTuple):
    """A pass of the network over one text with mask tokens.

    Attributes:
        row: index of the text.
        masks: number of mask tokens in place of the text's "[MASK]".
    """

    row: int
    masks: int = 1


class Adapter(ABC):
    """The base class of models; a family adds its forward passes.

    Attributes:
        known: well-known checkpoints; if the class reads several architectures, a mapping from each to its own.
        name: the model's name in reports.
        fingerprint: content hash of everything that decides a score.
        kinds: metric -> score kind.
        cased: False if the model was trained on lower-case text.
        lacks: metric -> reason, for the metrics that the model does not offer.
        max_pairs: largest number of texts in one forward pass; it limits memory.
    """

    known: ClassVar[Sequence[str] | Mapping[str, Sequence[str]]] = ()
    mask = MASK
    name: str
    fingerprint: str
    kinds: Mapping[str, str]
    cased: ClassVar[bool] = True
    lacks: Mapping[str, str] = {}
    max_pairs: int = 64

    @property
    def metrics(self) -> frozenset[str]:
        """The metrics that the model offers."""
        return frozenset(self.kinds)

    @abstractmethod
    def encode(self, images: Sequence[Image.Image]) -> Features:
        """Encode images before any text is read.

        Args:
            images: n RGB images of any size.

        Returns:
            The encoded images, of length n.
        """

    @torch.inference_mode()
    def itm(self, encoded: Encoded, texts: Sequence[str], foils: Sequence[Sequence[str]] | None = None) -> np.ndarray:
        """Return P(match) of each image with its text.

        Args:
            encoded: n images, encoded by this model.
            texts: n texts.
            foils: not used, except by models that only compare texts.

        Returns:
            Probabilities, (n,), float64, in [0, 1].

        Raises:
            UsageError: the model has no matching head.
            NotApplicable: a text is too long for the model.
        """
        self._demand("itm")
        features = own(encoded, texts, self)
        probs = [np.zeros(0)]
        for rows in self._chunks(range(len(texts))):
            probs.append(self._match(features, rows, [texts[row] for row in rows]).double().cpu().numpy())
        return np.concatenate(probs)

    @torch.inference_mode()
    def mlm(self, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """Return P(word) at the one mask of each text; a word of several tokens is read with as many masks.

        Args:
            encoded: n images, encoded by this model.
            texts: n texts, each with "[MASK]" exactly once.
            words: n lists of words.

        Returns:
            For each text an array, shape (len(words[i]),), in [0, 1]. P of a word of several tokens is the product of
            P of its tokens.

        Raises:
            UsageError: the model has no language head, a text has not exactly one mask, or a word cannot be spelled.
            NotApplicable: a text is too long for the model.
        """
        features = own(encoded, texts, self)
        single = self._at_one_mask(features, texts)
        pieces = [{word: self._pieces(text, word) for word in asked} for text, asked in zip(texts, words, strict=True)]
        lengths = sorted({(row, len(ids)) for row, spelled in enumerate(pieces) for ids in spelled.values()})
        several = [MaskedPass(*length) for length in lengths if length[1] > 1]
        log_probs = torch.cat([single, self._read(features, texts, several)]) if several else single
        passes = [MaskedPass(row) for row in range(len(texts))] + several
        starts = dict(zip(passes, accumulate((each.masks for each in passes), initial=0), strict=False))
        return [
            _word_probs(log_probs, [(starts[MaskedPass(row, len(spelled[word]))], spelled[word]) for word in asked])
            for row, (spelled, asked) in enumerate(zip(pieces, words, strict=True))
        ]

    @torch.inference_mode()
    def top(self, encoded: Encoded, texts: Sequence[str], k: int) -> list[list[tuple[str, float]]]:
        """Return the k likeliest vocabulary entries at each mask.

        The network is not run again right after `mlm` of the same images and texts.

        Args:
            encoded: n images, encoded by this model.
            texts: n texts, each with "[MASK]" exactly once.
            k: number of entries, at least 1.

        Returns:
            For each text pairs (entry, probability), likeliest first.
        """
        log_probs = self._at_one_mask(own(encoded, texts, self), texts)
        best = log_probs.exp().topk(min(k, log_probs.shape[-1]))
        names = [[self._entry(entry) for entry in row] for row in best.indices.tolist()]
        return [list(zip(*row, strict=True)) for row in zip(names, best.values.tolist(), strict=True)]

    def setup(self) -> Setup:
        """Return what is done to pictures, texts and weights, as one line of a run says it."""
        network = getattr(self, "network", None)
        known = Setup() if network is None else network_setup(network)
        return replace(known, pictures=self.pictures_said(), texts=self.texts_said())

    def pictures_said(self) -> str:
        """Return what is done to a picture before the network reads it; "" if that is not known."""
        return ""

    def texts_said(self) -> str:
        """Return what is done to a text before the network reads it; "" if that is not known."""
        return ""

    def differentiable(self) -> Differentiable:
        """Return the network with the parts that explanations need.

        Raises:
            NotApplicable: the family gives no gradients.
        """
        raise NotApplicable(f"{self.name} gives no gradients: its family does not support explanations")

    def _at_one_mask(self, features: Features, texts: Sequence[str]) -> Tensor:
        """Return log-probabilities (n, vocab_size) at the mask of each text; keep them until other texts are read."""
        last, asked = features.last, (features.index, tuple(texts))
        if last.log_probs is None or last.of != asked:
            self._demand("mlm")
            check_masked(texts)
            last.of, last.log_probs = asked, self._read(features, texts, [MaskedPass(row) for row in range(len(texts))])
        return last.log_probs

    def _read(self, features: Features, texts: Sequence[str], passes: Sequence[MaskedPass]) -> Tensor:
        """Return log-probabilities (masks of all passes, vocab_size), in the order of the passes, read in chunks."""
        parts = [self._predict(features, texts, chunk) for chunk in self._chunks(passes)]
        return torch.cat(parts) if parts else torch.zeros(0, 1)

    def _match(self, features: Features, rows: Sequence[int], texts: Sequence[str]) -> Tensor:
        """Return P(match) of each row's image with its text, (rows,)."""
        raise NotImplementedError

    def _predict(self, features: Features, texts: Sequence[str], passes: Sequence[MaskedPass]) -> Tensor:
        """Return log-probabilities (masks of all passes, vocab_size), read in one pass of the network."""
        raise NotImplementedError

    def _pieces(self, text: str, word: str) -> list[int]:
        """Return the token ids of a word at a text's mask. Raises UsageError if the vocabulary cannot spell it."""
        raise NotImplementedError

    def _entry(self, number: int) -> str:
        """Return an entry of the vocabulary as text."""
        raise NotImplementedError

    def _chunks(self, items: Sequence[_T]) -> Iterator[Sequence[_T]]:
        """Split items into parts of at most `max_pairs`."""
        return (items[start : start + self.max_pairs] for start in range(0, len(items), self.max_pairs))

    def _demand(self, metric: str) -> None:
        """Raise UsageError if the model does not offer a metric."""
        if metric not in self.kinds:
            raise UsageError(f"{self.name} has no {metric}: {self.lacks.get(metric, 'no head for it')}.")


def own(encoded: Encoded, texts: Sequence[str], model: Adapter) -> Features:
    """Check that a model encoded the images that it is asked about, and that there is one for each text.

    Args:
        encoded: the encoded images.
        texts: the texts, one for each image.
        model: the model that is asked.

    Returns:
        The encoded images, typed.

    Raises:
        TypeError: another model encoded them.
        ValueError: the numbers of texts and images differ.
    """
    if not isinstance(encoded, Features):
        raise TypeError(f"{model.name} needs images that it encoded itself, not {type(encoded).__name__}")
    if len(encoded) != len(texts):
        raise ValueError(f"{len(texts)} texts for {len(encoded)} images")
    return encoded


def check_masked(texts: Sequence[str]) -> None:
    """Check that each text has exactly one mask. Raises UsageError."""
    for text in texts:
        if text.count(MASK) != 1:
            raise UsageError(f"{text!r} has to contain {MASK} exactly once.")


def log_softmax(logits: Tensor) -> Tensor:
    """Return the log-softmax over the last axis in float32 at least: half precision rounds an unlikely word to 0."""
    return wide(logits).log_softmax(-1)


def wide(tensor: Tensor) -> Tensor:
    """Return the tensor in float32 at least."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


def _word_probs(log_probs: Tensor, words: Sequence[tuple[int, Sequence[int]]]) -> np.ndarray:
    """Return P of each word: the product of P of its tokens.

    Args:
        log_probs: log-probabilities, (masks, vocab_size).
        words: for each word the row of its first mask and its token ids.
    """
    rows = [start + place for start, pieces in words for place in range(len(pieces))]
    chosen = log_probs[rows, [piece for _, pieces in words for piece in pieces]].double().cpu().numpy()
    ends = np.cumsum([len(pieces) for _, pieces in words], dtype=np.intp)
    return np.array([math.exp(part.sum()) for part in np.split(chosen, ends[:-1]) if len(words)])
