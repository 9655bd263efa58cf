"""Answers and thumbnails, kept in an SQLite file that several processes share."""

from __future__ import annotations

import json
import math
import sqlite3
import struct
import uuid
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
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
# Not of the schema: a store of before gets it, and an older vlcheck does not look at it.
_INSTALLED = "CREATE TABLE IF NOT EXISTS installed (fingerprint TEXT, model TEXT, versions TEXT, UNIQUE (fingerprint))"
_PUT_VERSIONS = "INSERT OR IGNORE INTO installed VALUES (?, ?, ?)"
_BEFORE = """SELECT versions FROM installed WHERE model = ? AND fingerprint != ?
    AND EXISTS (SELECT 1 FROM answers WHERE answers.fingerprint = installed.fingerprint)
    ORDER BY rowid DESC LIMIT 1"""
_AMONG = "FROM answers WHERE fingerprint = ? AND query IN (SELECT value FROM json_each(?))"
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_JPEG = (b"\xff\xd8", b"\xff\xd9")  # as such a file begins and ends
_PUT = """INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET
        run = excluded.run, scores = excluded.scores, top = excluded.top,
        unasked = excluded.unasked, error = excluded.error
    WHERE excluded.error = '' OR answers.error != ''"""
_PUT_PICTURE = """INSERT INTO pictures VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET sha256 = excluded.sha256, jpeg = excluded.jpeg WHERE length(excluded.jpeg) > 0"""


class Thumbnail(NamedTuple):
    """What is kept of a rendered picture.

    Attributes:
        sha256: digest of the pixels that the model was shown.
        jpeg: a small copy, or b"" where pictures are not to be kept.
    """

    sha256: str
    jpeg: bytes


class DamagedStore(UserWarning):
    """Rows of the store cannot be read: answers are asked again, small copies of pictures are drawn again."""


