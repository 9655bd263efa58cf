"""Shards: the parts of a plan that machines without a common store answer, each in a store of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from vlcheck._util.hashing import digest
from vlcheck.errors import UsageError, argument
from vlcheck.scoring.cached import CachedScorer
from vlcheck.scoring.engines.engine import Engine, Shown
from vlcheck.scoring.plan import Chunk, Plan

_SPEC = re.compile(r"([1-9]\d{0,5})/([1-9]\d{0,5})", re.ASCII)


@dataclass(frozen=True)
class Shard:
    """One of several parts of each plan.

    Attributes:
        number: the number of the part, from 1 to `count`.
        count: the number of parts.
    """

    number: int
    count: int

    @classmethod
    def parse(cls, spec: str) -> Self:
        """Read a shard as it is said, "2/8" for the second of eight parts.

        Raises:
            UsageError: it is none.

        Example:
            >>> Shard.parse("2/8")
            Shard(number=2, count=8)
        """
        found = _SPEC.fullmatch(spec)
        number, count = map(int, found.groups()) if found else (0, 0)
        if not 1 <= number <= count:
            raise UsageError(
                f"{argument('shard', spec)}: has to be I/N, the I-th of N parts, with I from 1 to N: e.g. 1/8 to 8/8."
            )
        return cls(number, count)

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def of(self, plan: Plan) -> Plan:
        """Return this part of a plan: equally many pictures in each part, those of one source together.

        It depends on the plan's queries, not on its chunks: machines may encode batches of different sizes.
        """
        about = {query.picture.key: query.picture.source.key for chunk in plan.chunks for query in chunk.queries}
        ordered = sorted(about, key=lambda key: (about[key], key))
        first, last = (len(ordered) * end // self.count for end in (self.number - 1, self.number))
        own = {*ordered[first:last]}
        cut = (tuple(query for query in chunk.queries if query.picture.key in own) for chunk in plan.chunks)
        return Plan(tuple(Chunk(queries) for queries in cut if queries))


@dataclass(frozen=True)
class PartAnswered:
    """A shard's part of a plan, after its engine has run it.

    Attributes:
        questions: number of questions of the part.
        pictures: number of pictures that they are about.
        of: number of questions of the whole plan.
        open: number of questions of the whole plan that the store has no answer to.
        errors: number of questions of the part whose answer is an error, which no store keeps for later runs.
        error: one of these errors; "" if there is none.
    """

    questions: int
    pictures: int
    of: int
    open: int
    errors: int
    error: str


class OtherPartsNeeded(Exception):
    """Questions depend on the answers of other shards; raised when a shard's own part is answered."""


class ShardEngine:
    """An engine that has a shard's part of each plan answered by another engine.

    Args:
        engine: the other engine.
        shard: the part.
        data: spec of the cases, for messages about the stores of shards.

    Attributes:
        parts: the parts that were answered, in order.
    """

    def __init__(self, engine: Engine, shard: Shard, data: str) -> None:
        self._engine, self._shard, self._data = engine, shard, data
        self.parts: list[PartAnswered] = []
        self._counted: set[tuple[int, str]] = set()  # a later plan may have questions of an earlier one
        self.shared = engine.shared

    def run(self, plan: Plan, scorer: CachedScorer, progress: Shown | None = None) -> None:
        """Have the part answered, and record in the store that it is.

        Args:
            plan: the plan.
            scorer: a scorer of the model, with its store.
            progress: called as pictures are done.

        Raises:
            UsageError: as the other engine; or the store took not all answers; or the model, which others run, changed.
            OtherPartsNeeded: the store lacks answers to the other parts.
        """
        part = self._shard.of(plan)
        self._engine.run(part, scorer, progress)
        if changed := scorer.settle():
            raise UsageError(f"{argument('shard', self._shard)}: the model changed: {changed}. Ask this part again.")
        if not scorer.store.keeps_all:
            raise UsageError(
                f"{argument('shard', self._shard)}: the store did not take all answers. Make room, and ask it again."
            )
        asked = [query for chunk in plan.chunks for query in chunk.queries]
        open_ = len(scorer.missing(asked))
        errors = [error for chunk in part.chunks for error in _errors(chunk, scorer)]
        new = {query.key for query in asked if (id(scorer), query.key) not in self._counted}
        self._counted.update((id(scorer), key) for key in new)
        own = [query for chunk in part.chunks for query in chunk.queries if query.key in new]
        if new:
            pictures = len({query.picture.key for query in own})
            self.parts.append(PartAnswered(len(own), pictures, len(new), open_, len(errors), (*errors, "")[0]))
        if asked and not errors:
            scorer.store.keep_shard(
                digest(*sorted(query.key for query in asked)), self._shard.number, self._shard.count, self._data
            )
        if open_:
            raise OtherPartsNeeded

    def close(self) -> None:
        """End what the other engine started."""
        self._engine.close()


def _errors(chunk: Chunk, scorer: CachedScorer) -> list[str]:
    """Return the errors among the answers to a chunk."""
    return [answer.error for answer in scorer.kept(chunk.queries).values() if answer.error]
