from __future__ import annotations

import math
import multiprocessing
import os
import resource
import sqlite3
import struct
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from tests.scoring.counting import CountingModel, photograph
from vlcheck.errors import UsageError, argument
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.query import Query
from vlcheck.scoring.cached import CachedScorer
from vlcheck.scoring.plan import make_plan
from vlcheck.scoring.scorer import Scorer
from vlcheck.scoring.store import DamagedStore, ScoreStore
from vlcheck.scoring.stores.store_file import StoreNotKept

SPAWN = multiprocessing.get_context("spawn")
NOBODY = 65534
JPEG = b"\xff\xd8 a small copy \xff\xd9"


@pytest.fixture
def query(tmp_path: Path) -> Query:
    return Query("mlm", photograph(tmp_path, 1), "a [MASK]", ("dog", "cat"))


def test_an_answer_comes_back_as_it_was_put(store: ScoreStore, query: Query) -> None:
    answer = Answer((0.1, 1 / 3), (("dog", 0.5), ('a "quoted" été', 1e-300)))

    store.put([(query, answer)])

    assert store.get(query) == answer


def test_nan_and_infinity_come_back(store: ScoreStore, query: Query) -> None:
    store.put([(query, Answer((math.nan, -math.inf)))])

    answer = store.get(query)

    assert answer is not None
    assert math.isnan(answer.values[0])
    assert answer.values[1] == -math.inf


def test_what_was_never_put_is_missing(store: ScoreStore, query: Query) -> None:
    assert store.get(query) is None
    assert query.key not in store
    assert store.missing([query.key, "other"]) == {query.key, "other"}


def test_a_plan_leaves_out_what_the_store_holds(store: ScoreStore, query: Query, tmp_path: Path) -> None:
    other = Query("itm", photograph(tmp_path, 2), "a dog")
    store.put([(query, Answer((0.5, 0.5)))])

    plan = make_plan([query, other], kept=store)

    assert [chunk.queries for chunk in plan.chunks] == [(other,)]


def test_values_and_reasons_outlive_a_run(tmp_path: Path, query: Query) -> None:
    other = Query("itm", query.picture, "a dog")
    with ScoreStore(tmp_path / "s.db", "model") as store:
        store.put([(query, Answer((0.25, 0.5))), (other, Answer(unasked="it is grey already"))])

    with ScoreStore(tmp_path / "s.db", "model") as store:
        kept = store.get_many([query, other])

    assert kept == {query.key: Answer((0.25, 0.5)), other.key: Answer(unasked="it is grey already")}


def test_errors_are_asked_again_in_another_run_and_shared_within_one(tmp_path: Path, query: Query) -> None:
    with ScoreStore(tmp_path / "s.db", "model", run="monday") as store:
        store.put([(query, Answer(error="ValueError: no"))])

    with ScoreStore(tmp_path / "s.db", "model", run="monday") as worker:
        assert worker.get(query) == Answer(error="ValueError: no")
    with ScoreStore(tmp_path / "s.db", "model", run="tuesday") as later:
        assert later.get(query) is None
        later.put([(query, Answer((0.5, 0.5)))])
        assert later.get(query) == Answer((0.5, 0.5))


def test_an_error_never_replaces_a_value(store: ScoreStore, query: Query) -> None:
    store.put([(query, Answer((0.5, 0.5)))])
    store.put([(query, Answer(error="too late"))])

    assert store.get(query) == Answer((0.5, 0.5))


def test_two_models_share_a_file_but_no_scores(tmp_path: Path, query: Query) -> None:
    with ScoreStore(tmp_path / "s.db", "one") as one, ScoreStore(tmp_path / "s.db", "two") as two:
        one.put([(query, Answer((0.1, 0.2)))])
        assert two.get(query) is None
        two.put([(query, Answer((0.3, 0.4)))])
        assert one.get(query) == Answer((0.1, 0.2))


def test_a_message_that_names_an_undecodable_path_is_kept(store: ScoreStore, query: Query) -> None:
    store.put([(query, Answer(error="photo\udcff.png: no such photograph."))])

    assert store.get(query) == Answer(error="photo\\udcff.png: no such photograph.")


def test_a_thumbnail_is_kept_and_not_lost_to_a_picture_without(store: ScoreStore) -> None:
    store.keep_picture("key", "sha")
    assert store.pictures("key") == ("sha", b"")
    store.keep_picture("key", "sha", JPEG)
    store.keep_picture("key", "sha")

    assert store.pictures("key") == ("sha", JPEG)
    assert store.pictures("other") is None


