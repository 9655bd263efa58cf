"""A question about one view of a case, and the queries that answer it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

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


def fillings(view: View, compared: Iterable[str]) -> tuple[str, ...]:
    """Return the words that a question is about, each once: the target first."""
    return tuple(dict.fromkeys([view.target, *compared]))


def closed_set(view: View, words: Iterable[str]) -> tuple[str, ...]:
    """Return the words of a question with the view's candidates and the target's opposite.

    They are sorted, so that behaviors that share a view share its query.
    """
    return tuple(sorted({*words, *view.candidates, *(OPPOSITES[word] for word in [view.target] if word in OPPOSITES)}))


def demand_told(view: View) -> None:
    """Raise NotApplicable if the text does not say the word that is asked about."""
    if not view.told:
        raise NotApplicable("the text does not say the word that is asked about")
