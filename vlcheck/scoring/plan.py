"""All queries of a run, deduplicated and grouped so that each picture is encoded once."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from vlcheck._util.hashing import digest
from vlcheck.cases.picture import Picture
from vlcheck.metrics.query import Query
from vlcheck.metrics.registry import METRICS


@dataclass(frozen=True)
class Chunk:
    """Pictures that are encoded together, and every query about them."""

    queries: tuple[Query, ...]

    @cached_property
    def key(self) -> str:
        """A digest of the queries' keys."""
        return digest(*(query.key for query in self.queries))

    @cached_property
    def pictures(self) -> tuple[Picture, ...]:
        """The pictures asked about, each once, in order."""
        return tuple({query.picture.key: query.picture for query in self.queries}.values())


@dataclass(frozen=True)
class Plan:
    """What is left to ask, in the order in which it is asked."""

    chunks: tuple[Chunk, ...]

    @cached_property
    def n_pictures(self) -> int:
        """Pictures to encode."""
        return sum(len(chunk.pictures) for chunk in self.chunks)

    @cached_property
    def n_queries(self) -> int:
        """Queries to answer, each counted once."""
        return sum(len(chunk.queries) for chunk in self.chunks)

    @cached_property
    def texts(self) -> int:
        """Distinct (picture, text, metric): what the model has to read, as words asked at one mask share a reading.

        Foils are read as well.
        """
        return len(
            {
                (query.picture.key, text, query.metric)
                for chunk in self.chunks
                for query in chunk.queries
                for text in METRICS[query.metric].texts(query)
            }
        )


def make_plan(queries: Iterable[Query], *, batch_size: int = 16, kept: Container[str] = ()) -> Plan:
    """Plan a run.

    The plan depends on which queries there are, not on their order: processes that gather the same queries make the
    same chunks. The edits of one source are adjacent, so that it is decoded once.

    Args:
        queries: what is to be known; equal ones are planned once.
        batch_size: pictures encoded together, at least 1.
        kept: keys of queries that need no asking, e.g. a ScoreStore.
    """
    left = {query.key: query for query in queries}
    ordered = sorted((query for key, query in left.items() if key not in kept), key=_place)
    by_picture = [tuple(asked) for _, asked in groupby(ordered, key=lambda query: query.picture.key)]
    packs = (by_picture[start : start + batch_size] for start in range(0, len(by_picture), batch_size))
    return Plan(tuple(Chunk(tuple(query for asked in pack for query in asked)) for pack in packs))


def _place(query: Query) -> tuple[str, str, str]:
    return query.picture.source.key, query.picture.key, query.key