def test_missing_folders_are_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "scores.db"

    with ScoreStore(path, "model"):
        assert path.exists()


def not_sqlite(path: Path) -> None:
    path.write_bytes(b"These are not the scores that you are looking for. " * 40)


def foreign_database(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE invoices (amount REAL)")
    connection.close()


def other_schema(path: Path) -> None:
    ScoreStore(path, "model").close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


def folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (not_sqlite, "not a vlcheck store"),
        (foreign_database, "an SQLite file, but not a vlcheck store"),
        (other_schema, "schema 99, and this vlcheck reads schemas 1 and 2"),
        (folder, "Is a directory"),
    ],
)
def test_what_is_no_store_is_named_with_option_and_path(
    tmp_path: Path, make: Callable[[Path], None], complaint: str
) -> None:
    path = tmp_path / "scores.db"
    make(path)

    with pytest.raises(UsageError, match=complaint) as caught:
        ScoreStore(path, "model")

    assert str(caught.value).startswith(f"store={path}: ")


def test_a_foreign_database_is_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "scores.db"
    foreign_database(path)
    before = path.read_bytes()

    with pytest.raises(UsageError):
        ScoreStore(path, "model")

    assert path.read_bytes() == before


def test_a_store_that_is_damaged_says_so_when_it_is_read(tmp_path: Path, query: Query) -> None:
    path = tmp_path / "scores.db"
    with ScoreStore(path, "model") as store:
        store.put((Query("itm", query.picture, f"text {i}"), Answer((0.5,))) for i in range(500))
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))

    with ScoreStore(path, "model") as store, pytest.raises(UsageError, match=r"store=.*malformed"):
        store.get(Query("itm", query.picture, "text 1"))


def complaint_in_read_only_folder(path: Path) -> str:
    if os.getuid() == 0:  # permissions do not bind root
        os.setuid(NOBODY)
    return complaint_of(path)


def complaint_of(path: Path) -> str:
    try:
        ScoreStore(path, "model").close()
    except UsageError as error:
        return str(error)
    return "no complaint"


def allow_files_of(size: int) -> None:
    """As a full disk, for this process alone."""
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))


def test_a_folder_without_permission_is_named(tmp_path: Path) -> None:
    place = tmp_path / "folder"
    place.mkdir()
    place.chmod(0o500)

    with ProcessPoolExecutor(1, mp_context=SPAWN) as pool:
        said = pool.submit(complaint_in_read_only_folder, place / "scores.db").result(timeout=60)

    assert said.startswith(f"store={place / 'scores.db'}: ")
    assert "Permission denied" in said


def fill(path: Path, overflow: Path | None, queries: list[Query]) -> tuple[list[str], int, int]:
    """Put answers one by one until long after the disk is full; return what is said, and how many are there then."""
    said: list[str] = []
    with ScoreStore(path, "model", overflow=overflow, on_damage=lambda one: said.append(str(one))) as store:
        allow_files_of(300_000)
        for query in queries:
            store.put([(query, Answer(unasked=f"{query.text} {'x' * 5_000}"))])
        allow_files_of(100_000_000)
        known = store.get_many(queries)
    right = sum(known[query.key].unasked.startswith(f"{query.text} ") for query in queries if query.key in known)
    with ScoreStore(path, "model") as later:
        return said, right, len(later.get_many(queries))


@pytest.mark.parametrize("overflow", ["in a temporary file", "in the memory of this process"])
def test_a_full_disk_is_said_and_the_run_goes_on(tmp_path: Path, query: Query, overflow: str) -> None:
    """The temporary file is as full in its turn: what it does not take goes to memory."""
    queries = [Query("itm", query.picture, f"text {i}") for i in range(200)]
    place = tmp_path / "overflow.db" if overflow == "in a temporary file" else None

    with ProcessPoolExecutor(1, mp_context=SPAWN) as pool:
        said, in_the_run, kept = pool.submit(fill, tmp_path / "s.db", place, queries).result(timeout=60)

    assert said[0].startswith(f"{argument('store', tmp_path / 's.db')}: there is no room left on its disk (")
    assert said[0].endswith(f"The run goes on, with its further answers {overflow}.")
    assert len(said) == (2 if place else 1)
    assert in_the_run == 200
    assert 5 < kept < 200 - 20


