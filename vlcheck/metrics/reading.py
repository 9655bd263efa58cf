"""Answers of a model, read back as scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from vlcheck._util.numbers import brief
from vlcheck.errors import NotApplicable
from vlcheck.metrics.answer import Answer, Top
from vlcheck.metrics.kinds import Metric
from vlcheck.metrics.tolerances import Tolerances
from vlcheck.stats.operating_scale import RAW, Scale

Answers = Mapping[str, Answer]  # by the query's key


@dataclass(frozen=True)
class Reading:
    """What a model says of one view; each metric has a reading of its own.

    Attributes:
        metric: which score.
        whole: what a score is a share of, where `mass` is known.
        target: the word that is true of the view.
        scores: by word; mlm: P(word at the mask); itm: P(match) with the word filled in; mrc: P(class of the regions).
        candidates: mlm: the closed set's other words, none of them true of the picture.
        foils: itm of a model that only compares texts: how many each text was compared with; 0 elsewhere.
        scale: the model's operating scale, on which margins are formed.
        mass: probability of all that the model may answer within the question, of which the scores are shares; None
            where the model does not say.
    """

    metric: ClassVar[Metric]
    whole: ClassVar[str] = ""
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
        return self.raw

    @property
    def value(self) -> float:
        """The target's score on the operating scale; the raw one where that is the identity."""
        return self.score if self.scale == RAW else self.share(self.target, *self._rivals)

    @property
    def _rivals(self) -> tuple[str, ...]:
        """The other words of the target's closed set: in mlm the candidates, else the opposite of a side."""
        return ()

    def share(self, word: str, *against: str) -> float:
        """Return P(word) renormalised over the word and those it stands against; 0 where all of them are."""
        return RAW.share(self._level(word), [self._level(other) for other in against]) if against else self._level(word)

    def _level(self, word: str) -> float:
        return self.scale.level(self.scores[word], max(self.foils, 1))

    def demand_answered(self, tolerances: Tolerances) -> None:
        """Raise Unlikely where the model would rather say something else than what its score is a share of."""
        least = self._least(tolerances)
        if self.mass is not None and self.mass < least:
            raise Unlikely(f"{self.whole} is under {brief(least)}")

    def _least(self, tolerances: Tolerances) -> float:
        """Return the least mass at which the shares say something."""
        return tolerances.floor

    def preference(self, word: str, against: str, floor: float) -> float:
        """Return P(word) renormalised over two words. Raises Unlikely where both together are under the floor."""
        either = self.scores[word] + self.scores[against] if self.foils else self._level(word) + self._level(against)
        if either < floor:
            raise Unlikely(f"P({word}) + P({against}) is under {brief(floor)}")
        return self.share(word, against)


@dataclass(frozen=True)
class Heard:
    """A question's answers put together."""

    reading: Reading
    top: Top


class Unlikely(NotApplicable):
    """The model finds none of the words likely: which of them it prefers says nothing."""
