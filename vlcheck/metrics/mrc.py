"""Masked region classification: how likely each of some words is as the class of regions taken out of the picture.

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
from vlcheck.metrics.model_output import miscounted, words_answer
from vlcheck.metrics.probe import Probe
from vlcheck.metrics.query import Query
from vlcheck.metrics.question import Question, fillings
from vlcheck.metrics.reading import Heard, Reading


@runtime_checkable
class ClassifiesRegions(Protocol):
    """A model that also says what the regions are that were taken out of a picture."""

    def mrc(self, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """For text i, P(word) as the class of image i's regions that were taken out, their mean, for each of words[i].

        Raises:
            NotApplicable: none was taken out, or the model has no class for a word.
        """


@dataclass(frozen=True)
class MaskedRegionsReading(Reading):
    """P(word as the class of the regions)."""

    metric: ClassVar[Metric] = "mrc"


class MaskedRegions(MetricDefinition):
    """One query for the words that are asked about, and no others: a model may have no class for a word."""

    name = "mrc"
    kinds = MappingProxyType({"masked-region": Kind("P(word) as the class of the masked regions")})
    reading = MaskedRegionsReading
    meaning = "the class of a masked region, given the text"
    task = "masked-region-classification"
    needs_regions = True

    def ask(self, view: View, compared: Iterable[str] = (), foils: Sequence[str] | None = None) -> Question:
        return Question(self.name, view, {MASK: Query(self.name, view.picture, view.text, fillings(view, compared))})

    def score(
        self, model: Any, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]], top: int
    ) -> list[Answer] | Answer:
        if not isinstance(model, ClassifiesRegions):
            return Answer(error=f"{model.name} says that it offers {self.name}, and has no method of that name")
        scores = model.mrc(encoded, texts, words)
        if len(scores) != len(texts):
            return miscounted(len(scores), "texts", len(texts))
        return [words_answer(asked, own) for asked, own in zip(words, scores, strict=True)]

    def read(self, question: Question, answers: Mapping[str, Answer]) -> Heard:
        query, answer = question.queries[MASK], answers[MASK]
        scores = dict(zip(query.words, answer.values, strict=True))
        return Heard(MaskedRegionsReading(question.view.target, scores), answer.top)

    def probe(self, model: Any, probes: Sequence[Probe], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        encoded = model.encode([_without_regions(probe.image) for probe in probes])
        return [*map(np.asarray, model.mrc(encoded, [probe.template for probe in probes], words))]


def _without_regions(image: Image.Image) -> Image.Image:
    """Return a copy of a picture with a note that all its regions were removed."""
    ablated = image.copy()
    note_ablation(ablated, Ablation(image, ()))
    return ablated
