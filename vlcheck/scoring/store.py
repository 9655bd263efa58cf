"""The score store: answers and thumbnails in an SQLite file that several processes share."""

from __future__ import annotations

import json
import math
import sqlite3
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from vlcheck._util import installed
from vlcheck._util.hashing import digest
from vlcheck.cases.picture import Picture, identity
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.query import Query
from vlcheck.scoring.stores.rows import has_answer, is_jpeg, pack, storable, unpack, versions_in
from vlcheck.scoring.stores.store_file import (
    DamagedStore,
    FullStore,
    StoreFile,
    StoreNotKept,
    Tell,
    UnwritableStore,
    warn_of_store,
)

_PUT_MODEL = """INSERT INTO models (key, fingerprint, versions, unconfirmed, name, precision) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET
        fingerprint = excluded.fingerprint, versions = excluded.versions, name = excluded.name,
        precision = excluded.precision
    WHERE name != excluded.name OR fingerprint != excluded.fingerprint"""
_BEFORE = """SELECT versions FROM models WHERE fingerprint = ? AND key != ? AND unconfirmed = ''
    AND EXISTS (SELECT 1 FROM answers WHERE answers.model = models.id)
    ORDER BY id DESC LIMIT 1"""
_HOLDS = "SELECT 1 FROM answers WHERE model IN (SELECT id FROM models WHERE key = ?) LIMIT 1"
_AMONG = """FROM answers WHERE model IN (SELECT id FROM models WHERE key IN (?, ?))
    AND query IN (SELECT value FROM json_each(?))"""
_ANSWERS = "SELECT query, (SELECT name FROM runs WHERE id = run), scores, top, unasked, error"
_CONFIRM = """UPDATE OR REPLACE answers SET model = ?
    WHERE model = (SELECT id FROM models WHERE key = ?) AND error = '' AND query IN (SELECT value FROM json_each(?))"""
_PUT = """INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET
        run = excluded.run, kept = excluded.kept, scores = excluded.scores, top = excluded.top,
        unasked = excluded.unasked, error = excluded.error
    WHERE excluded.error = '' OR answers.error != ''"""
_PUT_SHOWN = """INSERT OR IGNORE INTO shown (key, source, place, edits)
    VALUES (?, ?, (SELECT id FROM texts WHERE text = ?), (SELECT id FROM texts WHERE text = ?))"""
_PUT_QUESTION = """INSERT OR IGNORE INTO questions
    VALUES (?, ?, (SELECT id FROM shown WHERE key = ?), (SELECT id FROM texts WHERE text = ?),
    (SELECT id FROM texts WHERE text = ?), (SELECT id FROM texts WHERE text = ?))"""
_PUT_SHARD = "INSERT OR REPLACE INTO shards VALUES (?, ?, ?, ?, ?, ?)"
_PUT_PICTURE = """INSERT INTO pictures VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET sha256 = excluded.sha256, jpeg = excluded.jpeg WHERE length(excluded.jpeg) > 0"""


class Thumbnail(NamedTuple):
    """The record of a rendered picture.

    Attributes:
        sha256: digest of the pixels that the model was shown.
        jpeg: a small copy; b"" if copies are not to be kept.
    """

    sha256: str
    jpeg: bytes


class ModelLabel(NamedTuple):
    """A model in words, for who reads a store's statistics or an export; no answer is looked up by it.

    Attributes:
        name: the model's name.
        precision: the type of its weights, e.g. "float32".
    """

    name: str = ""
    precision: str = ""