def test_processes_of_a_run_see_what_one_of_them_could_not_keep(tmp_path: Path, query: Query) -> None:
    other = Query("itm", query.picture, "a dog")
    paths = {"path": tmp_path / "s.db", "overflow": tmp_path / "overflow.db", "fingerprint": "model", "run": "one"}
    with ScoreStore(**paths) as one, ScoreStore(**paths) as two:
        one.put([(other, Answer((0.5,)))])
        limit_pages_of(one)
        with pytest.warns(StoreNotKept):
            one.put([(query, Answer((0.1, 0.2), (("x" * 100_000, 0.5),)))])
        assert [store.keeps_all for store in (one, two)] == [False, False]
        assert two.get_many([query, other]).keys() == {query.key, other.key}
        two.put([(other, Answer(error="too late"))])
        assert one.get(other) == Answer((0.5,))


def limit_pages_of(store: ScoreStore) -> None:
    """As a full disk."""
    with store._files[-1].transaction() as connection:
        connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0]}")


def test_answers_are_put_all_or_none(tmp_path: Path, query: Query) -> None:
    queries = [Query("itm", query.picture, f"text {i}") for i in range(200)]
    with ScoreStore(tmp_path / "s.db", "model") as store:
        store.put([(query, Answer((0.5, 0.5)))])
        limit_pages_of(store)
        with pytest.warns(StoreNotKept, match=r"^store=.*s\.db: there is no room left"):
            store.put((one, Answer(unasked="x" * 5_000)) for one in queries)
        assert store.missing(one.key for one in queries) == set()

    with ScoreStore(tmp_path / "s.db", "model") as later:
        assert later.get_many([query, *queries]) == {query.key: Answer((0.5, 0.5))}


def test_what_was_put_before_the_disk_was_full_can_be_confirmed(tmp_path: Path, query: Query) -> None:
    other = Query("itm", query.picture, "a dog")
    with ScoreStore(tmp_path / "s.db", "model", provisional=True) as store:
        store.put([(query, Answer((0.5, 0.5)))])
        store.confirm([])  # has made the row of the model, for which a full disk has no room
        limit_pages_of(store)
        with pytest.warns(StoreNotKept):
            store.put([(other, Answer(unasked="x" * 100_000))])
        store.confirm([query.key, other.key])
    with ScoreStore(tmp_path / "s.db", "model") as later:
        assert later.get_many([query, other]) == {query.key: Answer((0.5, 0.5))}


def write_many(path: Path, barrier: Barrier, queries: list[Query]) -> None:
    barrier.wait(60)
    with ScoreStore(path, "model") as store:
        for query in queries:
            store.put([(query, Answer((0.5,)))])


def test_two_processes_that_find_no_file_write_to_one_without_loss(tmp_path: Path, query: Query) -> None:
    path, barrier = tmp_path / "scores.db", SPAWN.Barrier(2)
    queries = [Query("itm", query.picture, f"text {i}") for i in range(400)]
    writers = [SPAWN.Process(target=write_many, args=(path, barrier, half)) for half in (queries[::2], queries[1::2])]

    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)

    assert [writer.exitcode for writer in writers] == [0, 0]
    with ScoreStore(path, "model") as store:
        assert store.missing(query.key for query in queries) == set()


OLD, NEW = {"transformers": "5.23.0", "peft": "not installed"}, {"transformers": "5.24.0", "peft": "not installed"}


def test_scores_of_other_versions_are_no_answers_and_stay_as_they_are(tmp_path: Path, query: Query) -> None:
    with ScoreStore(tmp_path / "s.db", "model", versions=OLD) as old:
        old.put([(query, Answer((0.1, 0.2)))])
    with ScoreStore(tmp_path / "s.db", "model", versions=NEW) as new:
        assert new.get(query) is None
        new.put([(query, Answer((0.3, 0.4)))])
    with ScoreStore(tmp_path / "s.db", "model", versions=OLD) as old:
        assert old.get(query) == Answer((0.1, 0.2))


