"""The score store: answers and thumbnails in an SQLite file that several processes share."""

from __future__ import annotations

import json
import math
import sqlite3
import struct
import uuid
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from filelock import FileLock

from vlcheck._util import installed, temporary
from vlcheck._util.foreign_files import fault
from vlcheck._util.hashing import digest
from vlcheck.errors import UsageError, argument, parameter, spelled
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.query import Query
from vlcheck.metrics.registry import METRICS

SCHEMA = 1
_SQLITE = b"SQLite format 3\0"
_APPLICATION = int.from_bytes(b"vlck")
_PATIENCE = 60.0  # seconds that a process waits for another one's transaction
_TABLES = (
    """CREATE TABLE answers (
        fingerprint TEXT, query TEXT, run TEXT, scores BLOB, top TEXT, unasked TEXT, error TEXT,
        PRIMARY KEY (fingerprint, query)) WITHOUT ROWID""",
    "CREATE TABLE pictures (key TEXT PRIMARY KEY, sha256 TEXT, jpeg BLOB)",
)
# Not part of the schema: it is added to stores of earlier versions, and an older vlcheck ignores it.
_INSTALLED = "CREATE TABLE IF NOT EXISTS installed (fingerprint TEXT, model TEXT, versions TEXT, UNIQUE (fingerprint))"
_PUT_VERSIONS = "INSERT OR IGNORE INTO installed VALUES (?, ?, ?)"
_BEFORE = """SELECT versions FROM installed WHERE model = ? AND fingerprint != ?
    AND EXISTS (SELECT 1 FROM answers WHERE answers.fingerprint = installed.fingerprint)
    ORDER BY rowid DESC LIMIT 1"""
_AMONG = "FROM answers WHERE fingerprint IN (?, ?) AND query IN (SELECT value FROM json_each(?))"
_CONFIRM = """UPDATE OR REPLACE answers SET fingerprint = ?
    WHERE fingerprint = ? AND error = '' AND query IN (SELECT value FROM json_each(?))"""
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_JPEG = (b"\xff\xd8", b"\xff\xd9")  # the first and last bytes of a JPEG file
_PUT = """INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET
        run = excluded.run, scores = excluded.scores, top = excluded.top,
        unasked = excluded.unasked, error = excluded.error
    WHERE excluded.error = '' OR answers.error != ''"""
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


class DamagedStore(UserWarning):
    """A warning about unreadable rows of a store: answers are asked again, small copies of pictures drawn again."""


