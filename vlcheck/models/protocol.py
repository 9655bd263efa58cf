"""What vlcheck asks of a vision-language model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

import numpy as np
from PIL import Image

from vlcheck.metrics.kinds import RELATIVE


class Encoded(Protocol):
    """Images as a model keeps them between questions."""

    def __len__(self) -> int:
        """The number of images."""

    def __getitem__(self, index: Sequence[int]) -> Encoded:
        """Select by index, with repetition; nothing is copied before it is used."""


class VisionLanguageModel(Protocol):
    """A model that can be asked about images and texts.

    Attributes:
        name: how reports call it.
        fingerprint: content hash of weights, preprocessing, dtype and device type; part of every kept score's key.
        metrics: subset of {"mlm", "itm", "mrc"}; the last one's method is in `ClassifiesRegions`.
        kinds: metric -> score kind, one of KINDS.
        mask: the mask in every text given to `mlm`, always "[MASK]", whatever the tokenizer calls it.

    A model may also have `cased`, False where it was trained on small letters alone: then capitals must change nothing.

    A factory gets `device` and `dtype` as texts, e.g. "cuda:1" and "bfloat16". vlcheck moves and converts nothing by
    them: a model that ignores them answers where and as precisely as it does, and results name what was asked for.
    """

    name: str
    fingerprint: str
    kinds: Mapping[str, str]
    mask: str

    @property
    def metrics(self) -> frozenset[str]: ...

    def encode(self, images: Sequence[Image.Image]) -> Encoded:
        """Prepare images; `len(encoded) == len(images)`.

        A run shows RGB alone. One with an alpha channel stands on white, or is refused.
        """

    def itm(self, encoded: Encoded, texts: Sequence[str], foils: Sequence[Sequence[str]] | None = None) -> np.ndarray:
        """P(image i and text i match), shape (n,), in [0, 1]; relative kinds give P(text i) among it and foils[i]."""

    def mlm(self, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """For text i, P(word) at its one mask for each of words[i].

        A word of several pieces is masked as several; its probability is the product of theirs.
        """


def only_compares(model: VisionLanguageModel | None) -> bool:
    """Return True if a model's itm says nothing of a text but against others."""
    return model is not None and model.kinds.get("itm") in RELATIVE


def lacks(model: VisionLanguageModel, metric: str) -> str:
    """Why a model cannot be asked for a metric; "" where it can."""
    if metric in model.metrics:
        return ""
    reasons: Mapping[str, str] = getattr(model, "lacks", {})
    offered = ", ".join(sorted(model.metrics))
    return f"{model.name} has no {metric}: {reasons.get(metric, f'it offers {offered}')}"


@runtime_checkable
class NamesWords(Protocol):
    """A model that also says which words it finds likeliest."""

    def top(self, encoded: Encoded, texts: Sequence[str], k: int) -> list[list[tuple[str, float]]]:
        """The k likeliest words at each text's mask, with their probabilities, best first.

        A model that only compares words gives ANY, and how likely any of those is that it has just compared.
        """


class YesNo(NamedTuple):
    """P("yes") and P("no") as the first token of the answer, each (n,); what is left is neither."""

    yes: np.ndarray
    no: np.ndarray


@runtime_checkable
class AnswersYesNo(Protocol):
    """A model that is asked whether picture and text match."""

    def answers(self, encoded: Encoded, texts: Sequence[str]) -> YesNo:
        """What it answers to the question whether picture i shows text i."""


@runtime_checkable
class ClassifiesRegions(Protocol):
    """A model that also says what the regions are that were taken out of a picture."""

    def mrc(self, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """For text i, P(word) as the class of image i's regions that were taken out, their mean, for each of words[i].

        Raises:
            NotApplicable: none was taken out, or the model has no class for a word.
        """


if not TYPE_CHECKING:  # else a type checker takes any name for one that is here

    def __getattr__(name: str) -> object:
        from vlcheck._moved import find_name

        return find_name(__name__, name)
