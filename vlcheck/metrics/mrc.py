"""Masked region classification: the probability of each of some words as the class of the regions that were removed.

Source: Frank et al. 2021, arXiv:2109.04448.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from PIL import Image

from vlcheck.cases import MASK
from vlcheck.cases.image_notes import Ablation, note_ablation
from vlcheck.cases.view import View
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.definition import Encoded, MetricDefinition
from vlcheck.metrics.kinds import Kind, Metric
from vlcheck.metrics.model_output import encode_images, miscounted, words_answer
from vlcheck.metrics.probe import Probe
from vlcheck.metrics.query import Query
from vlcheck.metrics.question import Question, fillings
from vlcheck.metrics.reading import Heard, Reading


@runtime_checkable
class ClassifiesRegions(Protocol):
    """A model that also predicts the class of regions that were removed from a picture."""

    def mrc(self, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """Return P(word) as the class of the removed regions of image i, averaged over these regions.

        Args:
            encoded: n images.
            texts: n texts.
            words: for each text, the words to score.

        Returns:
            For each text an array, (len(words[i]),), in [0, 1].

        Raises:
            NotApplicable: no region was removed, or the model has no class for a word.
        """


@dataclass(frozen=True)
class MaskedRegionsReading(Reading):
    """P(word as the class of the removed regions)."""

    metric: ClassVar[Metric] = "mrc"


class MaskedRegions(MetricDefinition):
    """Masked regions: one query for the words that are asked about alone, since a model may lack a class for others."""

    name = "mrc"
    kinds = MappingProxyType({"masked-region": Kind("P(word) as the class of the masked regions", of_classes=True)})
    reading = MaskedRegionsReading
    meaning = "the class of a masked region, given the text"
    task = "masked-region-classification"
    sample = ("a photo of a dog on the grass in front of a house", "dog")
    needs_regions = True

    def ask(self, view: View, compared: Iterable[str] = (), foils: Sequence[str] | None = None) -> Question:
        return Question(self.name, view, {MASK: Query(self.name, view.picture, view.text, fillings(view, compared))})

    def score(
        self, model: Any, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]], top: int
    ) -> list[Answer] | Answer:
        if not isinstance(model, ClassifiesRegions):
            return Answer(error=f"{model.name} says that it offers {self.name}, but has no method of that name")
        scores = model.mrc(encoded, texts, words)
        if len(scores) != len(texts):
            return miscounted(len(scores), "texts", len(texts))
        return [words_answer(asked, own) for asked, own in zip(words, scores, strict=True)]

    def read(self, question: Question, answers: Mapping[str, Answer]) -> Heard:
        query, answer = question.queries[MASK], answers[MASK]
        scores = dict(zip(query.words, answer.values, strict=True))
        return Heard(MaskedRegionsReading(question.view.target, scores), answer.top)

    def probe(self, model: Any, probes: Sequence[Probe], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        encoded = encode_images(model, [_without_regions(probe.image) for probe in probes])
        return [*map(np.asarray, model.mrc(encoded, [probe.template for probe in probes], words))]


def _without_regions(image: Image.Image) -> Image.Image:
    """Return a copy of a picture with a note that all its regions were removed."""
    ablated = image.copy()
    note_ablation(ablated, Ablation(image, ()))
    return ablated
