"""Masked words: how likely each of some words is at the text's mask."""

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
from vlcheck.metrics.model_output import miscounted, words_answer
from vlcheck.metrics.probe import Probe
from vlcheck.metrics.query import Query
from vlcheck.metrics.question import Question, closed_set, demand_told, fillings
from vlcheck.metrics.reading import Heard, Reading
from vlcheck.stats.operating_scale import RAW


class PredictsWords(Protocol):
    """A model that predicts the word at a mask."""

    def mlm(self, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """For text i, P(word) at its one mask for each of words[i].

        A word of several pieces is masked as several; its probability is the product of theirs.
        """


@runtime_checkable
class NamesWords(Protocol):
    """A model that also says which words it finds likeliest."""

    def top(self, encoded: Encoded, texts: Sequence[str], k: int) -> list[list[tuple[str, float]]]:
        """The k likeliest words at each text's mask, with their probabilities, best first.

        A model that only compares words gives ANY, and how likely any of those is that it has just compared.
        """


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
        against = OPPOSITES.get(self.target)
        return self.candidates or ((against,) if against and against in self.scores else ())

    def share(self, word: str, *against: str) -> float:
        if not against:
            return self._level(word)
        return self.scale.share(self.scores[word], [self.scores[other] for other in against])


class MaskedWords(MetricDefinition):
    """One query for all words, with the target masked in the text."""

    name = "mlm"
    kinds = MappingProxyType(
        {
            "masked-lm": Kind("P(word) at the mask"),
            "candidates": Kind("each word's share, by the likelihood of the whole text", among="the words"),
        }
    )
    reading = MaskedWordsReading
    meaning = "the masked word, given picture and text"
    task = "fill-mask"
    closed_sets = True

    def ask(self, view: View, compared: Iterable[str] = (), foils: Sequence[str] | None = None) -> Question:
        demand_told(view)
        words = closed_set(view, fillings(view, compared))
        return Question(self.name, view, {MASK: Query(self.name, view.picture, self.said(view), words)})

    def said(self, view: View) -> str:
        return view.template

    def shares_text(self, kind: str | None) -> bool:
        return not self.compares(kind)

    def score(
        self, model: PredictsWords, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]], top: int
    ) -> list[Answer] | Answer:
        scores = model.mlm(encoded, texts, words)
        if len(scores) != len(texts):
            return miscounted(len(scores), "texts", len(texts))
        # Straight after mlm, for the same texts: a model that keeps its last forward answers without another.
        tops = model.top(encoded, texts, top) if isinstance(model, NamesWords) else [[]] * len(texts)
        if len(tops) != len(texts):
            return Answer(error=f"the model named likely words for {len(tops)} of {len(texts)} texts")
        return [words_answer(*reply) for reply in zip(words, scores, tops, strict=True)]

    def read(self, question: Question, answers: Mapping[str, Answer]) -> Heard:
        query, answer, view = question.queries[MASK], answers[MASK], question.view
        scores = dict(zip(query.words, answer.values, strict=True))
        mass = dict(answer.top).get(ANY)
        return Heard(MaskedWordsReading(view.target, scores, view.candidates, mass=mass), answer.top)

    def probe(self, model: Any, probes: Sequence[Probe], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        encoded = model.encode([probe.image for probe in probes])
        return [*map(np.asarray, model.mlm(encoded, [probe.template for probe in probes], words))]
