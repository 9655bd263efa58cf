"""Image classifiers as models: P(word) is the probability of the labels that name the word, whatever the text says."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from vlcheck.errors import NotApplicable, UsageError
from vlcheck.models.adapters.base import Adapter, check_masked, own, wide
from vlcheck.models.adapters.features import Features
from vlcheck.models.protocol import Encoded

LEXICON = Path(__file__).with_name("labels.toml")


class ObjectLabels:
    """The labels of a classifier, and the words that they name.

    A label names the words of the thing under which labels.toml lists its first name; a label that is not listed names
    the words that are equal to one of its names.

    Args:
        labels: the labels in the order of the classifier's outputs; a label may be several names with commas between.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = tuple(" ".join(label.replace("_", " ").split()) for label in labels)
        numbers: dict[str, list[int]] = {}
        for number, label in enumerate(self.labels):
            names = [name.strip() for name in label.split(",")]
            for word in _listed().get(names[0], tuple(name.casefold() for name in names)):
                numbers.setdefault(word, []).append(number)
        self.numbers: Mapping[str, Sequence[int]] = numbers

    def can_name(self, word: str) -> bool:
        """Return True if a label names a word, in whatever case it is written."""
        return word.casefold() in self.numbers

    def probabilities(self, of_labels: Tensor, words: Sequence[str]) -> np.ndarray:
        """Return P of each word: the sum over the labels that name it.

        Args:
            of_labels: P of each label, (labels,).
            words: the words.

        Returns:
            Probabilities, (words,), float64.

        Raises:
            NotApplicable: no label names a word. A probability of 0 would let any other word win against it.
        """
        if unnamed := [word for word in words if not self.can_name(word)]:
            raise NotApplicable(f"no label of the classifier names {unnamed[0]!r}")
        numbers = [[*self.numbers[word.casefold()]] for word in words]
        return np.array([of_labels[own].double().sum().item() for own in numbers])


class Classifies(Adapter):
    """The base class of image classifiers: controls that show what a network without words can tell.

    Attributes:
        labels: the labels.
    """

    kinds = MappingProxyType({"mlm": "image-labels"})
    lacks = MappingProxyType({"itm": "it names a picture by a label, and reads no text"})
    cased = False
    labels: ObjectLabels

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> Features:
        """Return the probabilities of all labels for each image, (n, labels)."""
        return Features.of(wide(self.logits(images)).softmax(-1))

    def logits(self, images: Sequence[Image.Image]) -> Tensor:
        """Return the logits of the labels, (n, labels).

        Args:
            images: n RGB images of any size.
        """
        raise NotImplementedError

    def texts_said(self) -> str:
        return "no text is read"

    def can_name(self, word: str) -> bool:
        """Return True if a label names a word, so that the classifier can be asked about it."""
        return self.labels.can_name(word)

    def mlm(self, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """Return P(word) of the labels of each image that name the word.

        Args:
            encoded: n images, encoded by this model.
            texts: n texts, each with "[MASK]" exactly once; they change nothing.
            words: n lists of words.

        Returns:
            For each text an array, shape (len(words[i]),), in [0, 1].

        Raises:
            NotApplicable: no label names a word.
            UsageError: a text has not exactly one mask.
        """
        check_masked(texts)
        (shares,) = own(encoded, texts, self).each(range(len(texts)))
        return [self.labels.probabilities(row, asked) for row, asked in zip(shares, words, strict=True)]

    def top(self, encoded: Encoded, texts: Sequence[str], k: int) -> list[list[tuple[str, float]]]:
        """Return the k likeliest labels of each image.

        Args:
            encoded: n images, encoded by this model.
            texts: n texts; they change nothing.
            k: number of labels, at least 1.
        """
        (shares,) = own(encoded, texts, self).each(range(len(texts)))
        best = shares.topk(min(k, shares.shape[-1]))
        return [
            [(self.labels.labels[number], share) for number, share in zip(*row, strict=True)]
            for row in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ]


def demand_labels(labels: Sequence[str], outputs: int, place: str) -> None:
    """Check that a classifier has a label for each output, and that they are names.

    Args:
        labels: the labels.
        outputs: number of outputs of the network.
        place: file and key of the labels, for the message.

    Raises:
        UsageError: their number differs, or they are placeholders such as LABEL_0.
    """
    if len(labels) != outputs:
        raise UsageError(f"{place}: {len(labels)} labels for {outputs} outputs; each output has to have a label.")
    if all(re.fullmatch(r"label[ _]?\d+|\d+", label.casefold()) for label in labels):
        raise UsageError(f"{place}: the labels are placeholders (LABEL_0, ...); names of things are accepted.")


@cache
def _listed() -> Mapping[str, tuple[str, ...]]:
    """Return the words that a label names, by the label's first name."""
    things = tomllib.loads(LEXICON.read_text(encoding="utf-8")).values()
    return {label: tuple(thing["words"]) for thing in things for label in thing["labels"]}
