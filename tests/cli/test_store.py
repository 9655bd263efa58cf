"""`vlcheck store` and `vlcheck merge`."""

import csv
import json
import os
import sqlite3
from contextlib import closing

import pytest
from typer.testing import CliRunner

from benchmarks.store_kills import AT_ONCE, as_schema_1
from tests.scoring.counting import photograph
from vlcheck._util import installed
from vlcheck.cli import app
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.query import Query
from vlcheck.perturb import Grayscale
from vlcheck.scoring.store import ModelLabel, ScoreStore
from vlcheck.scoring.stores.export import COLUMNS

OLD = {"torch": "1"}
JPEG = b"\xff\xd8" + b"x" * 20_000 + b"\xff\xd9"


def run(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture
def queries(tmp_path):
    picture = photograph(tmp_path, 1)
    grey = picture.then(Grayscale())
    return [Query("mlm", picture, "a [MASK]", ("dog", "cat")), Query("itm", grey, "a dog"), Query("itm", grey, "a cat")]


@pytest.fixture
def store(tmp_path, queries):
    """A model in two precisions, and one of them under other versions, too."""
    path = tmp_path / "scores.sqlite"
    now = installed.versions()
    for fingerprint, precision, versions in (
        ("f" * 64, "float32", now),
        ("b" * 64, "bfloat16", now),
        ("f" * 64, "float32", OLD),
    ):
        with ScoreStore(path, fingerprint, versions=versions, label=ModelLabel("tiny", precision)) as one:
            one.put([(queries[0], Answer((0.25, 0.75))), (queries[1], Answer(unasked="it is grey already"))])
            if precision == "bfloat16":
                one.put([(queries[2], Answer(error="ValueError: no"))])
            one.keep_picture(queries[0].picture.key, "sha", JPEG)
    return path


def test_stats_count_by_model_precision_and_versions(store):
    done = run("store", "stats", store)
    assert done.exit_code == 0, done.output
    title, head, *rows = done.stdout.splitlines()
    assert title.startswith(f"{store}: ")
    assert title.endswith("1 picture in 0.02 MB")
    assert head.split()[:7] == ["model", "precision", "fingerprint", "versions", "answers", "errors", "pictures"]
    assert sorted(row.split()[:7] for row in rows) == [
        ["tiny", "bfloat16", "b" * 12, "installed", "3", "1", "2"],
        ["tiny", "float32", "f" * 12, "installed", "2", "0", "2"],
        ["tiny", "float32", "f" * 12, "other", "2", "0", "2"],
    ]


def models(store):
    """The number of answers by the beginning of the fingerprint, and whether they are of the old versions."""
    select = "SELECT substr(fingerprint, 1, 1), versions FROM answers JOIN models ON models.id = model"
    with closing(sqlite3.connect(store)) as connection:
        rows = connection.execute(select).fetchall()
    return sorted({(first, json.loads(versions) == OLD) for first, versions in rows})


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (["--other-versions"], [("b", False), ("f", False)]),
        (["--model", "tiny"], []),
        (["--model", "fff"], [("b", False)]),
        (["--model", "fff", "--other-versions"], [("b", False), ("f", False)]),
        (["--older-than", "0"], []),
        (["--older-than", "1"], [("b", False), ("f", False), ("f", True)]),
    ],
)
def test_prune_deletes_what_all_options_select(store, options, left):
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("UPDATE answers SET kept = kept - 60")
    before = models(store)
    dry = run("store", "prune", store, *options, "--dry-run")
    assert (dry.exit_code, models(store)) == (0, before)
    done = run("store", "prune", store, *options)
    assert (done.exit_code, models(store)) == (0, left)
    assert dry.stdout.splitlines() == [
        line.replace("deleted", "would delete") for line in done.stdout.splitlines() if "MB" not in line
    ]


def test_what_nothing_refers_to_any_more_is_deleted_and_the_file_becomes_smaller(store):
    before = store.stat().st_size
    run("store", "prune", store, "--model", "tiny")
    with closing(sqlite3.connect(store)) as connection:
        for table in ("answers", "models", "questions", "shown", "texts", "pictures", "shards"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)  # noqa: S608 - literals
        assert connection.execute("PRAGMA freelist_count").fetchone() == (0,)
    assert store.stat().st_size < before - len(JPEG) / 2


