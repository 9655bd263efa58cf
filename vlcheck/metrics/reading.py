"""Answers of a model, read back as scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from vlcheck._util.numbers import brief
from vlcheck.cases import MASK
from vlcheck.cases.words import OPPOSITES
from vlcheck.errors import NotApplicable
from vlcheck.metrics.answer import Answer, Top
from vlcheck.metrics.kinds import ANY, MASSES, Metric
from vlcheck.metrics.question import Question
from vlcheck.stats.operating_scale import RAW, Scale

Answers = Mapping[str, Answer]  # by the query's key


@dataclass(frozen=True)
class Heard:
    """A question's answers put together."""

    reading: Reading
    top: Top


def hear(question: Question | str, answers: Answers) -> Heard | Answer:
    """Put a question's answers together; where there is none, what came instead says why."""
    if isinstance(question, str):
        return Answer(unasked=question)
    heard = {word: answers[query.key] for word, query in question.queries.items()}
    for answer in heard.values():
        if answer.unasked or answer.error:
            return answer
    view = question.view
    if question.metric == "itm":
        scores = {word: answer.values[0] for word, answer in heard.items()}
        foils = len(question.queries[view.target].words)
        masses = [sum(share for _, share in answer.top) for answer in heard.values() if answer.top]
        reading = Reading("itm", view.target, scores, foils=foils, mass=min(masses, default=None))
        return Heard(reading, heard[view.target].top)
    query, answer = question.queries[MASK], heard[MASK]
    scores = dict(zip(query.words, answer.values, strict=True))
    candidates = view.candidates if question.metric == "mlm" else ()
    mass = dict(answer.top).get(ANY)
    return Heard(Reading(question.metric, view.target, scores, candidates, mass=mass), answer.top)


@dataclass(frozen=True)
class Reading:
    """What the model said of one view.

    Attributes:
        metric: which score.
        target: the word that is true of the view.
        scores: by word; mlm: P(word at the mask); itm: P(match) with the word filled in; mrc: P(class of the regions).
        candidates: mlm: the closed set's other words, none of them true of the picture.
        foils: itm of a model that only compares texts: how many each text was compared with; 0 elsewhere.
        scale: the model's operating scale, on which margins are formed.
        mass: of what the scores are a share: itm of a model that answers a question: the least P(yes) + P(no) of its
            answers; mlm of one that only compares words: P(any of them), by their first tokens; None elsewhere.
    """

    metric: Metric
    target: str
    scores: Mapping[str, float]
    candidates: tuple[str, ...] = ()
    foils: int = 0
    scale: Scale = RAW
    mass: float | None = None

    @property
    def raw(self) -> float:
        """The target's score as the model gave it."""
        return self.scores[self.target]

    @property
    def score(self) -> float:
        """The target's raw score; in mlm renormalised over the closed set, where the case has one."""
        if self.metric != "mlm" or not self.candidates:
            return self.raw
        return RAW.share(self.raw, [self.scores[word] for word in self.candidates])

    @property
    def value(self) -> float:
        """The target's score on the operating scale; the raw one where that is the identity."""
        return self.score if self.scale == RAW else self.share(self.target, *self._rivals)

    @property
    def _rivals(self) -> tuple[str, ...]:
        """The other words of the target's closed set: in mlm the candidates, else the opposite of a side."""
        if self.metric != "mlm":
            return ()
        against = OPPOSITES.get(self.target)
        return self.candidates or ((against,) if against and against in self.scores else ())

    def share(self, word: str, *against: str) -> float:
        """Return P(word) renormalised over the word and those it stands against; 0 where all of them are."""
        if not against:
            return self._level(word)
        if self.metric == "mlm":
            return self.scale.share(self.scores[word], [self.scores[other] for other in against])
        return RAW.share(self._level(word), [self._level(other) for other in against])

    def _level(self, word: str) -> float:
        return self.scale.level(self.scores[word], max(self.foils, 1))

    def demand_answered(self, tolerances: Tolerances) -> None:
        """Raise Unlikely where the model would rather say something else than what its score is a share of."""
        least = tolerances.mass if self.metric == "itm" else tolerances.floor
        if self.mass is not None and self.mass < least:
            raise Unlikely(f"{MASSES[self.metric]} is under {brief(least)}")

    def preference(self, word: str, against: str, floor: float) -> float:
        """Return P(word) renormalised over two words. Raises Unlikely where both together are under the floor."""
        either = self.scores[word] + self.scores[against] if self.foils else self._level(word) + self._level(against)
        if either < floor:
            raise Unlikely(f"P({word}) + P({against}) is under {brief(floor)}")
        return self.share(word, against)


class Unlikely(NotApplicable):
    """The model finds none of the words likely: which of them it prefers says nothing."""


class Tolerances(Protocol):
    """What the policy tolerates of a metric: see `vlcheck.policy.policy.Tolerances`."""

    @property
    def within(self) -> float: ...
    @property
    def delta(self) -> float: ...
    @property
    def by(self) -> float: ...
    @property
    def below(self) -> float: ...
    @property
    def floor(self) -> float: ...
    @property
    def mass(self) -> float: ...
