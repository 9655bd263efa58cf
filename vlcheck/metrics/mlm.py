"""Masked words: the probability of each of some words at the mask of a text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np

from vlcheck.cases import MASK
from vlcheck.cases.view import View
from vlcheck.cases.words import OPPOSITES
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.definition import Encoded, MetricDefinition
from vlcheck.metrics.kinds import ANY, Kind, Metric
from vlcheck.metrics.model_output import encode_images, miscounted, words_answer
from vlcheck.metrics.probe import Probe
from vlcheck.metrics.query import Query
from vlcheck.metrics.question import Question, closed_set, demand_told, fillings
from vlcheck.metrics.reading import Heard, Reading
from vlcheck.stats.operating_scale import RAW


class PredictsWords(Protocol):
    """A model that predicts the word at a mask."""

    def mlm(self, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """Return P(word) at the one mask of each text.

        A word of several pieces is masked as several; its probability is the product of theirs.

        Args:
            encoded: n images.
            texts: n texts, each with "[MASK]" once.
            words: for each text, the words to score.

        Returns:
            For each text an array, (len(words[i]),), in [0, 1].
        """


@runtime_checkable
class NamesWords(Protocol):
    """A model that also names the likeliest words at a mask."""

    def top(self, encoded: Encoded, texts: Sequence[str], k: int) -> list[list[tuple[str, float]]]:
        """Return the likeliest words at the mask of each text, with their probabilities, likeliest first.

        A model that only compares words returns ANY, with the probability that any of the words occurs that it compared
        last.

        Args:
            encoded: n images.
            texts: n texts, each with "[MASK]" once.
            k: number of words for each text.
        """


@runtime_checkable
class NamesClasses(Protocol):
    """A model that has no score for some words."""

    def can_name(self, word: str) -> bool:
        """Return True if a word names a class of the model."""


@dataclass(frozen=True)
class MaskedWordsReading(Reading):
    """P(word at the mask), renormalised over the closed set of words."""

    metric: ClassVar[Metric] = "mlm"
    whole: ClassVar[str] = f"P({ANY})"

    @property
    def score(self) -> float:
        return RAW.share(self.raw, [self.scores[word] for word in self.candidates]) if self.candidates else self.raw

    @property
    def _rivals(self) -> tuple[str, ...]:
        """Return the other words of the closed set; without candidates the target's opposite, if it was asked about."""
        against = OPPOSITES.get(self.target)
        return self.candidates or ((against,) if against and against in self.scores else ())

    def share(self, word: str, *against: str) -> float:
        if not against:
            return self._level(word)
        return self.scale.share(self.scores[word], [self.scores[other] for other in against])


class MaskedWords(MetricDefinition):
    """Masked words: one query for all words, with the target masked in the text."""

    name = "mlm"
    kinds = MappingProxyType(
        {
            "masked-lm": Kind("P(word) at the mask"),
            "candidates": Kind("each word's share, by the likelihood of the whole text", among="the words"),
            "choice": Kind(
                "each word's share among lettered options, averaged over their rotations", among="the words"
            ),
            "image-labels": Kind(
                "P of the picture's labels that name the word; the text is not read", of_classes=True, reads_text=False
            ),
        }
    )
    reading = MaskedWordsReading
    meaning = "the masked word, given picture and text"
    task = "fill-mask"
    sample = (f"a photo of a {MASK} on the grass in front of a house", "dog")
    closed_sets = True

    def ask(self, view: View, compared: Iterable[str] = (), foils: Sequence[str] | None = None) -> Question:
        demand_told(view)
        words = closed_set(view, fillings(view, compared))
        return Question(self.name, view, {MASK: Query(self.name, view.picture, self.said(view), words)})

    def said(self, view: View) -> str:
        return view.template

    def shares_text(self, kind: str | None) -> bool:
        known = self.kinds.get(kind or "")
        return not self.compares(kind) and not (known and known.of_classes)

    def score(
        self, model: PredictsWords, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]], top: int
    ) -> list[Answer] | Answer:
        scores = model.mlm(encoded, texts, words)
        if len(scores) != len(texts):
            return miscounted(len(scores), "texts", len(texts))
        # Straight after mlm, for the same texts: a model that keeps its last forward pass needs no second one.
        tops = model.top(encoded, texts, top) if isinstance(model, NamesWords) else [[]] * len(texts)
        if len(tops) != len(texts):
            return Answer(error=f"the model named likely words for {len(tops)} of {len(texts)} texts")
        return [words_answer(*reply) for reply in zip(words, scores, tops, strict=True)]

    def read(self, question: Question, answers: Mapping[str, Answer]) -> Heard:
        query, answer, view = question.queries[MASK], answers[MASK], question.view
        scores = dict(zip(query.words, answer.values, strict=True))
        return Heard(MaskedWordsReading(view.target, scores, view.candidates, mass=self.mass(answer)), answer.top)

    def mass(self, answer: Answer) -> float | None:
        return dict(answer.top).get(ANY)

    def probe(self, model: Any, probes: Sequence[Probe], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        encoded = encode_images(model, [probe.image for probe in probes])
        return [*map(np.asarray, model.mlm(encoded, [probe.template for probe in probes], words))]
