"""The knowledge of a model about visible properties of things from words alone, beside a constant answer and chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from vlcheck.datasets.visual_knowledge.items import PROPERTIES, ClozeItem, read_items
from vlcheck.errors import NotApplicable
from vlcheck.explain.words.probes import word_probes
from vlcheck.models.text_encoding import GapFilling, TextEncoding
from vlcheck.results.words import WordAnswerRecord, WordKnowledgeRecord, WordsRecord
from vlcheck.stats.bounds import Tally, exact, lower, upper

ALPHA = 0.05  # error rate of an interval, both sides together


class AccuracyInterval(NamedTuple):
    """An interval of an accuracy, in [0, 1]."""

    low: float
    high: float


@dataclass(frozen=True)
class WordAnswer:
    """The answer of a model to an item.

    Attributes:
        item: the sentence with a gap.
        scores: a score for each candidate, in their order.
    """

    item: ClozeItem
    scores: tuple[float, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """The candidates with the highest score: one, unless several are equal."""
        best = max(self.scores)
        return tuple(word for word, score in zip(self.item.candidates, self.scores, strict=True) if score == best)

    @property
    def credit(self) -> float:
        """1 if the answer is true, 0 if it is false, and a share if the truth is one of several equal answers."""
        return (self.item.truth in self.words) / len(self.words)

    @property
    def record(self) -> WordAnswerRecord:
        """The record of it in the file of `vlcheck words`."""
        scores = dict(zip(self.item.candidates, self.scores, strict=True))
        return WordAnswerRecord(self.item.thing, self.item.text, self.item.truth, scores)


@dataclass(frozen=True)
class WordKnowledge:
    """The answers of a model about one property by one probe.

    Attributes:
        about: name of the property, e.g. "color".
        probe: "cloze" or "stroop".
        answers: the answers to the items that count.
        unspelled: number of items that do not count, since the vocabulary lacks a word of the sentence or a candidate.
    """

    about: str
    probe: str
    answers: tuple[WordAnswer, ...]
    unspelled: int = 0

    @property
    def n(self) -> int:
        """The number of items that count."""
        return len(self.answers)

    @property
    def accuracy(self) -> float | None:
        """The share of true answers; None if no item counts."""
        return _mean(answer.credit for answer in self.answers)

    @cached_property
    def interval(self) -> AccuracyInterval:
        """The exact interval of the accuracy, at an error rate of ALPHA; [0, 1] if no item counts.

        The items stand for all items that might have been written about the property.

        Source:
            Clopper and Pearson, Biometrika 26, 1934.
        """
        if not self.answers:
            return AccuracyInterval(0.0, 1.0)
        tally = Tally.of(answer.credit for answer in self.answers)
        return AccuracyInterval(lower(exact, tally, ALPHA / 2), upper(exact, tally, ALPHA / 2))

    @property
    def majority(self) -> float | None:
        """The accuracy of the best constant answer; None if no item counts."""
        truths = Counter(answer.item.truth for answer in self.answers)
        return max(truths.values()) / self.n if truths else None

    @property
    def chance(self) -> float | None:
        """The expected accuracy of random answers; None if no item counts."""
        return _mean(1 / len(answer.item.candidates) for answer in self.answers)

    @property
    def is_known(self) -> bool:
        """True if the whole interval is above the best constant answer, and above chance."""
        return self.n > 0 and self.interval.low > max(self.majority or 0.0, self.chance or 0.0)

    @property
    def record(self) -> WordKnowledgeRecord:
        """The record of it in the file of `vlcheck words`."""
        return WordKnowledgeRecord(
            about=self.about,
            probe=self.probe,
            n=self.n,
            unspelled=self.unspelled,
            accuracy=self.accuracy,
            low=self.interval.low,
            high=self.interval.high,
            majority=self.majority,
            chance=self.chance,
            known=self.is_known,
            answers=tuple(answer.record for answer in self.answers),
        )


@dataclass(frozen=True)
class WordsAlone:
    """The knowledge of a model from words alone.

    Attributes:
        model: its name.
        fingerprint: content hash of everything that decides its scores.
        found: its knowledge, by property and probe.
    """

    model: str
    fingerprint: str
    found: tuple[WordKnowledge, ...]

    @property
    def record(self) -> WordsRecord:
        """The record of it in the file of `vlcheck words`."""
        return WordsRecord(self.model, self.fingerprint, tuple(one.record for one in self.found))


def ask_words(model: object, items: Mapping[str, Sequence[ClozeItem]] | None = None) -> WordsAlone:
    """Ask a model about visible properties of things without a picture, by each probe that it can be asked with.

    Args:
        model: a model, as `load_model` gives it.
        items: the items of each property, by its name; None for the shipped ones.

    Raises:
        NotApplicable: the model reads no text without a picture, or its scores are not finite or do not fit the words.

    Example:
        >>> from vlcheck import load_model
        >>> [one.unspelled for one in ask_words(load_model("tiny")).found]  # its vocabulary has few words
        [74, 78, 64, 77]
    """
    if not isinstance(model, GapFilling | TextEncoding):
        name = getattr(model, "name", type(model).__name__)
        raise NotApplicable(f"{name} reads no text without a picture: it has neither embed_texts nor gap_log_probs")
    asked = {name: read_items(name) for name in PROPERTIES} if items is None else items
    found = tuple(one for name, about in asked.items() for one in _knowledge(model, name, about))
    return WordsAlone(model.name, str(getattr(model, "fingerprint", "")), found)


def _knowledge(model: GapFilling | TextEncoding, name: str, items: Sequence[ClozeItem]) -> Iterator[WordKnowledge]:
    """Yield what a model knows of a property, by each probe."""
    spelled = [item for item in items if all(map(model.can_spell, map(item.sentence, item.candidates)))]
    for probe, ask in word_probes(model).items():
        answers = _answers(model.name, spelled, ask(spelled)) if spelled else ()
        yield WordKnowledge(name, probe, answers, len(items) - len(spelled))


def _answers(name: str, items: Sequence[ClozeItem], scores: Sequence[np.ndarray]) -> tuple[WordAnswer, ...]:
    """Return a model's answers to items. Raises NotApplicable if scores are missing or not finite."""
    asked, given = [len(item.candidates) for item in items], [np.size(each) for each in scores]
    if given != asked:
        raise NotApplicable(f"{name} has {sum(given)} scores for {sum(asked)} words")
    if not np.isfinite(np.concatenate(scores)).all():
        raise NotApplicable(f"the scores of {name} for words alone are not finite")
    return tuple(WordAnswer(item, tuple(each.tolist())) for item, each in zip(items, scores, strict=True))


def _mean(values: Iterable[float]) -> float | None:
    numbers = [*values]
    return sum(numbers) / len(numbers) if numbers else None
