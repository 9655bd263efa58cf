"""The part of a store of answers that a scorer needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from vlcheck.metrics.answer import Answer
from vlcheck.metrics.query import Query
from vlcheck.scoring.store import Thumbnail


class AnswerStore(Protocol):
    """A store of one model's answers: `ScoreStore` in a file, `MemoryStore` in the memory of one process.

    Attributes:
        versions: versions of all other software that determines a score.
        keeps_all: whether later runs have all answers of this one.
    """

    @property
    def versions(self) -> Mapping[str, str]: ...

    @property
    def keeps_all(self) -> bool: ...

    def superseded(self) -> str:
        """Return a message if all kept answers of the model are of other versions than the installed ones; else ""."""
        ...

    def get_many(self, queries: Iterable[Query]) -> dict[str, Answer]:
        """Return the kept answers, by the queries' keys."""
        ...

    def missing(self, keys: Iterable[str]) -> set[str]:
        """Return the keys of the queries that have no answer yet."""
        ...

    def put(self, answers: Iterable[tuple[Query, Answer]]) -> None:
        """Keep answers, all or none of them. An error never replaces a value."""
        ...

    def confirm(self, keys: Iterable[str]) -> None:
        """Keep provisional answers for later runs, too."""
        ...

    def keep_shard(self, asked: str, number: int, count: int, data: str) -> None:
        """Record that a shard of a plan is answered.

        Args:
            asked: digest of the queries of the whole plan.
            number: number of the shard, from 1 on.
            count: number of all shards of the plan.
            data: spec of the cases.
        """
        ...

    def keep_pictures(self, pictures: Mapping[str, Thumbnail]) -> None:
        """Keep the records of pictures, by their keys. An empty thumbnail never replaces a kept one."""
        ...

    def pictures(self, key: str) -> Thumbnail | None:
        """Return the record of the picture with this key, or None."""
        ...