class ScoreStore:
    """Kept answers of one model under what is installed. A context manager; a container of the answered queries' keys.

    Answers of other versions stay in the file, and are no answers here. Values, and the reasons why a question makes no
    sense, outlive the run. Errors are kept for this run alone: the next one asks again. So it does with what is no
    number, and with rows that are damaged; a DamagedStore warning says so. The file has to be on a local disk: SQLite's
    write-ahead log needs shared memory.

    Args:
        path: the file; it and its folder are made where they are missing.
        fingerprint: the model's; part of each answer's key, with what is installed.
        run: what the processes of one run have in common, so that they share errors; a new one unless given.
        versions: of all else that decides a score; those that are installed unless given.
        in_scratch: the file is in a folder for temporary files: messages name TMPDIR, and not the parameter.

    Raises:
        UsageError: from here and from each method, where the file is not a store, is of another schema, cannot be
            read or written, or the disk is full.
    """

    def __init__(
        self,
        path: Path,
        fingerprint: str,
        *,
        run: str = "",
        versions: Mapping[str, str] | None = None,
        in_scratch: bool = False,
    ) -> None:
        self.path = path
        self._named = f"{temporary.where()}: {path}" if in_scratch else argument("store", path)
        self._cure = f"Let TMPDIR name a folder, or {parameter('store')} a file," if in_scratch else "Name a file"
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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and not self.missing([key])

    def close(self) -> None:
        """Close the file; what was put is kept."""
        with self._speaking_clearly():
            self._connection.close()

    def get(self, query: Query) -> Answer | None:
        """Return what is known of a query, or None."""
        return self.get_many([query]).get(query.key)

    def get_many(self, queries: Iterable[Query]) -> dict[str, Answer]:
        """Return what is known, by the query's key."""
        asked = {query.key: query for query in queries}
        known = self._known(asked)
        wrong = {key for key, answer in known.items() if not _answers(answer, asked[key])}
        self._discard(wrong, "cannot be read")
        return {key: answer for key, answer in known.items() if key not in wrong}

    def missing(self, keys: Iterable[str]) -> set[str]:
        """Return the keys of queries that are still to be asked."""
        asked = set(keys)
        return asked - self._known(asked).keys()

    def superseded(self) -> str:
        """Say that all kept answers of the model are of other versions than those of now; "" where that is not so."""
        with self._transaction():
            self._connection.execute(_INSTALLED)
            row = self._connection.execute(_BEFORE, (self.model, self.fingerprint)).fetchone()
            if self._holds(self.fingerprint) or not (row or self._holds(self.model)):
                return ""
        changed = "; ".join(installed.version_changes(_versions(row[0]), self.versions)) if row else ""
        what = changed or "an older vlcheck did not say of which"
        return f"{self._named}: its scores of this model are of other versions, and asked again: {what}"

    def put(self, answers: Iterable[tuple[Query, Answer]]) -> None:
        """Keep answers, all or none of them. An error never replaces a value."""
        rows = [(self.fingerprint, query.key, self.run, *_pack(answer)) for query, answer in answers]
        with self._transaction():
            self._connection.execute(_INSTALLED)
            self._connection.execute(_PUT_VERSIONS, (self.fingerprint, self.model, json.dumps(dict(self.versions))))
            self._connection.executemany(_PUT, rows)

    def keep_picture(self, key: str, sha256: str, jpeg: bytes = b"") -> None:
        """Keep what is shown of a picture. A missing thumbnail never replaces one that is there."""
        with self._transaction():
            self._connection.execute(_PUT_PICTURE, (key, sha256, jpeg))

    def pictures(self, key: str) -> Thumbnail | None:
        """Return what is kept of the picture with this key, or None; without a small copy where that is damaged."""
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
        """The kept answers that this run goes by; rows that it cannot read are dropped from the file."""
        select = f"SELECT query, run, scores, top, unasked, error {_AMONG}"
        with self._speaking_clearly():
            rows = self._connection.execute(select, (self.fingerprint, json.dumps(list(keys)))).fetchall()
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

    def _discard(self, keys: Collection[str], why: str) -> None:
        """Drop damaged answers, so that they are asked again, and say so."""
        if not keys:
            return
        with self._transaction():
            self._connection.execute(f"DELETE {_AMONG}", (self.fingerprint, json.dumps(list(keys))))
        self._say_damaged(f"{len(keys)} of its answers {why} and are asked again")

    def _say_damaged(self, what: str) -> None:
        """Warn of damage: which rows, and what becomes of them."""
        with warnings.catch_warnings():
            warnings.simplefilter("always")  # also where a run makes errors of warnings: it goes on
            warnings.warn(f"{spelled(self._named)}: the store is damaged: {what}.", DamagedStore, stacklevel=3)

    def _refuse_others(self) -> None:
        """Look before a lock is put beside what is not ours."""
        if self.path.exists():
            if why := fault(self.path):
                raise self._complaint(f"no store of vlcheck's ({why}). Name another file")
            with self.path.open("rb") as file:
                start = file.read(len(_SQLITE))
            if start not in (b"", _SQLITE):
                raise self._complaint("no store of vlcheck's. Name another file")

    def _prepare(self) -> None:
        if self._pragma("application_id") == 0 and self._pragma("schema_version") == 0:
            self._create()
        if self._pragma("application_id") != _APPLICATION:
            raise self._complaint("an SQLite file, but not a store of vlcheck's. Name another file")
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
    # As a number, SQLite would turn NaN to NULL.
    scores = struct.pack(f"<{len(answer.values)}d", *answer.values)
    return scores, json.dumps(answer.top), _storable(answer.unasked), _storable(answer.error)


def _storable(message: str) -> str:
    # The path of a file may hold bytes that are no text; SQLite takes none of those.
    return message.encode(errors="backslashreplace").decode()


def _unpack(kept: Sequence[Any]) -> Answer | None:
    """Read scores, top, unasked and error of a row; None where it is damaged."""
    scores, top, unasked, error = kept
    if not isinstance(scores, bytes) or len(scores) % 8 or not all(isinstance(one, str) for one in kept[1:]):
        return None
    values = struct.unpack(f"<{len(scores) // 8}d", scores)
    if any(math.isfinite(value) and not 0 <= value <= 1 for value in values):
        return None
    try:
        "".join((top, unasked, error)).encode()  # bytes that are no text came as surrogates
        words = tuple((str(word), float(score)) for word, score in json.loads(top))
    except (ValueError, TypeError, RecursionError):
        return None
    return Answer(values, words, unasked, error)


def _answers(answer: Answer, query: Query) -> bool:
    """Whether an answer has as many values as the query asks for, or says why it has none."""
    if answer.unasked or answer.error:
        return True
    return len(answer.values) == METRICS[query.metric].n_values(query)


def _is_jpeg(content: bytes) -> bool:
    return content.startswith(_JPEG[0]) and content.endswith(_JPEG[1])


def _versions(kept: object) -> Mapping[str, str]:
    """The versions of a row; none where it is damaged."""
    try:
        found = json.loads(kept) if isinstance(kept, str) else {}
    except ValueError:
        found = {}
    return {str(name): str(one) for name, one in found.items()} if isinstance(found, dict) else {}
