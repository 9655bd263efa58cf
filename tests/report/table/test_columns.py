"""The columns of the table of verdicts: all that a verdict's line says, and the run and the page it belongs to."""

import json

import pytest
from msgspec.structs import fields

from tests.report.pages import invalid, mean, passing, results, small, verdict
from vlcheck.report.page.document import page_view
from vlcheck.report.page.row_budget import Room
from vlcheck.report.table import COLUMNS, table_rows
from vlcheck.results.records import VerdictRecord
from vlcheck.stats.multiple_testing import holm


def told(found):
    """The rows, by column."""
    names = [column.name for column in COLUMNS]
    return [dict(zip(names, row, strict=True)) for row in table_rows(found)]


def test_each_field_of_a_verdict_has_a_column():
    apart = {"band"}  # it has two
    names = [column.name for column in COLUMNS]
    assert {field.name for field in fields(VerdictRecord)} - apart <= {*names}
    assert len(set(names)) == len(names)
    assert all(column.meaning for column in COLUMNS)


def test_a_row_is_a_verdict_of_the_results():
    found = small()
    rows = told(found)
    assert [(row["test"], row["status"], row["rate"], row["n"]) for row in rows] == [
        (one.test, one.status, one.rate, one.n) for _, one in sorted(found.verdicts.items())
    ]
    assert {(row["model"], row["model_spec"], row["data"]) for row in rows} == {
        ("a-model", "file.py:factory", "scenes:6")
    }
    shown = page_view(found, source="r", room=Room())
    assert {row["anchor"] for row in rows} == {one.id for group in shown.groups for one in group.verdicts}
    tested = [row for row in rows if row["p"] is not None]
    assert [row["p_holm"] for row in tested] == holm([row["p"] for row in tested])


def test_what_is_observed_is_the_rate_or_the_mean():
    rows = {row["status"]: row for row in told(results((verdict(), []), (mean(), []), (invalid(), [])))}
    assert [rows["fail"][name] for name in ("observed", "low", "high", "allowed")] == [2 / 3, 0.2713, 0.9372, 0.1]
    one = [rows["inconclusive"][name] for name in ("observed", "low", "high", "band_low", "band_high", "allowed")]
    assert one == [0.12, -0.05, 0.31, -0.15, 0.15, None]
    assert [rows["invalid"][name] for name in ("observed", "rate", "n")] == [None, None, 0]


def test_what_has_fields_of_its_own_is_json():
    known = {"reason": "Schönheit, \"or\" '=1'", "until": "2030-01-01", "expired": False}
    (row,) = told(results((passing(known=known, tables={"grey": {"color": 0.5}}), [])))
    assert json.loads(row["known"]) | known == json.loads(row["known"])
    assert json.loads(row["tables"]) == {"grey": {"color": 0.5}}
    assert (row["told"], row["wordings"]) == (None, None)


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_a_column_has_one_type(column):
    types = {"text": str, "JSON": str, "number": float, "whole number": int, "flag": bool}
    found = small((passing("test_grey_drops", gates=True, rate=0, p=1), []))  # whole numbers in JSON
    place = COLUMNS.index(column)
    cells = [row[place] for row in table_rows(found) if row[place] is not None]
    assert [type(cell) for cell in cells] == [types[column.kind]] * len(cells)