def test_unless_said_the_versions_are_those_that_are_installed(
    tmp_path: Path, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScoreStore(tmp_path / "s.db", "model") as store:
        store.put([(query, Answer((0.1, 0.2)))])
    with ScoreStore(tmp_path / "s.db", "model") as store:
        assert store.get(query) == Answer((0.1, 0.2))
    (tmp_path / "hqq-0.18.0.dist-info").mkdir()
    (tmp_path / "hqq-0.18.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: hqq\nVersion: 0.18.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    with ScoreStore(tmp_path / "s.db", "model") as store:
        assert store.get(query) is None
        assert store.superseded().endswith("asked again: hqq not installed before, 0.18.0 now")


def test_that_all_is_asked_again_is_said_until_something_is_kept(tmp_path: Path, query: Query) -> None:
    path = tmp_path / "s.db"
    with ScoreStore(path, "model", versions=OLD) as old:
        assert old.superseded() == ""
        old.put([(query, Answer((0.1, 0.2)))])
        assert old.superseded() == ""
    with ScoreStore(path, "another model", versions=NEW) as other:
        assert other.superseded() == ""
    with ScoreStore(path, "model", versions=NEW) as new:
        assert new.superseded() == (
            f"{argument('store', path)}: its scores of this model are of other versions, and asked again:"
            " transformers 5.23.0 before, 5.24.0 now"
        )
        new.put([(query, Answer((0.3, 0.4)))])
        assert new.superseded() == ""


DAMAGE = {
    "of no whole number": "scores = substr(scores, 1, 11)",
    "cut short": "scores = substr(scores, 1, 8)",
    "empty": "scores = x''",
    "of text": "scores = 'half'",
    "null": "scores = NULL",
    "no probability": f"scores = x'{struct.pack('<2d', 0.5, 1e9).hex()}'",
    "nan": f"scores = x'{struct.pack('<2d', 0.5, math.nan).hex()}'",
    "words that are no JSON": "top = '[[\"dog\", 0.'",
    "words that are no pairs": "top = '{\"dog\": 1}'",
    "words that are null": "top = NULL",
    "an error that is null": "error = NULL",
    "a reason that is a number": "unasked = x'00'",
    "an error that is no text": "error = CAST(x'ff80' AS TEXT)",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_row_that_is_damaged_is_said_and_asked_again(tmp_path: Path, damage: str) -> None:
    path, model = tmp_path / "s.db", CountingModel(tmp_path / "journal")
    queries = [Query("mlm", photograph(tmp_path, seed), "a [MASK]", ("dog", "cat")) for seed in range(2)]
    with ScoreStore(path, model.fingerprint) as store:
        answers = CachedScorer(Scorer(model), store).answers(queries)
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE answers SET {damage} WHERE query = ?", (queries[0].key,))  # noqa: S608 - literals
    connection.close()

    with ScoreStore(path, model.fingerprint) as store:
        with pytest.warns(DamagedStore, match=rf"store={path}: the store is damaged: 1 of its answers .* again"):
            assert CachedScorer(Scorer(model), store).answers(queries) == answers
        assert CachedScorer(Scorer(model), store).answers(queries) == answers
    assert model.asked("mlm").total() == 3


def test_a_small_copy_that_is_damaged_is_said_and_drawn_again(tmp_path: Path) -> None:
    path, picture = tmp_path / "s.db", photograph(tmp_path, 1)
    for damage in ("jpeg = 'text'", "jpeg = substr(jpeg, 1, 40)", "sha256 = NULL", "sha256 = CAST(x'ff' AS TEXT)"):
        with ScoreStore(path, "model") as store:
            sound = CachedScorer(Scorer(CountingModel(tmp_path / "journal")), store).thumbnail(picture)
        with sqlite3.connect(path) as connection:
            connection.execute(f"UPDATE pictures SET {damage}")  # noqa: S608 - literals
        connection.close()
        with ScoreStore(path, "model") as store:
            scorer = CachedScorer(Scorer(CountingModel(tmp_path / "journal")), store)
            with pytest.warns(DamagedStore, match=rf"store={path}: the store is damaged: a small copy .* again"):
                assert scorer.thumbnail(picture) == sound


def test_a_temporary_store_that_has_no_room_names_the_variable_that_moves_it(tmp_path: Path, query: Query) -> None:
    queries = [Query("itm", query.picture, f"text {i}") for i in range(5_000)]
    with ScoreStore(tmp_path / "s.db", "model", in_scratch=True) as store:
        limit_pages_of(store)
        with pytest.warns(StoreNotKept, match=r"^TMPDIR .*s\.db: there is no room left on its disk .* in the memory"):
            store.put((query, Answer((0.5,))) for query in queries)
        assert len(store.get_many(queries)) == 5_000
