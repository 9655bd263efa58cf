from __future__ import annotations

import multiprocessing
import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.store_kills import SCHEMA_1
from tests.scoring.counting import photograph
from vlcheck.errors import UsageError
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.query import Query
from vlcheck.scoring.store import ScoreStore
from vlcheck.scoring.stores.reader import StoreReader
from vlcheck.scoring.stores.rows import pack
from vlcheck.scoring.stores.store_file import StoreFile, UnwritableStore

SPAWN = multiprocessing.get_context("spawn")
NOBODY = 65534
ANSWERS = "SELECT count(*) FROM answers JOIN models ON models.id = answers.model"


@pytest.fixture
def query(tmp_path: Path) -> Query:
    return Query("mlm", photograph(tmp_path, 1), "a [MASK]", ("dog", "cat"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "own").mkdir()
    return tmp_path / "own" / "scores.db"


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_a_store_of_an_earlier_schema_is_read_and_stays_one(path: Path, query: Query, mode: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode = {mode}")
        with connection:
            for statement in SCHEMA_1:
                connection.execute(statement)
            row = ("a model", query.key, "a run", *pack(Answer((0.1, 0.2))))
            connection.execute("INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    before = path.read_bytes()

    with closing(StoreReader(path)) as store:
        assert store.rows(ANSWERS) == [(1,)]

    assert path.read_bytes() == before
    assert not path.with_name(f"{path.name}.lock").exists()


def test_what_a_run_has_just_put_is_read_and_nothing_can_be_written(path: Path, query: Query) -> None:
    with ScoreStore(path, "model") as running:
        running.put([(query, Answer((0.1, 0.2)))])
        before = path.read_bytes()  # the answer is in the log
        with closing(StoreReader(path)) as store:
            assert store.rows(ANSWERS) == [(1,)]
            with pytest.raises(UnwritableStore, match="readonly"):
                store.rows("DELETE FROM answers")
        assert path.read_bytes() == before


def read_by_nobody(path: Path, said: str) -> None:
    if os.getuid() == 0:  # permissions do not bind root
        os.setuid(NOBODY)
    with closing(StoreReader(path)) as store:
        Path(said).write_text(str(store.rows(ANSWERS)))


def test_a_store_in_a_folder_that_is_read_only_is_read(query: Query) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryDirectory() as other,
    ):  # pytest's are closed to others
        path, said = Path(folder) / "scores.db", Path(other) / "said"
        with ScoreStore(path, "model") as store:
            store.put([(query, Answer((0.1, 0.2)))])
        path.chmod(0o444)
        Path(folder).chmod(0o555)
        Path(other).chmod(0o777)
        process = SPAWN.Process(target=read_by_nobody, args=(path, str(said)))
        process.start()
        process.join(60)
        assert said.read_text() == "[(1,)]"
        Path(folder).chmod(0o755)


def test_an_empty_file_has_no_answers_and_stays_empty(path: Path) -> None:
    path.touch()
    with closing(StoreReader(path)) as store:
        assert store.rows(ANSWERS) == [(0,)]
    assert path.read_bytes() == b""


@pytest.mark.parametrize(
    ("version", "said"), [("user_version = 99", "a store of schema 99"), ("application_id = 7", "not")]
)
def test_what_is_no_store_of_ours_is_refused(path: Path, version: str, said: str) -> None:
    StoreFile(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA {version}")
    with pytest.raises(UsageError, match=said):
        StoreReader(path)
