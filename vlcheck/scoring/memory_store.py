"""A store of answers in the memory of one process, for a model that nobody else asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from vlcheck._util import installed
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.query import Query
from vlcheck.scoring.store import Thumbnail


class MemoryStore:
    """An `AnswerStore` whose answers no other process and no later run has: nothing is written, or read again."""

    keeps_all = False

    def __init__(self) -> None:
        self._answers: dict[str, Answer] = {}
        self._pictures: dict[str, Thumbnail] = {}

    @cached_property
    def versions(self) -> Mapping[str, str]:
        """The installed versions of all other software that determines a score."""
        return installed.versions()

    def superseded(self) -> str:
        """Return "": no answer is of an earlier run."""
        return ""

    def get_many(self, queries: Iterable[Query]) -> dict[str, Answer]:
        """Return the kept answers, by the queries' keys."""
        asked = (query.key for query in queries)
        return {key: self._answers[key] for key in asked if key in self._answers}

    def missing(self, keys: Iterable[str]) -> set[str]:
        """Return the keys of the queries that have no answer yet."""
        return set(keys) - self._answers.keys()

    def put(self, answers: Iterable[tuple[Query, Answer]]) -> None:
        """Keep answers. An error never replaces a value."""
        for query, answer in answers:
            if not answer.error or self._answers.get(query.key, answer).error:
                self._answers[query.key] = answer

    def confirm(self, keys: Iterable[str]) -> None:
        """Do nothing: there is no later run to keep answers for."""

    def keep_shard(self, asked: str, number: int, count: int, data: str) -> None:
        """Do nothing: no other run has the other shards.

        Args:
            asked: digest of the queries of the whole plan.
            number: number of the shard, from 1 on.
            count: number of all shards of the plan.
            data: spec of the cases.
        """

    def keep_pictures(self, pictures: Mapping[str, Thumbnail]) -> None:
        """Keep the records of pictures, by their keys. An empty thumbnail never replaces a kept one."""
        for key, record in pictures.items():
            if record.jpeg or key not in self._pictures:
                self._pictures[key] = record

    def pictures(self, key: str) -> Thumbnail | None:
        """Return the record of the picture with this key, or None."""
        return self._pictures.get(key)
