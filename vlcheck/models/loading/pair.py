"""Two checkpoints asked as one model, for families with one head a checkpoint: `itm=SPEC,mlm=SPEC`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from PIL import Image

from vlcheck._util.hashing import digest
from vlcheck.cases.case import MASK
from vlcheck.errors import UsageError
from vlcheck.models.protocol import AnswersYesNo, Encoded, NamesWords, VisionLanguageModel, YesNo


@dataclass(frozen=True, eq=False)
class EncodedByEach:
    """The same images, encoded by each model.

    Attributes:
        parts: metric -> encoded images.
    """

    parts: Mapping[str, Encoded]

    def __len__(self) -> int:
        return min(map(len, self.parts.values()))

    def __getitem__(self, index: Sequence[int]) -> EncodedByEach:
        return EncodedByEach({metric: part[index] for metric, part in self.parts.items()})


class Pair:
    """One model for matching and another for words.

    Args:
        parts: metric -> the model that answers it.

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
        if isinstance(matcher, AnswersYesNo):  # otherwise the pair must not have the method
            self.answers = partial(_answers, matcher)
        self.metrics = frozenset(parts)
        self.kinds = {metric: model.kinds[metric] for metric, model in parts.items()}
        self.name = ",".join(f"{metric}={model.name}" for metric, model in sorted(parts.items()))
        self.fingerprint = digest(*(f"{metric} {model.fingerprint}" for metric, model in sorted(parts.items())))

    def encode(self, images: Sequence[Image.Image]) -> EncodedByEach:
        """Encode images with each of the models."""
        return EncodedByEach({metric: model.encode(images) for metric, model in self.parts.items()})

    def itm(self, encoded: Encoded, texts: Sequence[str], foils: Sequence[Sequence[str]] | None = None) -> np.ndarray:
        """Ask the model for matching. See `VisionLanguageModel.itm`."""
        return self.parts["itm"].itm(_by_each(encoded).parts["itm"], texts, foils)

    def mlm(self, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """Ask the model for words. See `VisionLanguageModel.mlm`."""
        return self.parts["mlm"].mlm(_by_each(encoded).parts["mlm"], texts, words)

    def top(self, encoded: Encoded, texts: Sequence[str], k: int) -> list[list[tuple[str, float]]]:
        """Ask the model for words; [] for each text if it does not name words. See `NamesWords.top`."""
        model = self.parts["mlm"]
        return (
            model.top(_by_each(encoded).parts["mlm"], texts, k)
            if isinstance(model, NamesWords)
            else [[] for _ in texts]
        )


def _answers(model: AnswersYesNo, encoded: Encoded, texts: Sequence[str]) -> YesNo:
    """Return the answers of the model for matching."""
    return model.answers(_by_each(encoded).parts["itm"], texts)


def _by_each(encoded: Encoded) -> EncodedByEach:
    if not isinstance(encoded, EncodedByEach):
        raise TypeError(f"a pair is asked about what both encoded, not about {type(encoded).__name__}")
    return encoded
