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
    """The images that a model has encoded; they are selected by index, and asked about again and again."""

    def __len__(self) -> int:
        """Return the number of images."""

    def __getitem__(self, index: Sequence[int]) -> Encoded:
        """Return the images at some indices, in their order; an index may occur twice, and nothing need be copied."""


class MetricDefinition(ABC):
    """A metric; a subclass, in a module of its own, defines everything in which it differs from the others.

    Attributes:
        name: identifier in options, policies and results.
        kinds: kinds of score that a model can have for it; the first is the default.
        reading: class of the scores that are read from the answers.
        meaning: the question that is asked, in a few words for reports.
        task: the Hugging Face hub's name of the task.
        sample: a text, and a word or foil to ask about it, to measure how long a question takes.
        tolerances: keys of the policy that concern this metric alone, under every expectation.
        needs_regions: True if only a model that reads regions can be asked.
        compares_texts: True if models that only compare are asked about whole texts, a text and its foils.
        worded: True if models may answer it as a question in words, which has several wordings.
        closed_sets: True if the scores of a closed set of words are renormalised over it.
        explained: True if an explanation of the model answers it; it is given pictures that are not encoded.
        most_texts: the most texts in one call; None for as many as fit.
        top_name: name in reports of the numbers in an answer's `top`.
    """

    name: ClassVar[Metric]
    kinds: ClassVar[Mapping[str, Kind]]
    reading: ClassVar[type[Reading]]
    meaning: ClassVar[str]
    task: ClassVar[str]
    sample: ClassVar[tuple[str, str]]
    tolerances: ClassVar[tuple[str, ...]] = ()
    needs_regions: ClassVar[bool] = False
    compares_texts: ClassVar[bool] = False
    worded: ClassVar[bool] = False
    closed_sets: ClassVar[bool] = False
    explained: ClassVar[bool] = False
    most_texts: ClassVar[int | None] = None
    top_name: ClassVar[str] = "likeliest"

    @property
    def default_kind(self) -> str:
        """The kind of a model that names none."""
        return next(iter(self.kinds))

    def compares(self, kind: str | None) -> bool:
        """Return True if a score of this kind is a share among the words or texts that are asked about together."""
        return any(kind == name and bool(own.among) for name, own in self.kinds.items())

    @abstractmethod
    def ask(self, view: View, compared: Iterable[str] = (), foils: Sequence[str] | None = None) -> Question:
        """Word the question for a view: its target, and the words it is compared with.

        Args:
            view: the picture and the text.
            compared: words that are asked about beside the target.
            foils: false texts beside those with another of the view's words filled in, for a model that only compares
                texts; None for any other model.

        Raises:
            NotApplicable: the text does not contain the word that is asked about; or the model only compares texts, and
                there is no text to compare with.
        """

    def asked_with(self, explanation: str) -> bool:
        """Return True if it can be asked in a run with a method of explanation; "" stands for a run without one."""
        return not self.explained

    def by_method(self, method: str) -> MetricDefinition:
        """Return the definition whose answers are by a method of explanation; most metrics do not depend on one.

        Args:
            method: the method's name; "" for none.
        """
        return self

    def said(self, view: View) -> str:
        """Return the text of a view as the model reads it."""
        return view.text

    def texts(self, query: Query) -> tuple[str, ...]:
        """Return all texts that a model reads for a query."""
        return (query.text,)

    def shares_text(self, kind: str | None) -> bool:
        """Return True if queries with other words may share one reading of a text, for a model's kind of score.

        They may not if a score depends on the other words that are asked about: it would change with the selection of
        tests.
        """
        return False

    @abstractmethod
    def score(
        self, model: Any, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]], top: int
    ) -> list[Answer] | Answer:
        """Call the model's method for this metric.

        Args:
            model: a VisionLanguageModel that offers the metric.
            encoded: n images; `Pictures` if an explanation answers the metric.
            texts: n texts, one for each image; a tuple, so that a model cannot change it.
            words: the words or foils asked about each text.
            top: number of the likeliest words to ask for.

        Returns:
            n answers; or a single answer, an error, if the model's output does not have one entry for each text.
        """

    def mass(self, answer: Answer) -> float | None:
        """Return the probability of all answers that a question allows together; None if an answer does not tell it."""
        return None

    def of_query(self, query: Query, words: Sequence[str], answer: Answer) -> Answer:
        """Return a query's part of an answer that several queries share.

        Args:
            query: the query.
            words: the words that were asked about, of all queries together.
            answer: has a value for each of these words.
        """
        by_word = dict(zip(words, answer.values, strict=True))
        return Answer(tuple(by_word[word] for word in query.words), answer.top)

    def n_values(self, query: Query) -> int:
        """Return the number of values in a query's answer."""
        return len(query.words)

    @abstractmethod
    def read(self, question: Question, answers: Mapping[str, Answer]) -> Heard:
        """Read the scores of a question from its answers.

        Args:
            question: the question.
            answers: the answers to its queries, by the keys of `question.queries`; each has values.
        """

    def bar(self, heard: Heard) -> str:
        """Return the score of a view as a bar for the terminal; "" if a bar says no more than the number."""
        return ""

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
