"""Image-text matching: whether picture and text match, with each of some words filled in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np

from vlcheck.cases.view import View
from vlcheck.errors import NotApplicable
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.definition import Encoded, MetricDefinition
from vlcheck.metrics.kinds import Kind, Metric
from vlcheck.metrics.model_output import answer_of, misshapen, numbers
from vlcheck.metrics.query import Query
from vlcheck.metrics.question import Question, closed_set, demand_told, fillings
from vlcheck.metrics.reading import Heard, Reading
from vlcheck.metrics.tolerances import Tolerances

_ON_ITS_OWN = Kind("P(match) of the text with each word")
_AMONG_TEXTS = Kind(
    "the share of the text with each word among the texts with all of them", among="a text and its foils"
)


class MatchesTexts(Protocol):
    """A model that says whether picture and text match."""

    def itm(self, encoded: Encoded, texts: Sequence[str], foils: Sequence[Sequence[str]] | None = None) -> np.ndarray:
        """P(image i and text i match), shape (n,), in [0, 1]; relative kinds give P(text i) among it and foils[i]."""


class YesNo(NamedTuple):
    """P("yes") and P("no") as the first token of the answer, each (n,); what is left is neither."""

    yes: np.ndarray
    no: np.ndarray


@runtime_checkable
class AnswersYesNo(Protocol):
    """A model that is asked whether picture and text match."""

    def answers(self, encoded: Encoded, texts: Sequence[str]) -> YesNo:
        """What it answers to the question whether picture i shows text i."""


@dataclass(frozen=True)
class MatchReading(Reading):
    """P(match) of the text with each word filled in."""

    metric: ClassVar[Metric] = "itm"
    whole: ClassVar[str] = "P(yes) + P(no)"

    def _least(self, tolerances: Tolerances) -> float:
        return tolerances.mass


class ImageTextMatching(MetricDefinition):
    """One query a word, which is filled in."""

    name = "itm"
    kinds = MappingProxyType(
        {
            "match-head": _ON_ITS_OWN,
            "contrastive": _AMONG_TEXTS,
            "sigmoid": _ON_ITS_OWN,
            "ranking": _AMONG_TEXTS,
            "yes-no": Kind("P(yes), not no, to the text with each word"),
        }
    )
    reading = MatchReading
    meaning = "whether picture and text match"
    task = "image-text-matching"
    tolerances = ("mass",)
    compares_texts = True

    def ask(self, view: View, compared: Iterable[str] = (), foils: Sequence[str] | None = None) -> Question:
        demand_told(view)
        words = fillings(view, compared)
        told = {*map(view.filled, closed_set(view, words)), *foils} if foils is not None else set()
        if len(told) == 1:
            raise NotApplicable("the model only compares texts, and no other is known to be false")
        texts = {word: view.filled(word) for word in words}
        queries = {
            word: Query(self.name, view.picture, text, tuple(sorted(told - {text}))) for word, text in texts.items()
        }
        return Question(self.name, view, queries)

    def texts(self, query: Query) -> tuple[str, ...]:
        return (query.text, *query.words)

    def score(
        self, model: MatchesTexts, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]], top: int
    ) -> list[Answer] | Answer:
        scores = numbers(model.itm(encoded, texts, words if any(words) else None))
        if scores.shape != (len(texts),):
            return misshapen(scores, "texts", len(texts))
        # Straight after itm: a model that keeps its last forward answers without another.
        answers = model.answers(encoded, texts) if isinstance(model, AnswersYesNo) else None
        tops = [_yes_and_no(*pair) for pair in zip(*answers, strict=True)] if answers else [()] * len(texts)
        return [answer_of([score], top) for score, top in zip(scores.tolist(), tops, strict=True)]

    def of_query(self, query: Query, words: Sequence[str], answer: Answer) -> Answer:
        return answer

    def n_values(self, query: Query) -> int:
        return 1

    def read(self, question: Question, answers: Mapping[str, Answer]) -> Heard:
        target = question.view.target
        scores = {word: answer.values[0] for word, answer in answers.items()}
        masses = [sum(share for _, share in answer.top) for answer in answers.values() if answer.top]
        foils = len(question.queries[target].words)
        return Heard(MatchReading(target, scores, foils=foils, mass=min(masses, default=None)), answers[target].top)


def _yes_and_no(yes: float, no: float) -> tuple[tuple[str, float], ...]:
    return ("yes", float(yes)), ("no", float(no))
