"""A question about one view of a case, and the queries that answer it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from vlcheck.cases.view import View
from vlcheck.cases.words import OPPOSITES
from vlcheck.errors import NotApplicable
from vlcheck.metrics.kinds import Metric
from vlcheck.metrics.query import Query


@dataclass(frozen=True)
class Question:
    """One view of a case under one metric, and the queries that answer it.

    Attributes:
        metric: the metric of the score.
        view: the picture and the text.
        queries: mlm, mrc: one query, under "[MASK]"; itm: one for each word filled in, under that word.
    """

    metric: Metric
    view: View
    queries: Mapping[str, Query]

    def in_wording(self, wording: str) -> Question:
        """Return the same question with its queries in a wording."""
        return replace(self, queries={word: query.in_wording(wording) for word, query in self.queries.items()})


def fillings(view: View, compared: Iterable[str]) -> tuple[str, ...]:
    """Return the words that a question is about, each once, the target first.

    Args:
        view: has the target.
        compared: words that are asked about beside the target.
    """
    return tuple(dict.fromkeys([view.target, *compared]))


def closed_set(view: View, words: Iterable[str]) -> tuple[str, ...]:
    """Return the words of a question with the view's candidates and the target's opposite.

    They are sorted, so that behaviors that share a view share its query.

    Args:
        view: has the target and the candidates.
        words: the words that the question is about.
    """
    return tuple(sorted({*words, *view.candidates, *(OPPOSITES[word] for word in [view.target] if word in OPPOSITES)}))


def demand_told(view: View) -> None:
    """Raise NotApplicable if the text does not say the word that is asked about."""
    if not view.told:
        raise NotApplicable("the text does not say the word that is asked about")
