"""Two models as one, for families whose heads are in two checkpoints: `itm=SPEC,mlm=SPEC`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import numpy as np
from PIL import Image

from vlcheck._util.hashing import digest
from vlcheck.cases.case import MASK
from vlcheck.errors import UsageError
from vlcheck.metrics.itm import Rewords, Thinks
from vlcheck.metrics.query import Query
from vlcheck.models.differentiable import Differentiable, differentiable
from vlcheck.models.protocol import (
    AnswersYesNo,
    Encoded,
    MayChange,
    NamesClasses,
    NamesWords,
    StatesSymmetry,
    VisionLanguageModel,
    YesNo,
    lacks,
    wrappings_of,
)
from vlcheck.models.setup import Setup, setup_of, together


@dataclass(frozen=True, eq=False)
class EncodedByEach:
    """The same images, encoded by each of the models.

    Attributes:
        parts: metric -> images, encoded by the model for it.
    """

    parts: Mapping[str, Encoded]

    def __len__(self) -> int:
        return min(map(len, self.parts.values()))

    def __getitem__(self, index: Sequence[int]) -> EncodedByEach:
        return EncodedByEach({metric: part[index] for metric, part in self.parts.items()})


class Pair:
    """One model for image-text matching and another for masked words.

    Args:
        parts: metric -> the model for it.

    Raises:
        UsageError: a model does not offer its metric.
    """

    mask = MASK

    def __init__(self, parts: Mapping[str, VisionLanguageModel]) -> None:
        for metric, model in parts.items():
            if why := lacks(model, metric):
                raise UsageError(f"{metric}={model.name}: {why}.")
        self.parts = parts
        matcher, predictor = parts["itm"], parts["mlm"]
        if isinstance(matcher, AnswersYesNo):  # else the pair must not have the method
            self.answers = partial(_answers, matcher)
        if isinstance(matcher, Rewords):
            self.wordings, self.in_wording = matcher.wordings, self._in_wording
        if isinstance(matcher, Thinks):
            self.cut_thoughts = partial(_cut_thoughts, matcher)
        if others := [model for model in parts.values() if isinstance(model, MayChange)]:
            self.changed = partial(_changed, others)
        if isinstance(predictor, NamesClasses):
            self.can_name = predictor.can_name
        self.metrics = frozenset(parts)
        self.wrappings = tuple(dict.fromkeys(one for _, model in sorted(parts.items()) for one in wrappings_of(model)))
        self.kinds = {metric: model.kinds[metric] for metric, model in parts.items()}
        self.name = ",".join(f"{metric}={model.name}" for metric, model in sorted(parts.items()))
        self.fingerprint = digest(*(f"{metric} {model.fingerprint}" for metric, model in sorted(parts.items())))

    def _in_wording(self, wording: str) -> Pair:
        return Pair({**self.parts, "itm": cast(Any, self.parts["itm"]).in_wording(wording)})

    def differentiable_for(self, metric: str) -> Differentiable:
        """Return the network of the model for a metric.

        Raises:
            NotApplicable: that model gives no gradients.
        """
        return differentiable(self.parts[metric], metric)

    def symmetric(self, query: Query) -> Query | None:
        """Return the other query that the model for the query's metric answers alike; None if there is none."""
        model = self.parts.get(query.metric)
        return model.symmetric(query) if isinstance(model, StatesSymmetry) else None

    def setup(self) -> Setup:
        """Return the setups of both models; what they share is said once."""
        return together({metric: setup_of(model) for metric, model in sorted(self.parts.items())})

    def encode(self, images: Sequence[Image.Image]) -> EncodedByEach:
        """Encode images with each of the models."""
        return EncodedByEach({metric: model.encode(images) for metric, model in self.parts.items()})

    def itm(self, encoded: Encoded, texts: Sequence[str], foils: Sequence[Sequence[str]] | None = None) -> np.ndarray:
        return self.parts["itm"].itm(_by_each(encoded).parts["itm"], texts, foils)

    def mlm(self, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        return self.parts["mlm"].mlm(_by_each(encoded).parts["mlm"], texts, words)

    def top(self, encoded: Encoded, texts: Sequence[str], k: int) -> list[list[tuple[str, float]]]:
        model = self.parts["mlm"]
        if not isinstance(model, NamesWords):
            return [[] for _ in texts]
        return model.top(_by_each(encoded).parts["mlm"], texts, k)


def _answers(model: AnswersYesNo, encoded: Encoded, texts: Sequence[str]) -> YesNo:
    """Return P("yes") and P("no") as the pair's model for matching gives them."""
    return model.answers(_by_each(encoded).parts["itm"], texts)


def _cut_thoughts(model: Thinks, encoded: Encoded, texts: Sequence[str]) -> Sequence[bool]:
    return model.cut_thoughts(_by_each(encoded).parts["itm"], texts)


def _changed(models: Sequence[MayChange]) -> str:
    """Return how some of the pair's models differ from what they were, in words."""
    return "; ".join(filter(None, (model.changed() for model in models)))


def _by_each(encoded: Encoded) -> EncodedByEach:
    if not isinstance(encoded, EncodedByEach):
        raise TypeError(f"a pair needs images that it encoded itself, not {type(encoded).__name__}")
    return encoded
