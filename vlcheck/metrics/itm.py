"""Image-text matching: the probability that a picture and a text match, with each of some words filled in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np

from vlcheck.cases.view import View
from vlcheck.errors import NotApplicable
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.definition import Encoded, MetricDefinition
from vlcheck.metrics.kinds import Kind, Metric
from vlcheck.metrics.model_output import answer_of, encode_images, misshapen, numbers
from vlcheck.metrics.probe import Probe
from vlcheck.metrics.query import Query
from vlcheck.metrics.question import Question, closed_set, demand_told, fillings
from vlcheck.metrics.reading import Heard, Reading
from vlcheck.metrics.tolerances import Tolerances

IN_WORDS = ("yes-no", "yes-no-thought")  # the kinds of score that come from the answer to a question in words
CUT = "thought cut"  # beside P(yes) and P(no): 1 if the thought before the answer was cut
_ON_ITS_OWN = Kind("P(match) of the text with each word")
_AMONG_TEXTS = Kind(
    "the share of the text with each word among the texts with all of them", among="a text and its foils"
)


class MatchesTexts(Protocol):
    """A model that scores how well picture and text match."""

    def itm(self, encoded: Encoded, texts: Sequence[str], foils: Sequence[Sequence[str]] | None = None) -> np.ndarray:
        """Return P(image i and text i match).

        Args:
            encoded: n images.
            texts: n texts.
            foils: for each text, the false texts that a model of a relative kind compares it with; None for other
                models.

        Returns:
            Probabilities, (n,), in [0, 1]. Relative kinds return the share of text i among itself and foils[i].
        """


class YesNo(NamedTuple):
    """P("yes") and P("no") as the first token of the answer, each (n,); their sum may be below 1, for other answers."""

    yes: np.ndarray
    no: np.ndarray

    @property
    def share(self) -> np.ndarray:
        """P("yes") / (P("yes") + P("no")), (n,); 0.5 where both are 0."""
        mass = self.yes + self.no
        share: np.ndarray = np.divide(self.yes, mass, out=np.full(mass.shape, 0.5), where=mass != 0)
        return share


@runtime_checkable
class AnswersYesNo(Protocol):
    """A model that answers yes or no to the question whether picture and text match."""

    def answers(self, encoded: Encoded, texts: Sequence[str]) -> YesNo:
        """Return P("yes") and P("no") of the answer to the question whether picture i shows text i.

        Args:
            encoded: n images.
            texts: n texts.
        """


@runtime_checkable
class Rewords(Protocol):
    """A model that is asked a question in words, and can be asked it in other words.

    Attributes:
        wordings: the wordings of the question, the usual one first.
    """

    wordings: Sequence[str]

    def in_wording(self, wording: str) -> MatchesTexts:
        """Return the model that asks in a wording; it reads pictures that this model has encoded.

        Args:
            wording: one of `wordings`.
        """


@runtime_checkable
class Thinks(Protocol):
    """A model that thinks before it answers, and ends a thought that grows too long."""

    def cut_thoughts(self, encoded: Encoded, texts: Sequence[str]) -> Sequence[bool]:
        """Return for each text whether the thought before the answer did not end itself, right after `answers`.

        Args:
            encoded: n images.
            texts: n texts.

        Returns:
            n flags; () if the model does not think.
        """


@dataclass(frozen=True)
class MatchReading(Reading):
    """P(match) of the text with each word filled in."""

    metric: ClassVar[Metric] = "itm"
    whole: ClassVar[str] = "P(yes) + P(no)"

    def _least(self, tolerances: Tolerances) -> float:
        return tolerances.mass


class ImageTextMatching(MetricDefinition):
    """Image-text matching: one query for each word, which is filled into the text."""

    name = "itm"
    kinds = MappingProxyType(
        {
            "match-head": _ON_ITS_OWN,
            "contrastive": _AMONG_TEXTS,
            "sigmoid": _ON_ITS_OWN,
            "ranking": _AMONG_TEXTS,
            "yes-no": Kind("P(yes) rather than no, for the text with each word"),
            "yes-no-thought": Kind("P(yes) rather than no after a greedy thought, for the text with each word"),
        }
    )
    reading = MatchReading
    meaning = "whether picture and text match"
    task = "image-text-matching"
    sample = ("a photo of a dog on the grass in front of a house", "a photo of a cat on the grass in front of a house")
    tolerances = ("mass",)
    compares_texts = True
    worded = True

    def ask(self, view: View, compared: Iterable[str] = (), foils: Sequence[str] | None = None) -> Question:
        demand_told(view)
        words = fillings(view, compared)
        told = set() if foils is None else {*map(view.filled, closed_set(view, words)), *foils, *view.case.foils}
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
        # Straight after itm: a model that keeps its last forward pass needs no second one.
        answers = model.answers(encoded, texts) if isinstance(model, AnswersYesNo) else None
        tops = [_yes_and_no(*pair) for pair in zip(*answers, strict=True)] if answers else [()] * len(texts)
        if cut := model.cut_thoughts(encoded, texts) if isinstance(model, Thinks) else ():
            tops = [(*top, (CUT, float(was_cut))) for top, was_cut in zip(tops, cut, strict=True)]
        return [answer_of([score], top) for score, top in zip(scores.tolist(), tops, strict=True)]

    def of_query(self, query: Query, words: Sequence[str], answer: Answer) -> Answer:
        return answer

    def n_values(self, query: Query) -> int:
        return 1

    def read(self, question: Question, answers: Mapping[str, Answer]) -> Heard:
        target = question.view.target
        scores = {word: answer.values[0] for word, answer in answers.items()}
        masses = [mass for mass in map(self.mass, answers.values()) if mass is not None]
        foils = len(question.queries[target].words)
        cut = [share for answer in answers.values() for name, share in answer.top if name == CUT]
        reading = MatchReading(
            target, scores, foils=foils, mass=min(masses, default=None), cut=mean(cut) if cut else None
        )
        return Heard(reading, answers[target].top)

    def mass(self, answer: Answer) -> float | None:
        return sum(share for name, share in answer.top if name != CUT) if answer.top else None

    def probe(self, model: Any, probes: Sequence[Probe], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        rows = [row for row, own in enumerate(words) for _ in own]
        texts = [probe.filled(word) for probe, own in zip(probes, words, strict=True) for word in own]
        foils = [[other for other in probes[row].texts if other != text] for row, text in zip(rows, texts, strict=True)]
        encoded = encode_images(model, [probe.image for probe in probes])[rows]
        scores = np.asarray(model.itm(encoded, texts, foils if self.compares(model.kinds.get(self.name)) else None))
        return np.split(scores, np.cumsum([len(own) for own in words])[:-1])

    def sampled(self, probe: Probe) -> tuple[str, ...]:
        return probe.words[0], probe.words[-1]


def _yes_and_no(yes: float, no: float) -> tuple[tuple[str, float], ...]:
    return ("yes", float(yes)), ("no", float(no))
