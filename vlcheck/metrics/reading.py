"""Readings: the scores of one view, read from a model's answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
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
    """The scores that a model gives to one view; each metric has a subclass of its own.

    Attributes:
        metric: the metric of the scores.
        whole: name in messages of the probability `mass`, of which the scores are shares; "" for none.
        target: the word that is true of the view.
        scores: score of each word. mlm: P(word at the mask); itm: P(match) with the word filled in; mrc: P(class of the
            regions).
        candidates: mlm: the closed set's other words, none of them true of the picture.
        foils: number of texts that each text was compared with, in itm of a model that only compares texts; else 0.
        scale: the model's operating scale, on which margins are computed.
        mass: total probability of the answers that the question allows, of which the scores are shares; None if the
            model does not tell it.
        cut: share of the thoughts before the answers that were cut at their limit; None for a model that does not
            think.
    """

    metric: ClassVar[Metric]
    whole: ClassVar[str] = ""
    target: str
    scores: Mapping[str, float]
    candidates: tuple[str, ...] = ()
    foils: int = 0
    scale: Scale = RAW
    mass: float | None = None
    cut: float | None = None

    @property
    def raw(self) -> float:
        """The target's score as the model gave it."""
        return self.scores[self.target]

    @property
    def score(self) -> float:
        """The target's raw score; in mlm renormalised over the closed set, if the case has one."""
        return self.raw

    @cached_property
    def value(self) -> float:
        """The target's score on the operating scale, in mlm as a share of its closed set; `score` on the raw scale."""
        return self.score if self.scale.is_raw else self.share(self.target, *self._rivals)

    @property
    def _rivals(self) -> tuple[str, ...]:
        """The words that the target's score is renormalised against; none in most metrics."""
        return ()

    def share(self, word: str, *against: str) -> float:
        """Return P(word) on the operating scale, renormalised over the word and others; 0 if all of them are 0.

        Args:
            word: the word.
            against: the other words; none for P(word) itself.
        """
        return RAW.share(self._level(word), [self._level(other) for other in against]) if against else self._level(word)

    def _level(self, word: str) -> float:
        return self.scale.level(self.scores[word], max(self.foils, 1))

    def demand_answered(self, tolerances: Tolerances) -> None:
        """Raise Unlikely if `mass` is too small: the model would give an answer that the question does not allow."""
        least = self._least(tolerances)
        if self.mass is not None and self.mass < least:
            raise Unlikely(f"{self.whole} is under {brief(least)}")

    def _least(self, tolerances: Tolerances) -> float:
        """Return the least `mass` at which its shares mean something."""
        return tolerances.floor

    def preference(self, word: str, against: str, floor: float) -> float:
        """Return P(word) renormalised over two words.

        Args:
            word: the word.
            against: the other word.
            floor: the least sum of both probabilities, in [0, 1].

        Raises:
            Unlikely: the sum is below `floor`.
        """
        either = self.scores[word] + self.scores[against] if self.foils else self._level(word) + self._level(against)
        if either < floor:
            raise Unlikely(f"P({word}) + P({against}) is under {brief(floor)}")
        return self.share(word, against)


@dataclass(frozen=True)
class Heard:
    """The reading of a question's answers, and the likeliest words of the answer about the target."""

    reading: Reading
    top: Top


class Unlikely(NotApplicable):
    """The model finds none of the words likely, so that its preference among them means nothing."""
