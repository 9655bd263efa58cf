"""Monotone maps of a model's answers, as the score kind that it has or as another one.

A model with a match head also compares texts, by the log-odds that it gives each; one that names words also chooses
among candidates. So one asking gives the answers of all these kinds, at every temperature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.special import expit, logit, softmax

from vlcheck.cases.picture import Picture
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.kinds import Metric
from vlcheck.metrics.query import Query
from vlcheck.metrics.registry import METRICS, RELATIVE

Transform = Callable[[np.ndarray], np.ndarray]
_NEXT_TO_1 = 1 - 2.0**-24  # in float32, as the models answer: 1 has no finite log-odds


@dataclass(frozen=True)
class Kind:
    """A score kind as a function of a model's own probabilities.

    Attributes:
        metric: whose kind it is.
        name: as `vlcheck.metrics.registry.KINDS` has it.
        logits: of the probabilities that the model gave.
        scores: of the logits; one for each of the answer's values.
    """

    metric: Metric
    name: str
    logits: Transform
    scores: Transform

    @property
    def relative(self) -> bool:
        """True if a score compares a text with others, and says nothing of one alone."""
        return self.name in RELATIVE


def _bounded_logit(scores: np.ndarray) -> np.ndarray:
    odds: np.ndarray = logit(np.minimum(scores, _NEXT_TO_1))
    return odds


def _first_share(logits: np.ndarray) -> np.ndarray:
    shares: np.ndarray = softmax(logits)[:1]
    return shares


MATCH = Kind("itm", "match-head", logit, expit)
MASKED = Kind("mlm", "masked-lm", np.log, np.exp)
CONTRASTIVE = Kind("itm", "contrastive", _bounded_logit, _first_share)
CANDIDATES = Kind("mlm", "candidates", np.log, softmax)
KINDS = (MATCH, MASKED, CONTRASTIVE, CANDIDATES)


@dataclass(frozen=True)
class Map:
    """A monotone map of the logits of a score kind."""

    said: str
    kind: Kind
    change: Transform

    def __call__(self, query: Query, answers: Mapping[str, Answer]) -> Answer:
        """Return the answer to a query, given the model's own ones to `own_queries`."""
        found = [answers[own.key] for own in own_queries(query)]
        for answer in found:
            if not answer.values:
                return answer
        with np.errstate(divide="ignore"):
            logits = self.kind.logits(np.concatenate([answer.values for answer in found]))
        return replace(found[0], values=tuple(self.kind.scores(self.change(logits)).tolist()))


def own_queries(query: Query) -> list[Query]:
    """Return what a model that compares no texts is asked for a query: of a text and its foils each alone."""
    if query.metric != "itm":
        return [query]
    return [Query("itm", query.picture, text) for text in METRICS[query.metric].texts(query)]


def unmapped(kind: Kind) -> Map:
    """Return the map that leaves a kind's scores as they are."""
    return Map("unmapped", kind, lambda logits: logits)


def _temperature(kind: Kind, heat: float) -> Map:
    return Map(f"{kind.name}, temperature {heat:g}", kind, lambda logits: logits / heat)


MAPS = (
    Map("log-odds + 3", MATCH, lambda odds: odds + 3),
    Map("log-odds - 3", MATCH, lambda odds: odds - 3),
    Map("log-odds + 6.5", MATCH, lambda odds: odds + 6.5),
    Map("log-odds - 6.5", MATCH, lambda odds: odds - 6.5),
    Map("0.3 x log-odds", MATCH, lambda odds: 0.3 * odds),
    Map("3 x log-odds", MATCH, lambda odds: 3 * odds),
    *(_temperature(kind, heat) for kind in (MASKED, CONTRASTIVE, CANDIDATES) for heat in (0.3, 3.0)),
)


@dataclass(frozen=True)
class Kept:
    """A model's own answers, given once, through a map: a scorer that asks no model.

    Attributes:
        given: by the query's key.
        shown: keys of the pictures that could be shown.
    """

    given: Mapping[str, Answer]
    shown: frozenset[str]
    through: Map
    _mapped: dict[str, Answer] = field(default_factory=dict, repr=False)

    def answers(self, queries: Iterable[Query]) -> dict[str, Answer]:
        """Return the mapped answers by the queries' keys."""
        return {query.key: self._answer(query) for query in queries}

    def shows(self, picture: Picture) -> bool:
        """Return whether a picture could be shown."""
        return picture.key in self.shown

    def refusal(self, picture: Picture) -> str:
        """Return why a picture could not be shown; "" if it could."""
        return "" if picture.always_applies or self.shows(picture) else "the picture could not be shown"

    def _answer(self, query: Query) -> Answer:
        if query.key not in self._mapped:
            self._mapped[query.key] = self.through(query, self.given)
        return self._mapped[query.key]
