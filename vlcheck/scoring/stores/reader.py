"""A score store that is only read: neither its content nor its schema changes."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from vlcheck.scoring.stores.schema import SCHEMA, create_tables, migrate
from vlcheck.scoring.stores.store_file import StoreFile, connected

_IN_A_FILE = ""  # SQLite's name for a database in a temporary file, which ends with its connection


class StoreReader(StoreFile):
    """A store for statements that only read; it may be read-only, in a folder that is, or in use.

    A store of an earlier schema stays one: a copy of it is brought to this schema, and read.
    """

    _uri = ""  # of the file, if its schema is this one

    @contextmanager
    def place(self) -> Iterator[str]:
        """Yield the place, as a URI or a path, from which another connection reads the same: a copy of one."""
        if self._uri:
            yield self._uri
            return
        with TemporaryDirectory() as folder, self._speaking_clearly():
            copy = Path(folder) / "store.sqlite"
            with closing(connected(str(copy))) as connection:
                self._connection.backup(connection)
            yield str(copy)

    def _open(self, path: Path) -> sqlite3.Connection:
        self._refuse_others(path)
        uri = f"{path.absolute().as_uri()}?{_how(path)}"
        connection = connected(uri, uri=True)
        try:
            is_empty, version = self._demand_readable(connection)
            if not is_empty and version == SCHEMA:
                self._uri = uri
                return connection
            with closing(connection):
                return _without_tables() if is_empty else _copied(connection, int(path.stat().st_mtime))
        except BaseException:
            connection.close()
            raise


def _how(path: Path) -> str:
    """Return how SQLite opens a file for reading.

    It cannot put its locks into a folder that is read-only, and no writer can: without the log of a process that was
    killed, the file does not change.
    """
    still = not os.access(path.parent, os.W_OK) and not path.with_name(f"{path.name}-wal").exists()
    return "immutable=1" if still else "mode=ro"


def _without_tables() -> sqlite3.Connection:
    """Return a store without answers, in the place of an empty file."""
    store = connected(_IN_A_FILE)
    create_tables(store)
    return store


def _copied(connection: sqlite3.Connection, written: int) -> sqlite3.Connection:
    """Return a copy of a store of an earlier schema, in this schema.

    Args:
        connection: the store.
        written: time of the last change of its file, in seconds since 1970.
    """
    copy = connected(_IN_A_FILE)
    connection.backup(copy)
    with copy:
        copy.execute("BEGIN")
        migrate(copy, written)
    return copy