def test_what_is_left_still_answers(store, queries):
    run("store", "prune", store, "--model", "bbb")
    with ScoreStore(store, "f" * 64) as one:
        assert one.get(queries[0]) == Answer((0.25, 0.75))
        assert one.pictures(queries[0].picture.key) == ("sha", JPEG)


def test_unconfirmed_answers_are_pruned_alone(store, queries):
    with ScoreStore(store, "s" * 64, provisional=True, label=ModelLabel("served")) as served:
        served.put([(queries[0], Answer((0.25, 0.75)))])
    assert "unconfirmed" in run("store", "stats", store).stdout
    done = run("store", "prune", store, "--unconfirmed")
    assert "deleted: 1 answer of served (ssssssssssss, unconfirmed)" in done.stdout
    assert {first for first, _ in models(store)} == {"b", "f"}


def test_a_store_that_a_run_uses_is_not_pruned(store):
    before = models(store)
    with ScoreStore(store, "f" * 64) as one:
        one.missing(["key"])
        done = run("store", "prune", store, "--model", "tiny")
        dry = run("store", "prune", store, "--model", "tiny", "--dry-run")
    assert (done.exit_code, dry.exit_code) == (4, 0)
    assert f"STORE {store}: another process uses it" in done.stderr
    assert models(store) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["stats", "{missing}"], "STORE {missing}: there is no such file"),
        (["stats", "{text}"], "STORE {text}: this is not a vlcheck store"),
        (["stats", "{folder}"], "STORE {folder}: this is not a vlcheck store (Is a directory)"),
        (["prune", "{store}"], "{store}: would be emptied. Say which answers to delete"),
        (["prune", "{store}", "--model", "tinny"], "--model tinny: the store has no such model. Did you mean 'tiny'?"),
        (["export", "{store}", "{folder}/a.txt"], "TO {folder}/a.txt: has to end in .parquet or .csv"),
        (["export", "{store}", "{text}"], "TO {text}: is there already"),
    ],
)
def test_bad_input_is_named(store, tmp_path, arguments, said):
    names = {"store": store, "missing": tmp_path / "no", "text": tmp_path / "text.csv", "folder": tmp_path}
    names["text"].write_text("a line of text\n" * 20)
    done = run("store", *(one.format(**names) for one in arguments))
    assert done.exit_code == 4
    assert said.format(**names) in done.stderr
    assert not (tmp_path / "no").exists()


def expected(queries):
    """The rows of the table that concern questions, by column."""
    picture, grey = queries[0].picture, queries[1].picture
    for word, score in (("dog", 0.25), ("cat", 0.75)):
        asked = {"metric": "mlm", "picture": picture.key, "edits": "[]", "text": "a [MASK]", "words": '["dog", "cat"]'}
        yield asked | {"word": word, "score": score, "unasked": None, "source": picture.source.key}
    asked = {"metric": "itm", "picture": grey.key, "edits": '[["grayscale", 1, {}]]', "text": "a dog", "words": "[]"}
    yield asked | {"word": None, "score": None, "unasked": "it is grey already", "source": picture.source.key}


def test_the_table_has_a_row_for_each_score(store, queries, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    done = run("store", "export", store, tmp_path / "scores.parquet")
    assert (done.exit_code, done.stdout) == (0, f"9 rows written to {tmp_path / 'scores.parquet'}\n")
    rows = parquet.read_table(tmp_path / "scores.parquet").to_pylist()
    assert list(rows[0]) == list(COLUMNS)
    wanted = list(expected(queries))
    for precision, count in (("float32", 2), ("bfloat16", 1)):
        own = [{name: row[name] for name in wanted[0]} for row in rows if row["precision"] == precision]
        assert sorted(own, key=str) == sorted(wanted * count, key=str)
    assert {row["model"] for row in rows} == {"tiny"}
    assert all(row["kept"].tzinfo and row["place"].endswith(".png") for row in rows)


@pytest.mark.parametrize("name", ["scores.csv", "scores.Csv"])
def test_the_table_as_csv_has_the_same_rows(store, queries, tmp_path, name):
    assert run("store", "export", store, tmp_path / name).exit_code == 0
    with (tmp_path / name).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(COLUMNS)
    wanted = [{name: "" if one is None else str(one) for name, one in row.items()} for row in expected(queries)]
    own = [{name: row[name] for name in wanted[0]} for row in rows if row["precision"] == "bfloat16"]
    assert sorted(own, key=str) == sorted(wanted, key=str)


def test_a_text_that_begins_like_a_formula_is_none_in_csv(tmp_path, queries):
    path = tmp_path / "scores.sqlite"
    with ScoreStore(path, "f", label=ModelLabel("=1+1", "float32")) as one:
        one.put([(Query("itm", queries[0].picture, "- a dog"), Answer((0.25,)))])
    assert run("store", "export", path, tmp_path / "scores.csv").exit_code == 0
    with (tmp_path / "scores.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["model"], row["text"], row["score"]) == ("'=1+1", "'- a dog", "0.25")


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE answers SET kept = 99999999999999",
        "UPDATE answers SET scores = x'00'",
        """UPDATE texts SET text = '["dog' WHERE text LIKE '["dog%'""",
        "UPDATE models SET name = CAST(x'ff' AS TEXT)",
    ],
    ids=["time", "scores", "words", "name"],
)
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_answers_that_cannot_be_read_are_left_out_of_a_table_and_said(store, tmp_path, damage, ending):
    if ending == "parquet":
        pytest.importorskip("pyarrow.parquet")
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute(damage)
    done = run("store", "export", store, tmp_path / f"scores.{ending}")
    assert done.exit_code == 0, done.stderr
    assert "cannot be read and are left out" in done.stderr


