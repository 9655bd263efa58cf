"""The definition of a metric: its question, the model's method that answers it, and how the answer is read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np

from vlcheck.cases.view import View
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.kinds import Kind, Metric
from vlcheck.metrics.probe import Probe
from vlcheck.metrics.query import Query
from vlcheck.metrics.question import Question
from vlcheck.metrics.reading import Heard, Reading


class Encoded(Protocol):
    """Images as a model keeps them between questions."""

    def __len__(self) -> int:
        """The number of images."""

    def __getitem__(self, index: Sequence[int]) -> Encoded:
        """Select by index, with repetition; nothing is copied before it is used."""


class MetricDefinition(ABC):
    """One metric. A subclass in a module of its own says all that tells it from the others.

    Attributes:
        name: identifier in options, policies and results.
        kinds: kinds of score that a model can have for it; the first is the default.
        reading: class of what is read from the answers.
        meaning: what is asked, in a few words for reports.
        task: the Hugging Face hub's name of the task.
        tolerances: keys of the policy that apply to this metric alone, whatever is expected.
        needs_regions: whether only a model that reads regions can be asked.
        compares_texts: whether a kind that only compares is asked against whole texts, the foils.
        closed_sets: whether the scores of a closed set of words are renormalised over it.
    """

    name: ClassVar[Metric]
    kinds: ClassVar[Mapping[str, Kind]]
    reading: ClassVar[type[Reading]]
    meaning: ClassVar[str]
    task: ClassVar[str]
    tolerances: ClassVar[tuple[str, ...]] = ()
    needs_regions: ClassVar[bool] = False
    compares_texts: ClassVar[bool] = False
    closed_sets: ClassVar[bool] = False

    @property
    def default_kind(self) -> str:
        """The kind of a model that names none."""
        return next(iter(self.kinds))

    def compares(self, kind: str | None) -> bool:
        """Return whether scores of a kind are shares among what is asked together."""
        return any(kind == name and bool(own.among) for name, own in self.kinds.items())

    @abstractmethod
    def ask(self, view: View, compared: Iterable[str] = (), foils: Sequence[str] | None = None) -> Question:
        """Word the question for a view: its target, and the words it is compared with.

        Args:
            view: what is shown and said.
            compared: words that are asked about beside the target.
            foils: texts beside those with another of the view's words filled in, for a model that only compares
                texts; None for any other.

        Raises:
            NotApplicable: such a model, and no text to compare with; a word that is asked about and not told.
        """

    def said(self, view: View) -> str:
        """Return the text of a view as the model reads it."""
        return view.text

    def texts(self, query: Query) -> tuple[str, ...]:
        """Return all that a model has to read for a query."""
        return (query.text,)

    def shares_text(self, kind: str | None) -> bool:
        """Return whether queries with other words may share one reading of a text, for a model's kind of score.

        They may not where a score depends on what else is asked: it would change with the selection of tests.
        """
        return False

    @abstractmethod
    def score(
        self, model: Any, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]], top: int
    ) -> list[Answer] | Answer:
        """Call the model's method for this metric.

        Args:
            model: a VisionLanguageModel that offers the metric.
            encoded: n images.
            texts: n texts, one an image. A tuple: a model may not change what it is asked.
            words: the words or foils asked about each text.
            top: number of the likeliest words to ask for.

        Returns:
            n answers; one, an error, if the model did not return what it has to.
        """

    def of_query(self, query: Query, words: Sequence[str], answer: Answer) -> Answer:
        """Return a query's part of an answer that has one value for each of `words`."""
        by_word = dict(zip(words, answer.values, strict=True))
        return Answer(tuple(by_word[word] for word in query.words), answer.top)

    def n_values(self, query: Query) -> int:
        """Return the number of values in a query's answer."""
        return len(query.words)

    @abstractmethod
    def read(self, question: Question, answers: Mapping[str, Answer]) -> Heard:
        """Put together the answers of a question, given by its words; each has values."""

    @abstractmethod
    def probe(self, model: Any, probes: Sequence[Probe], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """Call the model's method for this metric as the model contract tries it; what it returns is not checked.

        Args:
            model: a VisionLanguageModel that offers the metric.
            probes: n pictures with texts.
            words: n lists of words that are asked about; each list is a part of its probe's words.

        Returns:
            For each probe an array of scores, shape (len(words[i]),).
        """

    def sampled(self, probe: Probe) -> tuple[str, ...]:
        """Return the words of a probe that stand for all of them, where asking about each word costs a text."""
        return probe.words
