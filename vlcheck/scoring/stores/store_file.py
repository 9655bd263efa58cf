"""The SQLite file of a score store: it is opened, created, brought to this schema, locked and written here."""

from __future__ import annotations

import errno
import os
import sqlite3
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout

from vlcheck._util import temporary
from vlcheck._util.foreign_files import fault
from vlcheck._util.network_disks import network_disk
from vlcheck._util.numbers import duration
from vlcheck._util.warning_filters import filtering
from vlcheck.errors import UsageError, argument, parameter, spelled
from vlcheck.scoring.stores.schema import APPLICATION, READ, SCHEMA, create_tables, migrate

_T = TypeVar("_T")
_SQLITE = b"SQLite format 3\0"
_HEADER = 100  # bytes
_COOKIE, _VERSION, _OURS = slice(40, 44), slice(60, 64), slice(68, 72)  # numbers in the header, big-endian
PATIENCE = 60.0  # seconds that a process waits for another one's lock
_SILENT = 2.0  # seconds of that in which nothing is said; between two tries an interrupt is heard
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_FULL = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR_WRITE,  # also beyond a quota, or the largest size of a file
        sqlite3.SQLITE_IOERR_FSYNC,
        sqlite3.SQLITE_IOERR_TRUNCATE,
        sqlite3.SQLITE_IOERR_SHMSIZE,
    }
)
_UNWRITABLE = frozenset(
    {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL}
)
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class DamagedStore(UserWarning):
    """A warning about unreadable rows of a store: answers are asked again, small copies of pictures drawn again."""


class WaitingForStore(UserWarning):
    """A warning that another process holds a store, and that this one waits for it."""


class StoreOnNetworkDisk(UserWarning):
    """A warning that a store is on a network disk, on which several machines would damage it."""


class StoreNotKept(UserWarning):
    """A warning that a store takes no more answers, and that the run goes on without keeping them in it."""


class UnwritableStore(UsageError):
    """The error of a store that cannot be written now."""


class FullStore(UnwritableStore):
    """The error of a store whose disk is full."""


Tell = Callable[[UserWarning], None]


def warn_of_store(said: UserWarning) -> None:
    """Give a warning about a store, also if the run turns warnings into errors: it goes on."""
    with filtering("always"):
        # Of no line: what a reader does about it is nothing that a line of source would tell.
        warnings.warn_explicit(type(said)(spelled(str(said))), None, "<vlcheck>", 1)


