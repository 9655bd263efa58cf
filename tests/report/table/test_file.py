"""The table of verdicts as CSV and Parquet: read again by those who read such files, with names as they come."""

import csv
import io
import json
import math
import sys

import pytest

from tests.cli.test_cli import run
from tests.report.pages import passing, results, small
from vlcheck.report.table import COLUMNS, csv_text, table_rows
from vlcheck.results.file import write_results

ODD = [
    "=HYPERLINK(\"http://x\",'y')", "+1", "-1", "@SUM(A1)", "\t=1", "'quoted", "a, b", 'a "b"', "two\nlines", "a\r\nb",
    "日本 \u202e 👩‍👧", "\ud800 half", ";", " ", "None", "nan", "true", "1.5",
]  # fmt: skip
NAMES = [column.name for column in COLUMNS]
KINDS = {column.name: column.kind for column in COLUMNS}
READ = dict.fromkeys(("text", "JSON"), lambda cell: cell.removeprefix("'"))
READ |= {"number": float, "whole number": int, "flag": {"true": True, "false": False}.get}


def odd():
    """A verdict for each odd name, which it has in its reason, its test and its bias."""
    some = (passing(f"test_{at:02}", reason=text, bias=text or "x", gates=at % 2 == 0) for at, text in enumerate(ODD))
    return results(*((one, []) for one in some), run={"name": ODD[0]})


def wanted(found):
    return [dict(zip(NAMES, row, strict=True)) for row in table_rows(found)]


@pytest.fixture
def kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, found in (("odd.jsonl", odd()), ("small.jsonl", small())):
        write_results(tmp_path / name, found)
    return tmp_path


def written(source, name):
    done = run("report", source, "--to", name)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"report: {name}\n", "")


@pytest.mark.parametrize(("source", "found"), [("odd.jsonl", odd), ("small.jsonl", small)])
def test_csv_is_read_again_by_the_csv_module(kept, source, found):
    written(source, "verdicts.csv")
    assert (kept / "verdicts.csv").read_bytes() == csv_text(found()).encode()
    with (kept / "verdicts.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [{name: READ[KINDS[name]](cell) if cell else None for name, cell in row.items()} for row in rows] == wanted(
        found()
    )


def test_no_cell_of_csv_is_a_formula():
    rows = list(csv.reader(io.StringIO(csv_text(odd()), newline="")))[1:]
    texts = [cell for row in rows for cell, column in zip(row, COLUMNS, strict=True) if column.kind in ("text", "JSON")]
    assert [cell for cell in texts if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
    assert [row[NAMES.index("model")] for row in rows] == ["'" + ODD[0]] * len(ODD)


@pytest.mark.parametrize(("source", "found"), [("odd.jsonl", odd), ("small.jsonl", small)])
def test_pandas_reads_the_frame_from_csv(kept, source, found):
    pandas = pytest.importorskip("pandas", reason="needs the package pandas, of the dependency group tests")
    written(source, "verdicts.csv")
    frame = pandas.read_csv("verdicts.csv", keep_default_na=False, na_values={"rate": [""], "p": [""], "n": [""]})
    assert list(frame.columns) == NAMES
    for name in ("rate", "p", "n"):
        there = [math.nan if row[name] is None else row[name] for row in wanted(found())]
        assert frame[name].tolist() == pytest.approx(there, nan_ok=True, abs=0)


@pytest.mark.parametrize(("source", "found"), [("odd.jsonl", odd), ("small.jsonl", small)])
def test_parquet_is_read_again_with_types_and_meanings(kept, source, found):
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs vlcheck[tables]")
    written(source, "verdicts.parquet")
    table = parquet.read_table("verdicts.parquet")
    assert table.to_pylist() == wanted(found())
    types = {"text": "string", "JSON": "string", "number": "double", "whole number": "int64", "flag": "bool"}
    assert [(field.name, str(field.type)) for field in table.schema] == [(one.name, types[one.kind]) for one in COLUMNS]
    assert [field.metadata[b"meaning"].decode() for field in table.schema] == [one.meaning for one in COLUMNS]


@pytest.mark.parametrize("ending", ["csv", "CSV", "parquet", "Parquet"])
def test_a_table_replaces_an_older_one_and_nothing_else(kept, ending):
    if ending.lower() == "parquet":
        pytest.importorskip("pyarrow.parquet", reason="needs vlcheck[tables]")
    written("odd.jsonl", f"verdicts.{ending}")
    written("small.jsonl", f"verdicts.{ending}")
    for mine in (b"PAR1 mine", b"model,mine\n", b"model\x00"):
        (kept / f"mine.{ending}").write_bytes(mine)
        done = run("report", "small.jsonl", "--to", f"mine.{ending}")
        assert (done.returncode, done.stdout) == (4, "")
        assert done.stderr.startswith(f"Error: --to mine.{ending}: is there and is no table of vlcheck's")
        assert (kept / f"mine.{ending}").read_bytes() == mine


def test_another_file_of_parquet_is_not_replaced(kept):
    pyarrow = pytest.importorskip("pyarrow", reason="needs vlcheck[tables]")
    pytest.importorskip("pyarrow.parquet").write_table(pyarrow.table({"model": ["x"]}), "mine.parquet")
    assert "is no table of vlcheck's" in run("report", "small.jsonl", "--to", "mine.parquet").stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--to", "v.xlsx"],
            "--to v.xlsx: has to end in .html or .htm for the page, or in .csv or .parquet for the table",
        ),
        (["--to", "v"], "--to v: has to end in .html"),
        (["--to", "small.jsonl"], "--to small.jsonl: has to end in .html"),
        (["--to", "absent/v.csv"], "--to absent/v.csv: there is no folder absent"),
        (
            ["--to", "v.csv", "--beside", "odd.jsonl"],
            "--beside odd.jsonl: is shown on a page; a table, as --to v.csv, is",
        ),
        (["--to", "v.csv", "--baseline", "odd.jsonl"], "--baseline odd.jsonl: is shown on a page"),
    ],
)
def test_what_cannot_be_used_is_named_with_what_is_accepted(kept, arguments, said):
    done = run("report", "small.jsonl", *arguments)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith(f"Error: {said}")


def test_parquet_needs_the_extra(kept, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    done = run("report", "small.jsonl", "--to", "v.parquet")
    assert done.returncode == 4
    assert done.stderr == (
        "Error: --to v.parquet: needs pyarrow, which is not installed: pip install 'vlcheck[tables]'.\n"
    )
    assert not (kept / "v.parquet").exists()


def test_the_frame_is_the_table(kept):
    pandas = pytest.importorskip("pandas", reason="needs the package pandas, of the dependency group tests")
    from vlcheck import read_results

    frame = read_results(kept / "odd.jsonl").to_frame()
    for row, own in zip(frame.to_dict("records"), wanted(odd()), strict=True):
        assert {name: None if pandas.isna(cell) else cell for name, cell in row.items()} == own
    assert [json.loads(cell) for cell in frame.tolerances] == [{"within": 0.1}] * len(ODD)
    assert read_results(kept / "odd.jsonl").to_frame().shape == (len(ODD), len(COLUMNS))
