"""Whatever a results file holds, it is refused by line, or everything that reads it does."""

import json
from pathlib import Path

import pytest

from tests.report.pages import of_a_control, small
from vlcheck._util.typed import json_schema, keys_of
from vlcheck.errors import UsageError
from vlcheck.report.markdown.model_card import card
from vlcheck.report.page import draw
from vlcheck.report.text.comparison import comparison_lines
from vlcheck.results.comparison import compare_runs
from vlcheck.results.file import read
from vlcheck.results.schema import RECORDS, Line

ABSENT = object()
VALUES = (ABSENT, None, True, -1, 10**400, float("nan"), 1e308, "", "\ud800", [], [None], [[]], {}, {"a": None})
VALUES += ({"a": {}}, {"a": {"n": None}}, {"a": "b"}, [{"a": None}], [["a", None]], [[1, 2, 3, 1e308]])
CHECKED = [
    (kind, name) for kind in RECORDS for name, key in keys_of(RECORDS[kind]).items() if key.accepted != "any value"
]


@pytest.fixture
def spoilt(tmp_path):
    """A results file, one value of the first line of a kind spoilt: its path, and the line's number."""

    def write(kind, key, value):
        found = [json.loads(text) for text in of_a_control().lines()]
        at = next(number for number, line in enumerate(found) if line["kind"] == kind)
        found[at] |= {key: value}
        if value is ABSENT:
            del found[at][key]
        path = tmp_path / "results.jsonl"
        path.write_text("\n".join(map(json.dumps, found)))
        return path, at + 1

    return write


@pytest.mark.parametrize(("kind", "key"), CHECKED)
def test_a_value_is_refused_by_line_or_read_by_all(spoilt, kind, key):
    refused = 0
    for value in VALUES:
        path, line = spoilt(kind, key, value)
        try:
            found = read(path)
        except UsageError as error:
            orphans = "of which no verdict follows" in str(error)  # which a verdict of another name leaves
            assert orphans or str(error).startswith(f"{path}:{line}: ")  # noqa: PT017 - what is not refused is fine
            refused += 1
            continue
        compared = compare_runs(small(), found)
        assert all(map(str.isprintable, comparison_lines(compared)))
        assert draw(found, source="r", beside=found, comparison=compared).encode()
        assert card(found).encode()
    assert refused


def test_the_json_schema_in_the_docs_is_that_of_the_records():
    """`python -m vlcheck.results.schema > docs/results.schema.json` writes it."""
    path = Path(__file__).parents[2] / "docs" / "results.schema.json"
    assert json.loads(path.read_text(encoding="utf-8")) == json.loads(json.dumps(json_schema(Line)))


@pytest.mark.parametrize("kind", ["run", "image", "evidence", "verdict"])
def test_lines_of_what_is_needed_alone_are_read_by_all(tmp_path, kind):
    needed = {name for name, key in keys_of(RECORDS[kind]).items() if key.required} | {"kind"}
    full = [json.loads(text) for text in small().lines()]
    bare = [{key: line[key] for key in needed} if line["kind"] == kind else line for line in full]
    path = tmp_path / "results.jsonl"
    path.write_text("\n".join(map(json.dumps, bare)))
    found = read(path)
    assert draw(found, source="r", beside=small(), comparison=compare_runs(found, small()))
    assert card(found)