class ScoreStore:
    """A store of one model's answers, for one set of installed versions.

    It is a context manager, and a container of the keys of answered queries. Answers under other versions stay in the
    file and are not used. Values, and reasons why a question makes no sense, are kept for later runs. Errors are kept
    for the current run only: the next run asks again. It also asks again if an answer is not a finite number or its row
    is damaged, and gives a DamagedStore warning. The file has to be on a local disk, since SQLite's write-ahead log
    needs shared memory.

    Answers of a model that may become another one are provisional: they are for the current run only until they are
        confirmed. Unconfirmed ones stay in the file and are not used by later runs.

    If the disk is full, or the file cannot be written any more, a StoreNotKept warning says so, and further answers of
    this run go to another file that its processes share, or into this process's memory. Answers that were put before
    stay in the file.

    Args:
        path: the file; it and its folder are created if they are missing.
        fingerprint: the model's fingerprint; each answer is kept under it together with the versions.
        run: an id that the processes of one run have in common, so that they share errors; a new one if empty.
        versions: versions of all other software that determines a score; the installed ones if None.
        provisional: whether answers have to be confirmed.
        in_scratch: whether the file is in a temporary folder: messages then name TMPDIR in place of the parameter.
        overflow: the file, in a temporary folder of the run, in which it goes on if `path` takes no more.
        label: the model in words.
        on_damage: called with warnings about the file.

    Raises:
        UsageError: here and in each method, if the file is not a store, has a later schema or cannot be read; here, if
            it cannot be written for another reason than a full disk.
    """

    def __init__(
        self,
        path: Path,
        fingerprint: str,
        *,
        run: str = "",
        versions: Mapping[str, str] | None = None,
        provisional: bool = False,
        in_scratch: bool = False,
        overflow: Path | None = None,
        label: ModelLabel | None = None,
        on_damage: Tell = warn_of_store,
    ) -> None:
        self.path = path
        self._tell = on_damage
        self.model = fingerprint
        self.run = run or uuid.uuid4().hex
        self.label = ModelLabel(*map(storable, label or ModelLabel()))
        self._others: list[Path | None] = [overflow, None] if overflow else [None]  # None: in memory
        self._opened: list[StoreFile] = []
        try:
            self._opened.append(StoreFile(path, in_scratch=in_scratch, tell=on_damage))
        except FullStore as fault:
            self._go_on_elsewhere(fault)
        self.versions = installed.versions() if versions is None else versions
        self.fingerprint = digest(fingerprint, installed.versions_key(self.versions))
        self._put_under = digest(self.fingerprint, "provisional", self.run) if provisional else self.fingerprint

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and not self.missing([key])

    def close(self) -> None:
        """Close the file; all answers that were put are kept."""
        for file in self._opened:
            file.close()

    def get(self, query: Query) -> Answer | None:
        """Return the answer to a query, or None."""
        return self.get_many([query]).get(query.key)

    def get_many(self, queries: Iterable[Query]) -> dict[str, Answer]:
        """Return the kept answers, by the queries' keys."""
        asked = {query.key: query for query in queries}
        known = self._known(asked)
        wrong = {key for key, answer in known.items() if not has_answer(answer, asked[key])}
        for file in self._files if wrong else ():
            self._discard(file, wrong, "cannot be read")
        return {key: answer for key, answer in known.items() if key not in wrong}

    def missing(self, keys: Iterable[str]) -> set[str]:
        """Return the keys of the queries that have no answer yet."""
        asked = set(keys)
        return asked - self._known(asked).keys()

    def superseded(self) -> str:
        """Return a message if all kept answers of the model are of other versions than the installed ones; else ""."""
        file = self._opened[0]
        row = file.row(_BEFORE, (self.model, self.fingerprint))
        if file.row(_HOLDS, (self.fingerprint,)) or not (row or file.row(_HOLDS, (self.model,))):
            return ""
        changed = "; ".join(installed.version_changes(versions_in(row[0]), self.versions)) if row else ""
        what = changed or "an older vlcheck did not record which"
        return f"{file.named}: its scores of this model are of other versions, and asked again: {what}"

    def put(self, answers: Iterable[tuple[Query, Answer]]) -> None:
        """Keep answers, all or none of them. An error never replaces a value."""
        packed = [(query, pack(answer)) for query, answer in answers]
        self._write(lambda connection: self._put_packed(connection, packed))

    def confirm(self, keys: Iterable[str]) -> None:
        """Keep provisional answers for later runs, too.

        Args:
            keys: the keys of the queries.
        """
        asked = json.dumps(list(keys))

        def confirm_in(connection: sqlite3.Connection) -> None:
            confirmed = self._model_id(connection, self.fingerprint)
            connection.execute(_CONFIRM, (confirmed, self._put_under, asked))

        for file in self._files[:-1]:  # one that took no more answers may have room for this; else they are asked again
            with suppress(UnwritableStore), file.transaction() as connection:
                confirm_in(connection)
        self._write(confirm_in)

    @property
    def keeps_all(self) -> bool:
        """True if all answers of the run went to the file of the store."""
        return [file.path for file in self._files] == [self.path]

    def keep_shard(self, asked: str, number: int, count: int, data: str) -> None:
        """Record that a shard of a plan is answered.

        Args:
            asked: digest of the queries of the whole plan.
            number: number of the shard, from 1 on.
            count: number of all shards of the plan.
            data: spec of the cases.
        """
        self._write(
            lambda connection: connection.execute(
                _PUT_SHARD,
                (self._model_id(connection, self.fingerprint), asked, number, count, int(time.time()), storable(data)),
            )
        )

    def keep_picture(self, key: str, sha256: str, jpeg: bytes = b"") -> None:
        """Keep the record of a picture. An empty thumbnail never replaces a kept one.

        Args:
            key: the picture's key.
            sha256: digest of its pixels.
            jpeg: a small copy, or b"".
        """
        self._write(lambda connection: connection.execute(_PUT_PICTURE, (key, sha256, jpeg)))

    def keep_pictures(self, pictures: Mapping[str, Thumbnail]) -> None:
        """Keep the records of pictures, by their keys, as `keep_picture` does: all or none of them."""
        rows = [(key, *record) for key, record in pictures.items()]
        self._write(lambda connection: connection.executemany(_PUT_PICTURE, rows))

    def pictures(self, key: str) -> Thumbnail | None:
        """Return the record of the picture with this key, or None; with no small copy if the kept one is damaged."""
        select = "SELECT sha256, jpeg FROM pictures WHERE key = ?"
        row = next((row for file in reversed(self._files) if (row := file.row(select, (key,)))), None)
        if row is None:
            return None
        sha256, jpeg = row
        sound = isinstance(sha256, str) and sha256.isascii() and isinstance(jpeg, bytes)
        if sound and (not jpeg or is_jpeg(jpeg)):
            return Thumbnail(sha256, jpeg)
        self._say_damaged(
            self._files[0], "a small copy of a picture cannot be read, and is drawn again if it is wanted"
        )
        return Thumbnail("", b"")

    @property
    def _files(self) -> list[StoreFile]:
        """The open files: the store, and those in which the run goes on; another process may have begun one."""
        if self._others and self._others[0] and self._others[0].exists():
            self._opened.append(StoreFile(self._others.pop(0), in_scratch=True, tell=self._tell))
        return self._opened

    def _write(self, work: Callable[[sqlite3.Connection], object]) -> None:
        """Do some work in a transaction of the file that takes answers; if it takes no more, in another one."""
        while True:
            try:
                with self._files[-1].transaction() as connection:
                    work(connection)
            except UnwritableStore as fault:
                self._go_on_elsewhere(fault)
            else:
                return

    def _go_on_elsewhere(self, fault: UnwritableStore) -> None:
        """Begin another file for the answers of this run, and say so; raise the fault if there is no other place."""
        while self._others:
            place = self._others.pop(0)
            begun = place is not None and place.exists()  # by another process of the run, which has said so
            try:
                self._opened.append(StoreFile(place, in_scratch=True, tell=self._tell))
            except UnwritableStore:
                continue
            if not begun:
                where = "in a temporary file" if place else "in the memory of this process"
                self._tell(StoreNotKept(f"{fault.marked} The run goes on, with its further answers {where}."))
            return
        raise fault

    def _model_id(self, connection: sqlite3.Connection, key: str) -> int:
        """Return the id of the model's row under a key of answers; make the row if it is missing."""
        unconfirmed = "" if key == self.fingerprint else self.run
        versions = json.dumps(dict(self.versions))
        connection.execute(_PUT_MODEL, (key, self.model, versions, unconfirmed, *self.label))
        return int(connection.execute("SELECT id FROM models WHERE key = ?", (key,)).fetchone()[0])

    def _put_packed(
        self, connection: sqlite3.Connection, packed: Sequence[tuple[Query, tuple[bytes, str, str, str]]]
    ) -> None:
        connection.execute("INSERT OR IGNORE INTO runs (name) VALUES (?)", (self.run,))
        (run,) = connection.execute("SELECT id FROM runs WHERE name = ?", (self.run,)).fetchone()
        model, now = self._model_id(connection, self._put_under), int(time.time())
        put_questions(connection, [query for query, _ in packed])
        connection.executemany(_PUT, [(model, query.key, run, now, *row) for query, row in packed])

    def _known(self, keys: Iterable[str]) -> dict[str, Answer]:
        """Return the kept answers that this run may use; delete rows that cannot be read."""
        known: dict[str, Answer] = {}
        asked = set(keys)
        for file in reversed(self._files):
            left = {key for key in asked if key not in known or known[key].error}
            found = self._known_in(file, left)
            known |= {key: answer for key, answer in found.items() if key not in known or not answer.error}
        return known

    def _known_in(self, file: StoreFile, keys: Iterable[str]) -> dict[str, Answer]:
        known: dict[str, Answer] = {}
        damaged, no_numbers = set(), set()
        for key, run, *kept in file.rows(f"{_ANSWERS} {_AMONG}", self._among(keys)):
            answer = unpack(kept)
            if answer is None:
                damaged.add(key)
            elif run != self.run and not all(map(math.isfinite, answer.values)):
                no_numbers.add(key)
            elif run == self.run or not answer.error:
                known[key] = answer
        self._discard(file, damaged, "cannot be read")
        self._discard(file, no_numbers, "are no numbers, unless the model answered so,")
        return known

    def _among(self, keys: Iterable[str]) -> tuple[str, str, str]:
        """Return the parameters of `_AMONG`."""
        return self.fingerprint, self._put_under, json.dumps(list(keys))

    def _discard(self, file: StoreFile, keys: Collection[str], why: str) -> None:
        """Delete damaged answers, so that they are asked again, and warn of it."""
        if not keys:
            return
        with suppress(UnwritableStore), file.transaction() as connection:  # else the new answers go to another file
            connection.execute(f"DELETE {_AMONG}", self._among(keys))
        self._say_damaged(file, f"{len(keys)} of its answers {why} and are asked again")

    def _say_damaged(self, file: StoreFile, what: str) -> None:
        """Report damaged rows; `what` says which, and what is done about it."""
        self._tell(DamagedStore(f"{file.named}: the store is damaged: {what}."))


