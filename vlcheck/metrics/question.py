"""A question about one view of a case, and the queries that answer it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from vlcheck.cases import MASK
from vlcheck.cases.view import View
from vlcheck.cases.words import OPPOSITES
from vlcheck.errors import NotApplicable
from vlcheck.metrics.kinds import Metric
from vlcheck.metrics.query import Query


@dataclass(frozen=True)
class Question:
    """One view of a case under one metric, and the queries that answer it, by the words they tell of.

    Attributes:
        metric: which score.
        view: what is shown and said.
        queries: mlm, mrc: one query, under "[MASK]"; itm: one for each word filled in, under that word.
    """

    metric: Metric
    view: View
    queries: Mapping[str, Query]


def ask(metric: Metric, view: View, compared: Iterable[str] = (), foils: Sequence[str] | None = None) -> Question:
    """Word the question for a view: its target, and the words it is compared with.

    Args:
        metric: which score.
        view: what is shown and said.
        compared: words that are asked about beside the target.
        foils: itm of a model that only compares texts: texts beside those with another of the view's words filled in.

    Raises:
        NotApplicable: such a model, and no text to compare with; a word that is asked about and not told.
    """
    fillings = dict.fromkeys([view.target, *compared])
    # All words in one order, so that behaviors that share a view share its query.
    closed = {*fillings, *view.candidates, *(OPPOSITES[word] for word in [view.target] if word in OPPOSITES)}
    words = tuple(sorted(closed))
    if metric == "mrc":
        return Question(metric, view, {MASK: Query("mrc", view.picture, view.text, tuple(fillings))})
    if not view.told:
        raise NotApplicable("the text does not say the word that is asked about")
    if metric == "mlm":
        return Question(metric, view, {MASK: Query("mlm", view.picture, view.template, words)})
    told = {*map(view.filled, words), *foils} if foils is not None else set()
    if len(told) == 1:
        raise NotApplicable("the model only compares texts, and no other is known to be false")
    queries = {word: _match(view, view.filled(word), told) for word in fillings}
    return Question(metric, view, queries)


def _match(view: View, text: str, told: Set[str]) -> Query:
    return Query("itm", view.picture, text, tuple(sorted(told - {text})))
