"""Maps of contributions: the share of each part of a picture among all that speaks for its match with a text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Protocol

import numpy as np

from vlcheck.cases.view import View
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.definition import Encoded, MetricDefinition
from vlcheck.metrics.kinds import Kind, Metric
from vlcheck.metrics.model_output import answer_of
from vlcheck.metrics.pictures import Pictures
from vlcheck.metrics.probe import Probe
from vlcheck.metrics.query import Query
from vlcheck.metrics.question import Question, demand_told
from vlcheck.metrics.reading import Heard, Reading

VERSION = "1"  # a part of every kept answer's key: raise it when the maps change
SIDE = 6  # rows and columns of a map
_MEANING = "the share of each part of the picture among all that speaks for the match"


class MapsContributions(Protocol):
    """A model that says which parts of a picture speak for its match score."""

    def contribution_maps(self, pictures: Pictures, texts: Sequence[str]) -> Sequence[np.ndarray]:
        """Return the share of each cell of a grid over the picture, (SIDE, SIDE), of sum 1.

        Args:
            pictures: n pictures.
            texts: n texts.

        Raises:
            NotApplicable: a text is too long for the model, or no part of a picture speaks for the match.
        """


@dataclass(frozen=True)
class MapReading(Reading):
    """The shares of the cells, by their names; the target's own score is that of the strongest cell."""

    metric: ClassVar[Metric] = "map"

    @property
    def cells(self) -> np.ndarray:
        """The shares of the cells, (SIDE, SIDE)."""
        return np.array([self.scores[name] for name in CELL_NAMES]).reshape(SIDE, SIDE)


CELL_NAMES = tuple(f"row {row} column {column}" for row in range(1, SIDE + 1) for column in range(1, SIDE + 1))


@dataclass(frozen=True)
class ContributionMap(MetricDefinition):
    """Maps of contributions: one query for the text with the target filled in.

    A kind is an attribution method, so that maps of two methods are never compared as if they were equal.

    Attributes:
        method: the attribution method, which is a part of every kept answer's key; "" for none.
    """

    method: str = ""

    name = "map"
    kinds = MappingProxyType(
        {
            name: Kind(f"{_MEANING}, by {name}")
            for name in (
                "saliency", "guided", "ig", "ig-black", "ig-blurred", "cam", "gradcam", "attention-gradcam",
                "relevancy", "lrp", "lrp-size", "random",
            )
        }
    )  # fmt: skip
    reading = MapReading
    meaning = "which parts of the picture the match rests on"
    task = "image-text-matching"
    sample = ("a photo of a dog on the grass in front of a house", "dog")
    explained = True
    most_texts = 16  # a map takes as long as several other questions, and a run that is killed keeps what it has

    def asked_with(self, explanation: str) -> bool:
        return explanation in self.kinds

    def by_method(self, method: str) -> ContributionMap:
        return ContributionMap(method)

    def ask(self, view: View, compared: Iterable[str] = (), foils: Sequence[str] | None = None) -> Question:
        demand_told(view)
        query = Query(self.name, view.picture, view.filled(view.target), (f"version {VERSION}", self.method))
        return Question(self.name, view, {view.target: query})

    def said(self, view: View) -> str:
        return view.filled(view.target)

    def score(
        self, model: MapsContributions, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]], top: int
    ) -> list[Answer] | Answer:
        if not isinstance(encoded, Pictures):
            raise TypeError("maps are made of the pictures themselves")
        return [answer_of(cells.ravel().tolist()) for cells in model.contribution_maps(encoded, texts)]

    def of_query(self, query: Query, words: Sequence[str], answer: Answer) -> Answer:
        return answer

    def n_values(self, query: Query) -> int:
        return SIDE**2

    def read(self, question: Question, answers: Mapping[str, Answer]) -> Heard:
        target = question.view.target
        cells = answers[target].values
        scores = {target: max(cells), **dict(zip(CELL_NAMES, cells, strict=True))}
        return Heard(MapReading(target, scores), ())

    def probe(self, model: Any, probes: Sequence[Probe], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        pictures, texts = Pictures(tuple(probe.image for probe in probes)), [probe.texts[0] for probe in probes]
        maps = model.contribution_maps(pictures, texts)
        return [np.full(len(own), cells.max()) for own, cells in zip(words, maps, strict=True)]
