"""The protocol of a vision-language model: its methods and attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from PIL import Image

from vlcheck.metrics.definition import Encoded
from vlcheck.metrics.itm import AnswersYesNo, MatchesTexts, YesNo
from vlcheck.metrics.mlm import NamesClasses, NamesWords, PredictsWords
from vlcheck.metrics.mrc import ClassifiesRegions
from vlcheck.metrics.query import Query
from vlcheck.metrics.registry import KINDS, METRICS

__all__ = [
    "KINDS",
    "AnswersYesNo",
    "AsksAhead",
    "ClassifiesRegions",
    "CountsRequests",
    "Encoded",
    "MatchesTexts",
    "MayChange",
    "NamesClasses",
    "NamesWords",
    "PredictsWords",
    "StatesSymmetry",
    "VisionLanguageModel",
    "Wrapping",
    "YesNo",
    "lacks",
    "only_compares",
    "sees_pictures",
    "wrappings_of",
]


class VisionLanguageModel(PredictsWords, MatchesTexts, Protocol):
    """A model that can be asked about images and texts.

    A model has `encode` and the methods of its metrics: `itm` (see `MatchesTexts`) and `mlm` (see `PredictsWords`).

    Attributes:
        name: the model's name in reports.
        fingerprint: content hash of weights, preprocessing, dtype and device type; a part of the key of stored scores.
        metrics: the metrics that it offers, of "mlm", "itm" and "mrc"; with "mrc" it has the method of
            `ClassifiesRegions` too.
        kinds: metric -> score kind, one of KINDS.
        mask: the mask in every text given to `mlm`: always "[MASK]", whatever the tokenizer's own mask token is.

    A model may also have the attribute `cased`. If it is False, the model was trained on lower-case text, and capitals
    must not change any score. A model that is symmetric by construction says so: see `StatesSymmetry`. One that asks
    another model may have the attribute `wrappings`: see `wrappings_of`.

    A factory is called with `device` and `dtype` as texts, e.g. "cuda:1" and "bfloat16". vlcheck does not move or
    convert a model: if a factory ignores them, the model runs on its own device and in its own precision, but results
    name the requested ones.

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
            images: n images of any size. vlcheck itself passes RGB images only. An image with an alpha channel has to
                be put on white, or refused with NotApplicable.

        Returns:
            The encoded images, of length n.
        """


@runtime_checkable
class StatesSymmetry(Protocol):
    """A model that answers some pairs of queries alike by construction, whatever its weights.

    A test that compares the answers of such a pair would say nothing of the model: it is invalid, and says so.
    """

    def symmetric(self, query: Query) -> Query | None:
        """Return the other query of a pair that the model answers alike.

        For a model that averages over mirror images, that is the query about the mirrored picture and the text with
        left and right exchanged.

        Args:
            query: a query of any metric; the order of its words does not matter.

        Returns:
            The other query, whose words have the scores of the query's words in some order; None if there is none.
        """


@runtime_checkable
class AsksAhead(Protocol):
    """A model that answers over a network: questions are sent before their answers are asked for."""

    def begin(self, metric: str, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]]) -> None:
        """Send questions whose answers will be asked for soon, by the method of the metric with the same arguments.

        Args:
            metric: the metric.
            encoded: n images, encoded by this model.
            texts: n texts.
            words: n lists of words or foils.
        """


@runtime_checkable
class CountsRequests(Protocol):
    """A model that is asked by requests over a network, several at a time.

    Attributes:
        at_once: number of requests at a time.
    """

    at_once: int

    def requests(self, query: Query) -> int:
        """Return the number of requests that a query takes."""


@runtime_checkable
class MayChange(Protocol):
    """A model that may become another one during a run, since others run it."""

    def changed(self) -> str:
        """Return how the model differs from what it was when it was loaded, in words; "" if it does not."""


class Wrapping(NamedTuple):
    """A change that a model makes to the answers of another one.

    Attributes:
        wrapper: name of the change, e.g. "symmetrised".
        says: a sentence without a full stop about its effect.
        model: name of the other model.
        fingerprint: fingerprint of the other model.
    """

    wrapper: str
    says: str
    model: str
    fingerprint: str


def wrappings_of(model: object) -> tuple[Wrapping, ...]:
    """Return the wrappers between a model's answers and its network, the outermost first; empty for most models.

    Args:
        model: its optional attribute `wrappings` is a sequence of `Wrapping`.
    """
    return tuple(Wrapping(*one) for one in getattr(model, "wrappings", ()))


def only_compares(model: VisionLanguageModel | None) -> bool:
    """Return True if a model's itm score of a text depends on the foils that it is compared with."""
    if model is None:
        return False
    return any(metric.compares_texts and metric.compares(model.kinds.get(name)) for name, metric in METRICS.items())


def sees_pictures(model: VisionLanguageModel) -> bool:
    """Return True if the pictures may change a model's scores: unless its optional attribute `sees` is False."""
    return bool(getattr(model, "sees", True))


def lacks(model: VisionLanguageModel, metric: str) -> str:
    """Return the reason why a model does not offer a metric; "" if it does.

    Args:
        model: its optional attribute `lacks` (metric -> reason) gives the reason.
        metric: "mlm", "itm" or "mrc".
    """
    if metric in model.metrics:
        return ""
    reasons: Mapping[str, str] = getattr(model, "lacks", {})
    offered = ", ".join(sorted(model.metrics))
    return f"{model.name} has no {metric}: {reasons.get(metric, f'it offers {offered}')}"


if not TYPE_CHECKING:  # else a type checker takes any name for one that is here

    def __getattr__(name: str) -> object:
        from vlcheck._moved import find_name

        return find_name(__name__, name)
