"""The tables of a score store, and how a store of an earlier schema becomes one of this schema."""

from __future__ import annotations

import sqlite3

APPLICATION = int.from_bytes(b"vlck")  # SQLite's application_id of a store
SCHEMA = 2
READ = (1, SCHEMA)  # the schemas that this vlcheck reads; an earlier one is brought to this one

# Texts are kept once: a caption, its words and an edit recur in many questions. `models` has a row for each set of
# versions and each precision of a model, and, of a model that may change, for each run whose answers are unconfirmed.
_PICTURES = "CREATE TABLE pictures (key TEXT PRIMARY KEY, sha256 TEXT, jpeg BLOB)"  # also in schema 1
_TABLES = (
    """CREATE TABLE models (
        id INTEGER PRIMARY KEY, key TEXT UNIQUE, fingerprint TEXT, versions TEXT, unconfirmed TEXT,
        name TEXT, precision TEXT)""",
    "CREATE TABLE runs (id INTEGER PRIMARY KEY, name TEXT UNIQUE)",
    """CREATE TABLE answers (
        model INTEGER, query TEXT, run INTEGER, kept INTEGER, scores BLOB, top TEXT, unasked TEXT, error TEXT,
        PRIMARY KEY (model, query)) WITHOUT ROWID""",
    "CREATE TABLE texts (id INTEGER PRIMARY KEY, text TEXT UNIQUE)",
    """CREATE TABLE shown (
        id INTEGER PRIMARY KEY, key TEXT UNIQUE, source TEXT, place INTEGER, edits INTEGER)""",
    """CREATE TABLE questions (
        query TEXT PRIMARY KEY, metric TEXT, picture INTEGER, text INTEGER, words INTEGER, wording INTEGER)
        WITHOUT ROWID""",
    """CREATE TABLE shards (
        model INTEGER, asked TEXT, number INTEGER, count INTEGER, kept INTEGER, data TEXT,
        PRIMARY KEY (model, asked, number, count)) WITHOUT ROWID""",
)

# Schema 1 had no dates: its answers were kept before the file was last written. It named no model, and no question.
_FROM_1 = (
    """CREATE TABLE IF NOT EXISTS installed (
        fingerprint TEXT, model TEXT, versions TEXT, UNIQUE (fingerprint))""",
    "ALTER TABLE answers RENAME TO answers_1",
    *_TABLES,
    """INSERT INTO models (key, fingerprint, versions, unconfirmed, name, precision)
        SELECT was.fingerprint, coalesce(installed.model, ''), coalesce(installed.versions, ''), '', '', ''
        FROM (SELECT DISTINCT fingerprint FROM answers_1) AS was
        LEFT JOIN installed ON installed.fingerprint = was.fingerprint ORDER BY installed.rowid""",
    "INSERT INTO runs VALUES (0, '')",
    """INSERT INTO answers SELECT models.id, query, 0, :written, scores, top, unasked, error
        FROM answers_1 JOIN models ON models.key = answers_1.fingerprint""",
    "DROP TABLE answers_1",
    "DROP TABLE installed",
)


def create_tables(connection: sqlite3.Connection) -> None:
    """Create the tables in an empty file, within a transaction."""
    for statement in (*_TABLES, _PICTURES, f"PRAGMA application_id = {APPLICATION}", f"PRAGMA user_version = {SCHEMA}"):
        connection.execute(statement)


def migrate(connection: sqlite3.Connection, written: int) -> None:
    """Bring a store of schema 1 to this schema, within a transaction.

    Args:
        connection: the store.
        written: time of the last change of the file, in seconds since 1970.
    """
    for statement in _FROM_1:
        connection.execute(statement, {"written": written} if ":written" in statement else {})
    connection.execute(f"PRAGMA user_version = {SCHEMA}")
