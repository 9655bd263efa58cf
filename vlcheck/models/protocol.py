"""What vlcheck asks of a vision-language model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from PIL import Image

from vlcheck.metrics.definition import Encoded
from vlcheck.metrics.itm import AnswersYesNo, MatchesTexts, YesNo
from vlcheck.metrics.mlm import NamesWords, PredictsWords
from vlcheck.metrics.mrc import ClassifiesRegions
from vlcheck.metrics.registry import KINDS, METRICS

__all__ = [
    "KINDS",
    "AnswersYesNo",
    "ClassifiesRegions",
    "Encoded",
    "MatchesTexts",
    "NamesWords",
    "PredictsWords",
    "VisionLanguageModel",
    "YesNo",
    "lacks",
    "only_compares",
]


class VisionLanguageModel(PredictsWords, MatchesTexts, Protocol):
    """A model that can be asked about images and texts.

    Its methods are `encode`, and those of its metrics: `itm` (see `MatchesTexts`) and `mlm` (see `PredictsWords`).

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


def only_compares(model: VisionLanguageModel | None) -> bool:
    """Return True if a model's itm says nothing of a text but against others."""
    if model is None:
        return False
    return any(metric.compares_texts and metric.compares(model.kinds.get(name)) for name, metric in METRICS.items())


def lacks(model: VisionLanguageModel, metric: str) -> str:
    """Why a model cannot be asked for a metric; "" where it can."""
    if metric in model.metrics:
        return ""
    reasons: Mapping[str, str] = getattr(model, "lacks", {})
    offered = ", ".join(sorted(model.metrics))
    return f"{model.name} has no {metric}: {reasons.get(metric, f'it offers {offered}')}"
