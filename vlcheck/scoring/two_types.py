"""A model in two number types over one store: a fast one, and an exact one that is asked where the fast one may err."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from vlcheck.metrics.answer import Answer
from vlcheck.metrics.query import Query
from vlcheck.scoring.cached import CachedScorer
from vlcheck.scoring.progress import Progress


class TwoTypes(CachedScorer):
    """A scorer that asks a model in a fast number type, and takes the exact answer to a query where there is one.

    Each answer is kept under the fingerprint of the model in the type that gave it.

    Args:
        fast: asks the model in the fast type.
        exact: asks the same model in the exact type; its store has the same file.

    Attributes:
        fast: the scorer in the fast type, which takes no exact answers.
    """

    def __init__(self, fast: CachedScorer, exact: CachedScorer) -> None:
        super().__init__(fast.scorer, fast.store, thumbnails=fast.thumbnails)
        self.fast = fast
        self._exact = exact

    @property
    def exact(self) -> CachedScorer:
        return self._exact

    def asks(self, query: Query) -> bool:
        """Return True if the model can be asked in the fast type: explanations, for example, are exact alone."""
        return query.metric in self.scorer.model.metrics

    def missing(self, queries: Iterable[Query]) -> set[str]:
        asked = {query.key: query for query in queries}
        left = self.fast.missing(asked.values())
        return self.exact.missing(asked[key] for key in left) if left else left

    def answers(
        self, queries: Iterable[Query], progress: Callable[[Progress], None] | None = None
    ) -> dict[str, Answer]:
        asked = {query.key: query for query in queries}
        fast = [query for query in asked.values() if self.asks(query)]
        exact = [query for query in asked.values() if not self.asks(query)]
        return super().answers(fast, progress) | (self.exact.answers(exact, progress) if exact else {})

    def kept(self, queries: Iterable[Query]) -> dict[str, Answer]:
        asked = {query.key: query for query in queries}
        exact = self.exact.kept(asked.values())
        return self.fast.kept(query for key, query in asked.items() if key not in exact) | exact
