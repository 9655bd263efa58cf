from __future__ import annotations

import math
import multiprocessing
import os
import sqlite3
import struct
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.scoring.counting import photograph
from vlcheck.errors import UsageError
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.query import Query
from vlcheck.scoring.store import ModelLabel, ScoreStore
from vlcheck.scoring.stores import store_file
from vlcheck.scoring.stores.merge import ScoresApart, merge_stores
from vlcheck.scoring.stores.store_file import FullStore, StoreFile

SPAWN = multiprocessing.get_context("spawn")
NOBODY = 65534
VERSIONS = {"torch": "1"}
LABEL = ModelLabel("tiny", "float32")
JPEG = b"\xff\xd8 a small copy \xff\xd9"


@pytest.fixture
def queries(tmp_path: Path) -> list[Query]:
    picture = photograph(tmp_path, 1)
    return [Query("mlm", picture, f"a [MASK] of {i}", ("dog", "cat")) for i in range(6)]


def right(query: Query) -> Answer:
    return Answer((int(query.key[:8], 16) / 2**32, 0.25), (("dog", 0.5),))


def part(
    path: Path,
    queries: Sequence[Query],
    number: int,
    count: int = 2,
    *,
    model: str = "model",
    label: ModelLabel = LABEL,
    versions: dict[str, str] = VERSIONS,
    asked: str = "all",
    data: str = "scenes",
) -> Path:
    """Write the store of a shard."""
    with ScoreStore(path, model, versions=versions, label=label) as store:
        store.put((query, right(query)) for query in queries)
        store.keep_picture("key", "sha")
        store.keep_shard(asked, number, count, data)
    return path


@pytest.fixture
def two(tmp_path: Path, queries: list[Query]) -> list[Path]:
    return [part(tmp_path / "a.sqlite", queries[:3], 1), part(tmp_path / "b.sqlite", queries[3:], 2)]


def known(path: Path, queries: Sequence[Query]) -> dict[str, Answer]:
    with ScoreStore(path, "model", versions=VERSIONS) as store:
        return store.get_many(queries)


def test_the_merged_store_answers_all_that_the_parts_were_asked(
    tmp_path: Path, queries: list[Query], two: list[Path]
) -> None:
    with ScoreStore(two[1], "model", versions=VERSIONS) as store:
        store.keep_picture("key", "sha", JPEG)
    into = tmp_path / "all.sqlite"

    merged = merge_stores(two, into)

    assert (merged.answers, merged.missing, merged.disagreements, merged.unsharded) == (6, [], [], [])
    assert known(into, queries) == {query.key: right(query) for query in queries}
    with ScoreStore(into, "model", versions=VERSIONS) as store:
        assert store.pictures("key") == ("sha", JPEG)
        asked = store._opened[0].rows(
            "SELECT texts.text, words.text FROM questions JOIN texts ON texts.id = questions.text"
            " JOIN texts AS words ON words.id = words"
        )
    assert {*asked} == {(query.text, '["dog", "cat"]') for query in queries}


def test_a_merge_goes_on_from_an_earlier_one(tmp_path: Path, queries: list[Query], two: list[Path]) -> None:
    into = tmp_path / "all.sqlite"
    assert merge_stores(two[:1], into).missing == ["part 2 of 2 of scenes"]
    assert merge_stores([two[1], into], into).missing == []
    assert known(into, queries).keys() == {query.key for query in queries}


def test_missing_parts_are_named(tmp_path: Path, queries: list[Query]) -> None:
    paths = [part(tmp_path / f"{i}.sqlite", queries[i : i + 1], i, 5) for i in (1, 4)]
    assert merge_stores(paths, tmp_path / "all").missing == [f"part {i} of 5 of scenes" for i in (2, 3, 5)]


def test_parts_of_other_numbers_of_parts_are_missing_unless_one_number_is_complete(
    tmp_path: Path, queries: list[Query], two: list[Path]
) -> None:
    third = part(tmp_path / "c.sqlite", queries[:2], 1, 3)

    assert merge_stores([two[0], third], tmp_path / "some.sqlite").missing == [
        "part 2 of 2 of scenes",
        "part 2 of 3 of scenes",
        "part 3 of 3 of scenes",
    ]
    assert merge_stores([*two, third], tmp_path / "all.sqlite").missing == []


