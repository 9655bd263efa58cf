"""The methods and attributes that vlcheck needs of a vision-language model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from PIL import Image

from vlcheck.metrics.kinds import RELATIVE


class Encoded(Protocol):
    """Images that a model has encoded once, to be asked about many times."""

    def __len__(self) -> int:
        """Return the number of images."""

    def __getitem__(self, index: Sequence[int]) -> Encoded:
        """Select images by index; an index may occur more than once, and nothing is copied before it is used."""


class VisionLanguageModel(Protocol):
    """A model that can be asked about images and texts.

    Attributes:
        name: the model's name in reports.
        fingerprint: content hash of weights, preprocessing, dtype and device type; part of the key of every kept score.
        metrics: subset of {"mlm", "itm", "mrc"}; a model with "mrc" has the method of `ClassifiesRegions` too.
        kinds: metric -> score kind, one of KINDS.
        mask: the mask in every text given to `mlm`: always "[MASK]", whatever the tokenizer's own mask token is.

    A model may also have the attribute `cased`. False means that the model was trained on lower-case text: capitals
    must then change no score.

    A factory gets `device` and `dtype` as texts, e.g. "cuda:1" and "bfloat16". vlcheck moves and converts nothing
    itself: a model that ignores them runs on its own device and in its own precision, and results name the requested
    ones.

    Example:
        >>> import numpy as np
        >>> class Constant:
        ...     name, fingerprint, mask = "constant", "v1", "[MASK]"
        ...     metrics, kinds = frozenset({"itm"}), {"itm": "match-head"}
        ...     def encode(self, images):
        ...         return np.zeros(len(images))
        ...     def itm(self, encoded, texts, foils=None):
        ...         return np.full(len(texts), 0.5)
        >>> Constant().itm(np.zeros(1), ["a red ball"])
        array([0.5])
    """

    name: str
    fingerprint: str
    kinds: Mapping[str, str]
    mask: str

    @property
    def metrics(self) -> frozenset[str]: ...

    def encode(self, images: Sequence[Image.Image]) -> Encoded:
        """Encode images before any text is read.

        Args:
            images: RGB images of any size. vlcheck itself shows RGB alone; an image with an alpha channel has to be put
                on white, or refused with NotApplicable.

        Returns:
            The encoded images, with `len(encoded) == len(images)`.
        """

    def itm(self, encoded: Encoded, texts: Sequence[str], foils: Sequence[Sequence[str]] | None = None) -> np.ndarray:
        """Return how probable it is that image i and text i match.

        Args:
            encoded: n images.
            texts: n texts.
            foils: for each text, texts that are false of its image. Kinds that only compare texts need them: they give
                the probability of text i among itself and foils[i].

        Returns:
            Probabilities, shape (n,), each in [0, 1].
        """

    def mlm(self, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """Return how probable each word is at the one mask of each text.

        Args:
            encoded: n images.
            texts: n texts, each with "[MASK]" exactly once.
            words: n lists of words to fill in. A word of several tokens is masked as several, and its probability is
                the product of theirs.

        Returns:
            For each text an array of probabilities, shape (len(words[i]),), each in [0, 1].
        """


def only_compares(model: VisionLanguageModel | None) -> bool:
    """Return True if a model's itm score of a text is defined only in comparison with other texts."""
    return model is not None and model.kinds.get("itm") in RELATIVE


def lacks(model: VisionLanguageModel, metric: str) -> str:
    """Return the reason why a model cannot be asked for a metric; "" if it can.

    Args:
        model: its optional attribute `lacks` (metric -> reason) gives the reason.
        metric: "mlm", "itm" or "mrc".
    """
    if metric in model.metrics:
        return ""
    reasons: Mapping[str, str] = getattr(model, "lacks", {})
    offered = ", ".join(sorted(model.metrics))
    return f"{model.name} has no {metric}: {reasons.get(metric, f'it offers {offered}')}"


@runtime_checkable
class NamesWords(Protocol):
    """A model that also names the words it finds likeliest."""

    def top(self, encoded: Encoded, texts: Sequence[str], k: int) -> list[list[tuple[str, float]]]:
        """Return the k likeliest words at the mask of each text, with their probabilities, likeliest first.

        A model that only compares words gives one entry: the word ANY, with the probability that one of the words
        occurs that it has just compared.

        Args:
            encoded: n images.
            texts: n texts, each with "[MASK]" exactly once.
            k: how many words, at least 1.

        Returns:
            For each text at most k pairs (word, probability in [0, 1]).
        """


class YesNo(NamedTuple):
    """P("yes") and P("no") as the first token of the answer, each (n,); other tokens have the remaining probability."""

    yes: np.ndarray
    no: np.ndarray


@runtime_checkable
class AnswersYesNo(Protocol):
    """A model that is asked in words whether a picture and a text match."""

    def answers(self, encoded: Encoded, texts: Sequence[str]) -> YesNo:
        """Return P("yes") and P("no") of the answer to the question whether picture i shows text i.

        Args:
            encoded: n images.
            texts: n texts.
        """


@runtime_checkable
class ClassifiesRegions(Protocol):
    """A model that also classifies the regions that were removed from a picture."""

    def mrc(self, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """Return how probable each word is as the class of an image's removed regions, averaged over these regions.

        Args:
            encoded: n images, each with removed regions.
            texts: n texts without a mask.
            words: n lists of class names.

        Returns:
            For each text an array of probabilities, shape (len(words[i]),), each in [0, 1].

        Raises:
            NotApplicable: no region of an image was removed, or the model has no class for a word.
        """
