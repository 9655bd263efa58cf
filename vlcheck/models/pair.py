"""Two checkpoints asked as one model, where a family keeps its heads apart: `itm=SPEC,mlm=SPEC`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from vlcheck.cases.case import MASK
from vlcheck.digest import digest
from vlcheck.errors import UsageError, nearest
from vlcheck.models.protocol import DEFAULT_KINDS, AnswersYesNo, Encoded, NamesWords, VisionLanguageModel, YesNo


def read_pair(spec: str) -> dict[str, str] | None:
    """From `itm=SPEC,mlm=SPEC` to the spec of each metric; None where a spec is not of this form.

    Raises:
        UsageError: a metric is unknown, named twice, not named, or has no spec.
    """
    if not re.match(r"\w+=", spec) or Path(spec).exists():
        return None
    parts: dict[str, str] = {}
    for part in re.split(r",\s*(?!regions=)(?=\w+=)", spec):
        metric, _, named = part.partition("=")
        if metric not in DEFAULT_KINDS:
            raise UsageError(f"{metric!r} is no metric. {nearest(metric, DEFAULT_KINDS)}")
        if metric in parts:
            raise UsageError(f"{metric} is named twice; one model answers it.")
        parts[metric] = named
    if missing := [metric for metric in DEFAULT_KINDS if not parts.get(metric)]:
        raise UsageError(f"no model is named for {' and '.join(missing)}. Accepted: itm=SPEC,mlm=SPEC.")
    return parts


@dataclass(frozen=True, eq=False)
class EncodedByEach:
    """The same images as each model keeps them, by metric."""

    parts: Mapping[str, Encoded]

    def __len__(self) -> int:
        return min(map(len, self.parts.values()))

    def __getitem__(self, index: Sequence[int]) -> EncodedByEach:
        return EncodedByEach({metric: part[index] for metric, part in self.parts.items()})


class Pair:
    """One model for matching, another for words.

    Args:
        parts: the model that answers each metric.

    Raises:
        UsageError: a model cannot be asked for its metric.
    """

    mask = MASK

    def __init__(self, parts: Mapping[str, VisionLanguageModel]) -> None:
        for metric, model in parts.items():
            if metric not in model.metrics:
                why = getattr(model, "lacks", {}).get(metric, f"it offers {', '.join(sorted(model.metrics))}")
                raise UsageError(f"{metric}={model.name}: {model.name} has no {metric}: {why}.")
        self.parts = parts
        matcher = parts["itm"]
        if isinstance(matcher, AnswersYesNo):  # else a pair has no method of that name either
            self.answers = partial(_answers, matcher)
        self.metrics = frozenset(parts)
        self.kinds = {metric: model.kinds[metric] for metric, model in parts.items()}
        self.name = ",".join(f"{metric}={model.name}" for metric, model in sorted(parts.items()))
        self.fingerprint = digest(*(f"{metric} {model.fingerprint}" for metric, model in sorted(parts.items())))

    def encode(self, images: Sequence[Image.Image]) -> EncodedByEach:
        return EncodedByEach({metric: model.encode(images) for metric, model in self.parts.items()})

    def itm(self, encoded: Encoded, texts: Sequence[str], foils: Sequence[Sequence[str]] | None = None) -> np.ndarray:
        return self.parts["itm"].itm(_by_each(encoded).parts["itm"], texts, foils)

    def mlm(self, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        return self.parts["mlm"].mlm(_by_each(encoded).parts["mlm"], texts, words)

    def top(self, encoded: Encoded, texts: Sequence[str], k: int) -> list[list[tuple[str, float]]]:
        """Of the model that answers mlm; none where it does not say."""
        model = self.parts["mlm"]
        return (
            model.top(_by_each(encoded).parts["mlm"], texts, k)
            if isinstance(model, NamesWords)
            else [[] for _ in texts]
        )


def _answers(model: AnswersYesNo, encoded: Encoded, texts: Sequence[str]) -> YesNo:
    """What the model of a pair says that answers itm."""
    return model.answers(_by_each(encoded).parts["itm"], texts)


def _by_each(encoded: Encoded) -> EncodedByEach:
    if not isinstance(encoded, EncodedByEach):
        raise TypeError(f"a pair is asked about what both encoded, not about {type(encoded).__name__}")
    return encoded