def test_a_part_that_was_asked_twice_is_there_once(tmp_path: Path, queries: list[Query], two: list[Path]) -> None:
    again = part(tmp_path / "c.sqlite", queries[:3], 1)

    merged = merge_stores([*two, again, two[0]], tmp_path / "all.sqlite")

    assert (merged.answers, merged.missing, merged.disagreements) == (6, [], [])
    assert known(tmp_path / "all.sqlite", queries) == {query.key: right(query) for query in queries}


def test_of_a_part_that_is_being_written_the_answers_are_taken_and_the_part_is_missing(
    tmp_path: Path, queries: list[Query], two: list[Path]
) -> None:
    with ScoreStore(tmp_path / "c.sqlite", "model", versions=VERSIONS, label=LABEL) as running:
        running.put((query, right(query)) for query in queries[3:5])
        merged = merge_stores([two[0], tmp_path / "c.sqlite"], tmp_path / "all.sqlite")
        assert (merged.answers, merged.missing) == (5, ["part 2 of 2 of scenes"])
        running.put([(queries[5], right(queries[5]))])  # it goes on, and a later merge takes the rest
        running.keep_shard("all", 2, 2, "scenes")
    merged = merge_stores([tmp_path / "c.sqlite"], tmp_path / "all.sqlite")
    assert (merged.answers, merged.missing) == (6, [])


def merged_by_nobody(paths: Sequence[Path], into: Path, said: Path) -> None:
    if os.getuid() == 0:  # permissions do not bind root
        os.setuid(NOBODY)
    said.write_text(repr(merge_stores(paths, into).answers))


def test_parts_that_are_read_only_in_a_folder_that_is_are_merged_and_stay_as_they_are(queries: list[Query]) -> None:
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:  # pytest's are closed
        there, mine = Path(folder), Path(other)
        paths = [part(there / "a.sqlite", queries[:3], 1), part(there / "b.sqlite", queries[3:], 2)]
        for path in paths:
            path.chmod(0o444)
        there.chmod(0o555)
        mine.chmod(0o777)
        before = {path: path.read_bytes() for path in there.iterdir()}
        process = SPAWN.Process(target=merged_by_nobody, args=(paths, mine / "all.sqlite", mine / "said"))
        process.start()
        process.join(60)
        assert (mine / "said").read_text() == "6"
        assert {path: path.read_bytes() for path in there.iterdir()} == before
        there.chmod(0o755)
        assert known(mine / "all.sqlite", queries) == {query.key: right(query) for query in queries}


def test_a_folder_is_no_merged_store(tmp_path: Path, two: list[Path]) -> None:
    with pytest.raises(UsageError, match="not a vlcheck store") as caught:
        merge_stores(two, tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}: ")


def test_where_the_merged_store_has_no_room_nothing_is_merged_by_halves(
    tmp_path: Path, queries: list[Query], two: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    into = tmp_path / "all.sqlite"
    merge_stores(two[:1], into)
    with ScoreStore(two[1], "model", versions=VERSIONS) as store:
        store.keep_picture("large", "sha", b"\xff\xd8" + bytes(100_000) + b"\xff\xd9")

    def crowded(place: str, *, uri: bool = False) -> sqlite3.Connection:
        connection = connected(place, uri=uri)
        if place == str(into):
            connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0]}")
        return connection

    connected = store_file.connected
    monkeypatch.setattr(store_file, "connected", crowded)
    with pytest.raises(FullStore, match="no room left") as caught:
        merge_stores(two, into)
    monkeypatch.undo()

    assert str(caught.value).startswith(f"{into}: ")
    assert known(into, queries).keys() == {query.key for query in queries[:3]}
    assert merge_stores(two, into).missing == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model": "m2", "label": ModelLabel("huge", "bfloat16")}, "of tiny (float32), and of huge (bfloat16)"),
        ({"versions": {"torch": "2"}}, "of tiny (float32) under different versions: torch 1 and 2"),
        ({"asked": "others", "data": "coco:/data"}, "different questions: of scenes, and of coco:/data"),
        ({"asked": "others"}, "different questions: of scenes, but of other tests, options or pictures"),
    ],
)
def test_parts_that_do_not_belong_together_are_refused_and_both_are_named(
    tmp_path: Path, queries: list[Query], two: list[Path], changes: dict, said: str
) -> None:
    other = part(tmp_path / "c.sqlite", queries[3:], 2, **changes)

    with pytest.raises(UsageError) as caught:
        merge_stores([two[0], other], tmp_path / "all.sqlite")

    assert str(caught.value).startswith(f"{two[0]}, {other}: ")
    assert said in str(caught.value)
    assert not (tmp_path / "all.sqlite").exists()


