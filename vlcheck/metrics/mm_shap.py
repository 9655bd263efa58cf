"""MM-SHAP: the share of the text among all that moves the match score of a picture and a text.

Source: Parcalabescu and Frank 2022, arXiv:2212.08158.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np

from vlcheck._util.bars import share_bar
from vlcheck._util.numbers import between, figure
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

VERSION = "3"  # a part of every kept answer's key: raise it when its values change
ERROR, SYNERGY = "standard error", "synergy"
_NORMAL = 1.96  # standard errors on either side of an interval of 95 %


class TextShare(NamedTuple):
    """T-SHAP of one picture and text, in [0, 1], and its standard error."""

    value: float
    standard_error: float

    @property
    def interval(self) -> tuple[float, float]:
        """The interval of 95 %, inside [0, 1]; of the errors of sampling alone."""
        wide = _NORMAL * self.standard_error
        return max(0.0, self.value - wide), min(1.0, self.value + wide)


class MatchContributions(NamedTuple):
    """The contributions to the match score of one picture and text: T-SHAP, and the synergy of picture and text."""

    share: TextShare
    synergy: float


class SharesContributions(Protocol):
    """A model that says how much of its match score is due to the text."""

    def mm_shap(self, pictures: Pictures, texts: Sequence[str]) -> Sequence[MatchContributions]:
        """Return the contributions to the match score of each picture with its text.

        Args:
            pictures: n pictures.
            texts: n texts.

        Raises:
            NotApplicable: a text is too long for the model, or nothing changes the score.
        """


@dataclass(frozen=True)
class ContributionReading(Reading):
    """T-SHAP of the text with the target filled in.

    Attributes:
        synergy: surplus of picture and text together over each alone, in the match score.
    """

    metric: ClassVar[Metric] = "mm-shap"
    synergy: float = 0.0


@dataclass(frozen=True)
class TextContribution(MetricDefinition):
    """MM-SHAP: one query for the text with the target filled in.

    Attributes:
        code: a digest of the network's code, which is a part of every kept answer's key; "" for a network of vlcheck.
    """

    code: str = ""

    name = "mm-shap"
    kinds = MappingProxyType({"shapley-share": Kind("the share of the text among all that moves the match score")})
    reading = ContributionReading
    meaning = "how much of the match score is due to the text"
    task = "image-text-matching"
    sample = ("a photo of a dog on the grass in front of a house", "dog")
    explained = True
    top_name = "figures"
    most_texts = 1  # each takes as long as hundreds of other questions: its answer is kept as soon as it is known

    def ask(self, view: View, compared: Iterable[str] = (), foils: Sequence[str] | None = None) -> Question:
        demand_told(view)
        query = Query(
            self.name, view.picture, view.filled(view.target), (f"version {VERSION}", *filter(None, [self.code]))
        )
        return Question(self.name, view, {view.target: query})

    def asked_with(self, explanation: str) -> bool:
        return explanation == "mmshap"

    def by_method(self, method: str) -> TextContribution:
        return TextContribution(method)

    def said(self, view: View) -> str:
        return view.filled(view.target)

    def score(
        self,
        model: SharesContributions,
        encoded: Encoded,
        texts: Sequence[str],
        words: Sequence[Sequence[str]],
        top: int,
    ) -> list[Answer] | Answer:
        if not isinstance(encoded, Pictures):
            raise TypeError("MM-SHAP reads the pictures themselves")
        found = model.mm_shap(encoded, texts)
        return [
            answer_of([one.share.value], ((ERROR, one.share.standard_error), (SYNERGY, one.synergy))) for one in found
        ]

    def of_query(self, query: Query, words: Sequence[str], answer: Answer) -> Answer:
        return answer

    def n_values(self, query: Query) -> int:
        return 1

    def read(self, question: Question, answers: Mapping[str, Answer]) -> Heard:
        target = question.view.target
        answer = answers[target]
        (share,) = answer.values
        return Heard(ContributionReading(target, {target: share}, synergy=dict(answer.top)[SYNERGY]), answer.top)

    def bar(self, heard: Heard) -> str:
        share = TextShare(heard.reading.value, dict(heard.top)[ERROR])
        return f"{share_bar(*share.interval)} T-SHAP {figure(share.value)} ({between(*share.interval)})"

    def probe(self, model: Any, probes: Sequence[Probe], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        pictures, texts = Pictures(tuple(probe.image for probe in probes)), [probe.texts[0] for probe in probes]
        shares = [one.share.value for one in model.mm_shap(pictures, texts)]
        return [np.full(len(own), share) for own, share in zip(words, shares, strict=True)]
