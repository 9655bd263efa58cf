"""Plans: all queries of a run, each once, grouped so that each picture is encoded once."""

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
    """A group of pictures that are encoded together, as all queries about them."""

    queries: tuple[Query, ...]

    @cached_property
    def key(self) -> str:
        """The digest of the queries' keys."""
        return digest(*(query.key for query in self.queries))

    @cached_property
    def pictures(self) -> tuple[Picture, ...]:
        """The pictures that the queries are about, each once, in order."""
        return tuple({query.picture.key: query.picture for query in self.queries}.values())


@dataclass(frozen=True)
class Plan:
    """The chunks that are still to be asked, in order."""

    chunks: tuple[Chunk, ...]

    @cached_property
    def n_pictures(self) -> int:
        """The number of pictures to encode."""
        return sum(len(chunk.pictures) for chunk in self.chunks)

    @cached_property
    def texts(self) -> int:
        """The number of texts that the model has to read, foils included, each counted once a picture and metric.

        Words that are asked about at the same mask share one reading of the text.
        """
        return len(
            {
                (query.picture.key, text, query.metric, query.wording)
                for chunk in self.chunks
                for query in chunk.queries
                for text in METRICS[query.metric].texts(query)
            }
        )


def make_plan(queries: Iterable[Query], *, batch_size: int = 16, kept: Container[str] = ()) -> Plan:
    """Group queries into chunks.

    The plan depends on the set of queries, not on their order, so that processes with the same queries make the same
    chunks. The edits of one source are adjacent, so that it is decoded once.

    Args:
        queries: the queries; equal ones are planned once.
        batch_size: number of pictures that are encoded together, at least 1.
        kept: keys of queries that have an answer already, e.g. a ScoreStore; they are left out.
    """
    left = {query.key: query for query in queries}
    ordered = sorted((query for key, query in left.items() if key not in kept), key=_place)
    by_picture = [tuple(asked) for _, asked in groupby(ordered, key=lambda query: query.picture.key)]
    packs = (by_picture[start : start + batch_size] for start in range(0, len(by_picture), batch_size))
    return Plan(tuple(Chunk(tuple(query for asked in pack for query in asked)) for pack in packs))


def _place(query: Query) -> tuple[str, str, str]:
    return query.picture.source.key, query.picture.key, query.key
