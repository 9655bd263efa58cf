from __future__ import annotations

import multiprocessing
import os
import sqlite3
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from filelock import FileLock

from benchmarks.store_kills import SCHEMA_1
from tests.scoring.counting import photograph
from vlcheck._util import installed
from vlcheck._util.hashing import digest
from vlcheck.errors import UsageError
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.query import Query
from vlcheck.scoring.store import ModelLabel, ScoreStore
from vlcheck.scoring.stores import store_file
from vlcheck.scoring.stores.rows import pack
from vlcheck.scoring.stores.schema import SCHEMA
from vlcheck.scoring.stores.store_file import StoreFile, StoreOnNetworkDisk, UnwritableStore, WaitingForStore

SPAWN = multiprocessing.get_context("spawn")
NOBODY = 65534
VERSIONS = {"torch": "1"}


@pytest.fixture
def query(tmp_path: Path) -> Query:
    return Query("mlm", photograph(tmp_path, 1), "a [MASK]", ("dog", "cat"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A place in a folder of its own."""
    (tmp_path / "own").mkdir()
    return tmp_path / "own" / "scores.db"


def contents(path: Path) -> dict[str, bytes]:
    """The files of the store's folder."""
    return {one.name: one.read_bytes() for one in path.parent.iterdir()}


def later_schema(path: Path) -> None:
    ScoreStore(path, "model").close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    path.with_name(f"{path.name}.lock").unlink()


def foreign_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")  # which a reader would write beside it
        connection.execute("CREATE TABLE invoices (amount REAL)")


def no_database(path: Path) -> None:
    path.write_bytes(b"These are not the scores that you are looking for. " * 40)


@pytest.mark.parametrize("make", [later_schema, foreign_database, no_database])
def test_what_is_no_store_of_ours_is_left_as_it_is_with_nothing_beside(path: Path, make: Callable) -> None:
    make(path)
    before = contents(path)

    with pytest.raises(UsageError, match=r"^store=.*scores\.db: this is "):
        ScoreStore(path, "model")

    assert contents(path) == before


def schema_1(path: Path, rows: dict[str, tuple[Query, Answer]], model: str) -> None:
    """Write a store as a vlcheck of schema 1 did, with a row under each fingerprint."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in SCHEMA_1:
            connection.execute(statement)
        for fingerprint, (query, answer) in rows.items():
            row = (fingerprint, query.key, "a run", *pack(answer))
            connection.execute("INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        connection.execute("INSERT INTO installed VALUES (?, 'model', '{\"torch\": \"1\"}')", (model,))
        connection.execute("INSERT INTO pictures VALUES ('key', 'sha', x'ffd8ffd9')")


def test_a_store_of_schema_1_is_read_and_becomes_one_of_this_schema(path: Path, query: Query) -> None:
    other, key = Query("itm", query.picture, "a dog"), digest("model", installed.versions_key(VERSIONS))
    schema_1(path, {key: (query, Answer((0.1, 0.2))), "older": (other, Answer((0.3,)))}, key)
    os.utime(path, (1_000_000_000,) * 2)

    with ScoreStore(path, "model", versions=VERSIONS) as store:
        assert store.get_many([query, other]) == {query.key: Answer((0.1, 0.2))}
        assert store.pictures("key") == ("sha", b"\xff\xd8\xff\xd9")
        assert store.superseded() == ""
        assert store._opened[0].rows("SELECT DISTINCT kept FROM answers") == [(1_000_000_000,)]
    with ScoreStore(path, "model", versions={"torch": "2"}) as store:
        assert store.superseded().endswith("asked again: torch 1 before, 2 now")
    header = path.read_bytes()[:100]
    assert int.from_bytes(header[60:64]) == SCHEMA  # so that an older vlcheck, which reads the header, refuses it


def test_what_an_older_vlcheck_is_writing_is_brought_along_and_what_it_writes_later_is_refused(
    path: Path, query: Query
) -> None:
    """Schema 1 had answers of seven columns, which the older vlcheck goes on to write."""
    other, key = Query("itm", query.picture, "a dog"), digest("model", installed.versions_key(VERSIONS))
    schema_1(path, {key: (query, Answer((0.1, 0.2)))}, key)
    put = "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as older:
        older.execute("PRAGMA journal_mode = WAL")
        older.execute("BEGIN IMMEDIATE")
        older.execute(put, (key, other.key, "a run", *pack(Answer((0.3,)))))
        commit = threading.Timer(0.5, older.execute, ("COMMIT",))
        commit.start()

        with ScoreStore(path, "model", versions=VERSIONS) as store:  # waits for the older one
            commit.join()
            with pytest.raises(sqlite3.OperationalError, match="8 columns but 7 values"):
                older.execute(put, (key, "later", "a run", *pack(Answer((0.4,)))))
            assert store.get_many([query, other]) == {query.key: Answer((0.1, 0.2)), other.key: Answer((0.3,))}


def test_scores_of_before_versions_were_kept_are_asked_again_and_that_is_said(path: Path, query: Query) -> None:
    """The first vlcheck kept them under the model's fingerprint alone."""
    schema_1(path, {"model": (query, Answer((0.1, 0.2)))}, "another")
    with ScoreStore(path, "model", versions=VERSIONS) as store:
        assert store.get(query) is None
        assert store.superseded().endswith("asked again: an older vlcheck did not record which")
        store.put([(query, Answer((0.3, 0.4)))])
        assert store.get(query) == Answer((0.3, 0.4))


def test_what_was_asked_is_kept_each_text_once(path: Path, query: Query) -> None:
    label = ModelLabel("tiny", "float32")
    queries = [query, Query("mlm", photograph(path.parent, 2), query.text, query.words)]
    with ScoreStore(path, "model", versions=VERSIONS, label=label) as store:
        store.put((one, Answer((0.1, 0.2))) for one in queries)
        store.put([(query, Answer((0.1, 0.2)))])
        file = store._opened[0]
        assert file.rows("SELECT name, precision FROM models") == [("tiny", "float32")]
        assert file.rows("SELECT count(*) FROM questions") == file.rows("SELECT count(*) FROM shown") == [(2,)]
        assert file.rows("SELECT count(*) FROM texts WHERE text IN ('a [MASK]', '[\"dog\", \"cat\"]')") == [(2,)]


def hold(path: Path, held: str, seconds: float) -> None:
    """Hold a store as another program might, and say so in a file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        Path(held).touch()
        time.sleep(seconds)


@pytest.fixture
def holder(path: Path) -> Iterator[Callable[[float], None]]:
    """Starts a process that holds the store for some seconds."""
    ScoreStore(path, "model").close()
    started = []

    def start(seconds: float) -> None:
        held = path.with_name("held")
        process = SPAWN.Process(target=hold, args=(path, str(held), seconds))
        process.start()
        started.append(process)
        while not held.exists():
            time.sleep(0.01)

    yield start
    for process in started:
        process.kill()
        process.join()


def test_a_store_that_another_process_holds_is_waited_for_and_that_is_said(
    path: Path, query: Query, holder: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_file, "_SILENT", 0.1)
    with ScoreStore(path, "model") as store:
        holder(0.5)
        with pytest.warns(
            WaitingForStore, match=r"^store=.*: another process holds it; waiting, 1 minute at most\.$"
        ) as said:
            store.put([(query, Answer((0.1, 0.2)))])
        assert len(said) == 1
        assert store.keeps_all
    one = said[0]
    shown = warnings.formatwarning(one.message, one.category, one.filename, one.lineno)
    assert shown.count("\n") == 1  # without a line of source


def test_it_is_not_waited_for_without_end(path: Path, holder: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_file, "_SILENT", 0.1)
    monkeypatch.setattr(store_file, "PATIENCE", 0.3)
    holder(60)
    with (
        pytest.warns(WaitingForStore),
        pytest.raises(UnwritableStore, match="another process has held it for") as caught,
    ):
        ScoreStore(path, "model")
    assert str(caught.value).startswith(f"store={path}: ")
    with FileLock(f"{path}.lock", timeout=0), pytest.warns(WaitingForStore), pytest.raises(UnwritableStore):
        ScoreStore(path, "model")


def test_that_a_store_is_on_a_network_disk_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_file, "network_disk", lambda path: "nfs4")  # none is at hand; tests/_util has the listing
    with pytest.warns(
        StoreOnNetworkDisk, match=r"^store=.*: is on a network disk \(nfs4\), where one machine at a time"
    ):
        ScoreStore(path, "model").close()


def refused_to_nobody(path: Path, said: str) -> None:
    if os.getuid() == 0:  # permissions do not bind root
        os.setuid(NOBODY)
    try:
        StoreFile(path).close()
    except UsageError as error:
        Path(said).write_text(str(error))


def test_a_store_that_is_read_only_is_refused_at_the_start() -> None:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are closed to others
        path, said = Path(folder) / "scores.db", Path(folder) / "said"
        ScoreStore(path, "model").close()
        Path(folder).chmod(0o777)
        path.chmod(0o444)
        path.with_name(f"{path.name}.lock").chmod(0o666)
        process = SPAWN.Process(target=refused_to_nobody, args=(path, str(said)))
        process.start()
        process.join(60)
        assert said.read_text().startswith(f"store={path}: it is read-only. Name a file that can be written.")


def test_no_other_process_has_a_store_open_that_is_used_alone(path: Path) -> None:
    with closing(StoreFile(path)) as one:
        with closing(StoreFile(path)) as other:
            other.rows("SELECT * FROM models")
            with pytest.raises(UsageError, match=r"another process uses it.*nothing was changed"), one.alone():
                pytest.fail("it is used by two")
        with one.alone() as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert one.rows("PRAGMA journal_mode") == [("wal",)]