def test_answers_that_differ_by_more_than_rounding_are_counted_and_the_first_are_kept(
    tmp_path: Path, queries: list[Query], two: list[Path]
) -> None:
    exact = right(queries[0]).values[0]
    with ScoreStore(two[1], "model", versions=VERSIONS, label=LABEL) as store:
        store.put([(queries[0], Answer((exact + 2e-6, 0.25))), (queries[1], Answer((0.5, 0.75)))])
        store.put([(queries[2], Answer(unasked="it is grey already"))])

    merged = merge_stores(two, tmp_path / "all.sqlite")

    assert merged.disagreements == [ScoresApart(two[1], 2, 1.0)]
    assert known(tmp_path / "all.sqlite", queries)[queries[1].key] == right(queries[1])


@pytest.mark.parametrize(("precision", "apart"), [("float32", 1), ("bfloat16", 0)])
def test_rounding_is_that_of_the_precision(tmp_path: Path, queries: list[Query], precision: str, apart: int) -> None:
    label = ModelLabel("tiny", precision)
    paths = [part(tmp_path / f"{i}.sqlite", queries[:1], i, label=label) for i in (1, 2)]
    with ScoreStore(paths[1], "model", versions=VERSIONS, label=label) as store:
        store.put([(queries[0], Answer((right(queries[0]).values[0], 0.255)))])
    assert len(merge_stores(paths, tmp_path / "all.sqlite").disagreements) == apart


def test_errors_and_unconfirmed_answers_stay_behind(tmp_path: Path, queries: list[Query], two: list[Path]) -> None:
    with ScoreStore(two[0], "model", versions=VERSIONS, provisional=True, run="one") as served:
        served.put((query, right(query)) for query in queries[3:5])
        served.confirm([queries[3].key])
        served.put([(queries[5], Answer(error="no"))])
    with ScoreStore(two[0], "model", versions=VERSIONS) as store:
        store.put([(queries[4], Answer(error="no"))])

    merged = merge_stores(two[:1], tmp_path / "all.sqlite")

    assert merged.unconfirmed == {two[0]: 1}
    assert known(tmp_path / "all.sqlite", queries).keys() == {query.key for query in queries[:4]}
    with closing(StoreFile(tmp_path / "all.sqlite")) as store:
        assert store.rows("SELECT count(*) FROM answers") == [(4,)]


def test_a_value_replaces_an_error(tmp_path: Path, queries: list[Query], two: list[Path]) -> None:
    into = tmp_path / "all.sqlite"
    with ScoreStore(into, "model", versions=VERSIONS) as store:
        store.put([(queries[0], Answer(error="no"))])
    merge_stores(two, into)
    assert known(into, queries[:1]) == {queries[0].key: right(queries[0])}


def test_a_store_that_names_no_part_is_said(tmp_path: Path, queries: list[Query], two: list[Path]) -> None:
    plain = tmp_path / "plain.sqlite"
    with ScoreStore(plain, "model", versions=VERSIONS) as store:
        store.put([(queries[5], right(queries[5]))])
    merged = merge_stores([two[0], plain], tmp_path / "all.sqlite")
    assert (merged.unsharded, merged.answers) == ([plain], 4)


@pytest.mark.parametrize(
    ("content", "said"), [(None, "there is no such file"), (b"no store" * 20, "not a vlcheck store")]
)
def test_what_is_no_store_is_named(tmp_path: Path, two: list[Path], content: bytes | None, said: str) -> None:
    other = tmp_path / "c.sqlite"
    if content:
        other.write_bytes(content)
    with pytest.raises(UsageError, match=said) as caught:
        merge_stores([*two, other], tmp_path / "all.sqlite")
    assert str(caught.value).startswith(f"{other}: ")
    assert not (tmp_path / "all.sqlite").exists()


@pytest.mark.parametrize("scores", [b"12345", struct.pack("<2d", math.nan, 0.25)], ids=["cut short", "no number"])
def test_a_sound_answer_is_taken_in_the_place_of_a_damaged_one(tmp_path, queries, two, scores):
    again = part(tmp_path / "c.sqlite", queries[:1], 1)
    with closing(sqlite3.connect(two[0])) as connection, connection:
        connection.execute("UPDATE answers SET scores = ? WHERE query = ?", (scores, queries[0].key))
    for number, order in enumerate(([*two, again], [again, *two])):
        into = tmp_path / f"{number}.sqlite"
        assert merge_stores(order, into).disagreements == []
        assert known(into, queries[:1]) == {queries[0].key: right(queries[0])}