def shard(path, queries, number, count=2, precision="float32"):
    with ScoreStore(path, precision, label=ModelLabel("tiny", precision)) as one:
        one.put((query, Answer((0.25,) * max(1, len(query.words)))) for query in queries)
        one.keep_shard("all", number, count, "scenes")
    return path


@pytest.mark.parametrize(
    "arguments",
    [("stats",), ("export", "table.csv"), ("prune", "--other-versions", "--dry-run")],
    ids=lambda said: said[0],
)
def test_commands_that_only_read_leave_an_older_store_to_the_vlcheck_that_wrote_it(tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "old.sqlite"
    as_schema_1(path, range(2))
    before = path.read_bytes()

    command, *rest = arguments
    done = run("store", command, path, *rest)

    assert done.exit_code == 0, done.output
    assert str(2 * AT_ONCE) in done.output
    assert path.read_bytes() == before


def test_merge_says_how_many_answers_there_are_and_what_is_missing(queries, tmp_path):
    parts = [shard(tmp_path / f"{number}.sqlite", [queries[number]], number) for number in (1, 2)]
    into = tmp_path / "all.sqlite"
    done = run("merge", parts[0], "--into", into)
    assert (done.exit_code, done.stdout, done.stderr) == (
        1,
        f"1 answer in {into}\n",
        "missing: part 2 of 2 of scenes\n",
    )
    done = run("merge", parts[1], "--into", into)
    assert (done.exit_code, done.stdout, done.stderr) == (0, f"2 answers in {into}\n", "")


def test_merge_ends_with_1_if_a_store_names_no_part(queries, tmp_path):
    part, plain = shard(tmp_path / "part.sqlite", queries[:1], 1, count=1), tmp_path / "plain.sqlite"
    with ScoreStore(plain, "float32") as one:
        one.put([(queries[1], Answer((0.25,) * max(1, len(queries[1].words))))])
    done = run("merge", part, plain, "--into", tmp_path / "all.sqlite")
    assert (done.exit_code, done.stderr.startswith(f"{plain}: names no part of a run")) == (1, True)


def test_a_part_that_lost_an_answer_is_missing(queries, tmp_path):
    part, into = shard(tmp_path / "part.sqlite", queries[:2], 1), tmp_path / "all.sqlite"
    other = shard(tmp_path / "other.sqlite", queries[2:3], 2)
    with closing(sqlite3.connect(part)) as connection, connection:
        connection.execute("UPDATE answers SET kept = 0 WHERE query = ?", (queries[0].key,))
    assert run("store", "prune", part, "--older-than", "1").exit_code == 0
    done = run("merge", part, other, "--into", into)
    assert (done.exit_code, done.stdout) == (1, f"2 answers in {into}\n")


def test_merge_refuses_parts_of_different_models_and_says_both(queries, tmp_path):
    parts = [shard(tmp_path / f"{name}.sqlite", queries, 1, precision=name) for name in ("float32", "bfloat16")]
    done = run("merge", *parts, "--into", tmp_path / "all.sqlite")
    assert done.exit_code == 4
    assert (
        f"{parts[0]}, {parts[1]}: are parts of different runs: of tiny (float32), and of tiny (bfloat16)" in done.stderr
    )
    assert not os.path.lexists(tmp_path / "all.sqlite")