class StoreFile:
    """An open store: statements are executed here, and their errors are translated.

    Args:
        path: the file; it and its folder are created if they are missing. None for a store in memory.
        in_scratch: whether the file is in a temporary folder: messages then name TMPDIR in place of the parameter.
        named: the name of the file in messages, if it is not that of the parameter `store`.
        tell: called with warnings.

    Attributes:
        path: the file; None in memory.

    Raises:
        UsageError: here and in each method, if the file is not a store, has another schema or is damaged.
        UnwritableStore: here and in each method, if the file cannot be read or written now, or another process holds
            it for too long; a FullStore if the disk is full.
    """

    def __init__(
        self, path: Path | None, *, in_scratch: bool = False, named: str = "", tell: Tell = warn_of_store
    ) -> None:
        self.path = path
        self.named = named or (f"{temporary.where()}: {path}" if in_scratch else argument("store", path))
        self._cure = f"Let TMPDIR name a folder, or {parameter('store')} a file," if in_scratch else "Name a file"
        self._tell = tell
        with self._speaking_clearly():
            self._connection = self._open(path) if path else connected(":memory:")
            if not path:
                with self._connection:
                    create_tables(self._connection)

    def close(self) -> None:
        """Close the file; all that was written is kept."""
        with self._speaking_clearly():
            self._connection.close()

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a SELECT.

        Args:
            statement: the SELECT.
            parameters: its parameters.
        """
        with self._speaking_clearly():
            return self._patiently(lambda: self._connection.execute(statement, parameters).fetchall())

    def row(self, statement: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """Return the first row of a SELECT, or None; see `rows`.

        Args:
            statement: the SELECT.
            parameters: its parameters.
        """
        return next(iter(self.rows(statement, parameters)), None)

    def stream(self, statement: str, parameters: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a SELECT as they are read; see `rows`.

        Args:
            statement: the SELECT.
            parameters: its parameters.
        """
        with self._speaking_clearly():
            yield from self._connection.execute(statement, parameters)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection for statements of which all take effect, or none."""
        with self._speaking_clearly(), self._begun(self._connection):
            yield self._connection

    @contextmanager
    def beside(self, place: str, views: Iterable[str]) -> Iterator[None]:
        """Attach another store under the name "other" while a block runs.

        Args:
            place: the other store, as a URI or a path.
            views: statements that create temporary views over both.
        """
        with self._speaking_clearly():
            self._connection.execute("ATTACH DATABASE ? AS other", (place,))
            try:
                for view in views:
                    self._connection.execute(view)
                yield
            finally:
                for (name,) in self._connection.execute("SELECT name FROM sqlite_temp_master").fetchall():
                    self._connection.execute(f"DROP VIEW temp.{name}")
                self._connection.execute("DETACH DATABASE other")

    @contextmanager
    def alone(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection for statements outside of transactions, while no other process has the file open.

        Raises:
            UsageError: another process has it open.
        """
        with self._speaking_clearly(), self._lock(Path(str(self.path))):
            try:
                (mode,) = self._connection.execute("PRAGMA journal_mode = DELETE").fetchone()
            except sqlite3.OperationalError as error:
                if not _is_busy(error):
                    raise
                mode = "wal"
            if mode != "delete":
                raise UsageError(f"{self.named}: another process uses it. Wait for it to end; nothing was changed.")
            try:
                yield self._connection
            finally:
                self._connection.execute("PRAGMA journal_mode = WAL")

    def _open(self, path: Path) -> sqlite3.Connection:
        self._refuse_others(path)
        if path.exists() and not os.access(path, os.W_OK):
            raise UnwritableStore(f"{self.named}: it is read-only. {self._cure} that can be written.")
        if kind := network_disk(path):
            self._tell(
                StoreOnNetworkDisk(
                    f"{self.named}: is on a network disk ({kind}), where one machine at a time may use it. Several"
                    f" machines take a store each: {parameter('shard')}, then vlcheck merge."
                )
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        # Several processes may find the file missing; SQLite does not wait while another one switches to WAL.
        with self._lock(path):
            connection = connected(str(path.absolute()), uri=True)  # so that others can be attached by a URI
            try:
                self._prepare(connection, int(path.stat().st_mtime))
            except BaseException:
                connection.close()
                raise
        return connection

    @contextmanager
    def _lock(self, path: Path) -> Iterator[None]:
        lock = FileLock(f"{path}.lock", timeout=_SILENT)
        self._patiently(lock.acquire)
        try:
            yield
        finally:
            lock.release()

    def _refuse_others(self, path: Path) -> None:
        """Raise UsageError if the path is another program's file or a later store, before anything is put beside it."""
        if not path.exists():
            return
        if why := fault(path):
            raise self._complaint(f"not a vlcheck store ({why}). Name another file")
        with path.open("rb") as file:
            header = file.read(_HEADER)
        if not header:
            return
        if len(header) < _HEADER or not header.startswith(_SQLITE):
            raise self._complaint("not a vlcheck store. Name another file")
        cookie, version, ours = (int.from_bytes(header[part]) for part in (_COOKIE, _VERSION, _OURS))
        self._demand_ours(cookie, version, ours)

    def _demand_ours(self, cookie: int, version: int, application: int) -> None:
        """Raise UsageError unless a file is a store that this vlcheck reads, or has no tables at all.

        Args:
            cookie: SQLite's schema_version, 0 in a file without tables.
            version: its user_version, the schema of a store.
            application: its application_id.
        """
        if application == cookie == 0:
            return
        if application != APPLICATION:
            raise self._complaint("an SQLite file, but not a vlcheck store. Name another file")
        if version not in READ:
            known = " and ".join(map(str, READ))
            raise self._complaint(
                f"a store of schema {version}, and this vlcheck reads schemas {known}. It is left as it is: use the"
                " vlcheck that wrote it, or name another file"
            )

    def _demand_readable(self, connection: sqlite3.Connection) -> tuple[bool, int]:
        """Return whether a file has no tables yet, and its schema; raise UsageError unless this vlcheck reads that."""
        names = ("schema_version", "user_version", "application_id")
        cookie, version, application = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names)
        self._demand_ours(cookie, version, application)
        return not cookie, version if cookie else SCHEMA

    def _prepare(self, connection: sqlite3.Connection, written: int) -> None:
        """Create what is missing, and see that the file can be written; `written` is the time of its last change."""
        is_empty, version = self._demand_readable(connection)
        if is_empty:
            with self._begun(connection):
                create_tables(connection)
        self._patiently(lambda: connection.execute("PRAGMA journal_mode = WAL"))
        connection.execute("PRAGMA synchronous = NORMAL")
        with self._begun(connection):  # also where there is nothing to do: it fails if the file is read-only
            if version < SCHEMA:
                migrate(connection, written)
        if version < SCHEMA:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # so that the header has the schema, too

    @contextmanager
    def _begun(self, connection: sqlite3.Connection) -> Iterator[None]:
        with connection:  # commits, or rolls back
            self._patiently(lambda: connection.execute("BEGIN IMMEDIATE"))
            yield

    def _patiently(self, attempt: Callable[[], _T]) -> _T:
        """Attempt something until no other process is in the way, for a limited time; say so after a while."""
        deadline, said = time.monotonic() + PATIENCE, False
        while True:
            try:
                return attempt()
            except (Timeout, sqlite3.OperationalError) as error:
                if not _is_busy(error) or time.monotonic() >= deadline:
                    raise
                if not said:
                    self._tell(
                        WaitingForStore(
                            f"{self.named}: another process holds it; waiting, {duration(PATIENCE)} at most."
                        )
                    )
                said = True

    @contextmanager
    def _speaking_clearly(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise self._translated(error) from error

    def _translated(self, error: sqlite3.Error | OSError) -> UsageError:
        code = getattr(error, "sqlite_errorcode", 0)
        if code & 0xFF in _DAMAGED:
            return UsageError(
                f"{self.named}: {error}. The store is damaged: delete it, and its scores are asked again."
            )
        if _is_busy(error):
            return UnwritableStore(
                f"{self.named}: another process has held it for {duration(PATIENCE)}. Wait for it to end, or name"
                " another file."
            )
        if code in _FULL or getattr(error, "errno", 0) in _NO_ROOM:
            return FullStore(f"{self.named}: there is no room left on its disk ({error}).")
        said = f"{self.named}: {error}. {self._cure} on a local disk that can be written and has room."
        return UnwritableStore(said) if code & 0xFF in _UNWRITABLE or isinstance(error, OSError) else UsageError(said)

    def _complaint(self, what: str) -> UsageError:
        return UsageError(f"{self.named}: this is {what}.")


def connected(place: str, *, uri: bool = False) -> sqlite3.Connection:
    """Return a connection without implicit transactions, that reads all text.

    Args:
        place: the file, or a name that SQLite has for another place.
        uri: whether `place` is a URI.
    """
    connection = sqlite3.connect(place, timeout=_SILENT, isolation_level=None, uri=uri)
    connection.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
    return connection


def _is_busy(error: Exception) -> bool:
    """Return True if another process holds what was to be locked."""
    return isinstance(error, Timeout) or getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