def warn_of_damage(said: str) -> None:
    """Give a DamagedStore warning, also if the run turns warnings into errors: it goes on."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(spelled(said), DamagedStore, stacklevel=4)


class ScoreStore:
    """A store of one model's answers, for one set of installed versions.

    It is a context manager, and a container of the keys of answered queries. Answers under other versions stay in the
    file and are not used. Values, and reasons why a question makes no sense, are kept for later runs. Errors are kept
    for the current run only: the next run asks again. It also asks again if an answer is not a finite number or its row
    is damaged, and gives a DamagedStore warning. The file has to be on a local disk, since SQLite's write-ahead log
    needs shared memory.

    Answers of a model that may become another one are provisional: they are for the current run only until they are
        confirmed. Unconfirmed ones stay in the file and are not used by later runs.

    Args:
        path: the file; it and its folder are created if they are missing.
        fingerprint: the model's fingerprint; each answer is kept under it together with the versions.
        run: an id that the processes of one run have in common, so that they share errors; a new one if empty.
        versions: versions of all other software that determines a score; the installed ones if None.
        provisional: whether answers have to be confirmed.
        in_scratch: whether the file is in a temporary folder: messages then name TMPDIR in place of the parameter.
        on_damage: called with a message about unreadable rows.

    Raises:
        UsageError: here and in each method, if the file is not a store, has another schema, cannot be read or written,
            or the disk is full.
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
        on_damage: Callable[[str], None] = warn_of_damage,
    ) -> None:
        self.path = path
        self._named = f"{temporary.where()}: {path}" if in_scratch else argument("store", path)
        self._cure = f"Let TMPDIR name a folder, or {parameter('store')} a file," if in_scratch else "Name a file"
        self._on_damage = on_damage
        self.model = fingerprint
        self.run = run or uuid.uuid4().hex
        with self._speaking_clearly():
            self._refuse_others()
            path.parent.mkdir(parents=True, exist_ok=True)
            # Several processes may find the file missing; SQLite does not wait while another one switches to WAL.
            with FileLock(f"{path}.lock", timeout=_PATIENCE):
                self._connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
                self._connection.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
                try:
                    self._prepare()
                except BaseException:
                    self._connection.close()
                    raise
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
        with self._speaking_clearly():
            self._connection.close()

    def get(self, query: Query) -> Answer | None:
        """Return the answer to a query, or None."""
        return self.get_many([query]).get(query.key)

    def get_many(self, queries: Iterable[Query]) -> dict[str, Answer]:
        """Return the kept answers, by the queries' keys."""
        asked = {query.key: query for query in queries}
        known = self._known(asked)
        wrong = {key for key, answer in known.items() if not _answers(answer, asked[key])}
        self._discard(wrong, "cannot be read")
        return {key: answer for key, answer in known.items() if key not in wrong}

    def missing(self, keys: Iterable[str]) -> set[str]:
        """Return the keys of the queries that have no answer yet."""
        asked = set(keys)
        return asked - self._known(asked).keys()

    def superseded(self) -> str:
        """Return a message if all kept answers of the model are of other versions than the installed ones; else ""."""
        with self._transaction():
            self._connection.execute(_INSTALLED)
            row = self._connection.execute(_BEFORE, (self.model, self.fingerprint)).fetchone()
            if self._holds(self.fingerprint) or not (row or self._holds(self.model)):
                return ""
        changed = "; ".join(installed.version_changes(_versions(row[0]), self.versions)) if row else ""
        what = changed or "an older vlcheck did not record which"
        return f"{self._named}: its scores of this model are of other versions, and asked again: {what}"

    def put(self, answers: Iterable[tuple[Query, Answer]]) -> None:
        """Keep answers, all or none of them. An error never replaces a value."""
        rows = [(self._put_under, query.key, self.run, *_pack(answer)) for query, answer in answers]
        with self._transaction():
            self._connection.execute(_INSTALLED)
            self._connection.execute(_PUT_VERSIONS, (self.fingerprint, self.model, json.dumps(dict(self.versions))))
            self._connection.executemany(_PUT, rows)

    def confirm(self, keys: Iterable[str]) -> None:
        """Keep provisional answers for later runs, too.

        Args:
            keys: the keys of the queries.
        """
        with self._transaction():
            self._connection.execute(_CONFIRM, (self.fingerprint, self._put_under, json.dumps(list(keys))))

    def keep_picture(self, key: str, sha256: str, jpeg: bytes = b"") -> None:
        """Keep the record of a picture. An empty thumbnail never replaces a kept one.

        Args:
            key: the picture's key.
            sha256: digest of its pixels.
            jpeg: a small copy, or b"".
        """
        with self._transaction():
            self._connection.execute(_PUT_PICTURE, (key, sha256, jpeg))

    def pictures(self, key: str) -> Thumbnail | None:
        """Return the record of the picture with this key, or None; with no small copy if the kept one is damaged."""
        with self._speaking_clearly():
            row = self._connection.execute("SELECT sha256, jpeg FROM pictures WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        sha256, jpeg = row
        sound = isinstance(sha256, str) and sha256.isascii() and isinstance(jpeg, bytes)
        if sound and (not jpeg or _is_jpeg(jpeg)):
            return Thumbnail(sha256, jpeg)
        self._say_damaged("a small copy of a picture cannot be read, and is drawn again if it is wanted")
        return Thumbnail("", b"")

    def _holds(self, fingerprint: str) -> bool:
        select = "SELECT 1 FROM answers WHERE fingerprint = ? LIMIT 1"
        return self._connection.execute(select, (fingerprint,)).fetchone() is not None

    def _known(self, keys: Iterable[str]) -> dict[str, Answer]:
        """Return the kept answers that this run may use; delete rows that cannot be read."""
        select = f"SELECT query, run, scores, top, unasked, error {_AMONG}"
        with self._speaking_clearly():
            rows = self._connection.execute(select, self._among(keys)).fetchall()
        known: dict[str, Answer] = {}
        damaged, no_numbers = set(), set()
        for key, run, *kept in rows:
            answer = _unpack(kept)
            if answer is None:
                damaged.add(key)
            elif run != self.run and not all(map(math.isfinite, answer.values)):
                no_numbers.add(key)
            elif run == self.run or not answer.error:
                known[key] = answer
        self._discard(damaged, "cannot be read")
        self._discard(no_numbers, "are no numbers, unless the model answered so,")
        return known

    def _among(self, keys: Iterable[str]) -> tuple[str, str, str]:
        """Return the parameters of `_AMONG`."""
        return self.fingerprint, self._put_under, json.dumps(list(keys))

    def _discard(self, keys: Collection[str], why: str) -> None:
        """Delete damaged answers, so that they are asked again, and warn of it."""
        if not keys:
            return
        with self._transaction():
            self._connection.execute(f"DELETE {_AMONG}", self._among(keys))
        self._say_damaged(f"{len(keys)} of its answers {why} and are asked again")

    def _say_damaged(self, what: str) -> None:
        """Report damaged rows; `what` says which, and what is done about it."""
        self._on_damage(f"{self._named}: the store is damaged: {what}.")

    def _refuse_others(self) -> None:
        """Raise UsageError if the path is another program's file, before a lock file is put beside it."""
        if self.path.exists():
            if why := fault(self.path):
                raise self._complaint(f"not a vlcheck store ({why}). Name another file")
            with self.path.open("rb") as file:
                start = file.read(len(_SQLITE))
            if start not in (b"", _SQLITE):
                raise self._complaint("not a vlcheck store. Name another file")

    def _prepare(self) -> None:
        if self._pragma("application_id") == 0 and self._pragma("schema_version") == 0:
            self._create()
        if self._pragma("application_id") != _APPLICATION:
            raise self._complaint("an SQLite file, but not a vlcheck store. Name another file")
        found = self._pragma("user_version")
        if found != SCHEMA:
            raise self._complaint(
                f"a store of schema {found}, and this vlcheck reads schema {SCHEMA}. Delete it, or name another file"
            )
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")

    def _create(self) -> None:
        with self._transaction():
            for table in _TABLES:
                self._connection.execute(table)
            self._connection.execute(f"PRAGMA application_id = {_APPLICATION}")
            self._connection.execute(f"PRAGMA user_version = {SCHEMA}")

    def _pragma(self, name: str) -> int:
        return int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._speaking_clearly(), self._connection:  # commits, or rolls back
            self._connection.execute("BEGIN IMMEDIATE")
            yield

    @contextmanager
    def _speaking_clearly(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
                cure = "The store is damaged: delete it, and its scores are asked again"
            else:
                cure = f"{self._cure} on a local disk that can be written and has room"
            raise UsageError(f"{self._named}: {error}. {cure}.") from error

    def _complaint(self, what: str) -> UsageError:
        return UsageError(f"{self._named}: this is {what}.")


def _pack(answer: Answer) -> tuple[bytes, str, str, str]:
    # As bytes, since SQLite turns the number NaN into NULL.
    scores = struct.pack(f"<{len(answer.values)}d", *answer.values)
    return scores, json.dumps(answer.top), _storable(answer.unasked), _storable(answer.error)


def _storable(message: str) -> str:
    # A message may name a path with bytes that are no valid text, which SQLite refuses.
    return message.encode(errors="backslashreplace").decode()


def _unpack(kept: Sequence[Any]) -> Answer | None:
    """Return the answer in a row's columns scores, top, unasked and error; None if the row is damaged."""
    scores, top, unasked, error = kept
    if not isinstance(scores, bytes) or len(scores) % 8 or not all(isinstance(one, str) for one in kept[1:]):
        return None
    values = struct.unpack(f"<{len(scores) // 8}d", scores)
    if any(math.isfinite(value) and not 0 <= value <= 1 for value in values):
        return None
    try:
        "".join((top, unasked, error)).encode()  # fails on surrogates, which stand for bytes that are no text
        words = tuple((str(word), float(score)) for word, score in json.loads(top))
    except (ValueError, TypeError, RecursionError):
        return None
    return Answer(values, words, unasked, error)


def _answers(answer: Answer, query: Query) -> bool:
    """Return True if an answer has as many values as the query asks for, or says why it has none."""
    if answer.unasked or answer.error:
        return True
    return len(answer.values) == METRICS[query.metric].n_values(query)


def _is_jpeg(content: bytes) -> bool:
    return content.startswith(_JPEG[0]) and content.endswith(_JPEG[1])


def _versions(kept: object) -> Mapping[str, str]:
    """Return the versions in a row; an empty mapping if it is damaged."""
    try:
        found = json.loads(kept) if isinstance(kept, str) else {}
    except ValueError:
        found = {}
    return {str(name): str(one) for name, one in found.items()} if isinstance(found, dict) else {}