def put_questions(connection: sqlite3.Connection, queries: Sequence[Query]) -> None:
    """Keep what is asked by some queries, within a transaction: picture, edits, text and words, each text once.

    Args:
        connection: the store.
        queries: the queries; those that are kept already are not changed.
    """
    shown = {query.picture.key: _shown(query.picture) for query in queries}
    asked = [_asked(query) for query in queries]
    texts = {text for _, *row in shown.values() for text in row} | {text for _, *row in asked for text in row}
    connection.executemany("INSERT OR IGNORE INTO texts (text) VALUES (?)", [(text,) for text in sorted(texts)])
    connection.executemany(_PUT_SHOWN, [(key, *row) for key, row in shown.items()])
    rows = [(query.key, metric, query.picture.key, *row) for query, (metric, *row) in zip(queries, asked, strict=True)]
    connection.executemany(_PUT_QUESTION, rows)


def _shown(picture: Picture) -> tuple[str, str, str]:
    """Return a picture's source, the place that it is stored in, and its edits."""
    edits = json.dumps([json.loads(identity(edit)) for edit in picture.edits])
    return picture.source.key, storable(str(getattr(picture.source, "place", ""))), edits


def _asked(query: Query) -> tuple[str, str, str, str]:
    """Return a query's metric, text, words and wording."""
    return query.metric, storable(query.text), storable(json.dumps(query.words)), storable(query.wording)
