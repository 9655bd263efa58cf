"""The page's file is written whole or not at all, from results that may be damaged or say less."""

import json
import re

import pytest

from tests.report import pages
from tests.report.pages import results, row, small, verdict
from vlcheck.errors import UsageError
from vlcheck.report.page import check_page_path, draw, write_page
from vlcheck.report.page.document import START
from vlcheck.results.file import read, write_results


def test_the_page_is_not_written_over_what_is_none(tmp_path):
    other = tmp_path / "other.html"
    other.write_text("<!doctype html>\n<html>mine</html>")
    with pytest.raises(UsageError, match=r"--to .*other\.html: is there and is no report of vlcheck's"):
        check_page_path(other, {}, "--to")
    with pytest.raises(UsageError, match="there is no folder"):
        check_page_path(tmp_path / "absent" / "r.html", {}, "--vl-report")
    with pytest.raises(UsageError, match="is what --vl-results names as well"):
        check_page_path(tmp_path / "r", {"--vl-results": tmp_path / "r"}, "--vl-report")
    write_page(tmp_path / "r.html", draw(small(), source="r"), "--to")
    with pytest.raises(UsageError, match=r"^--vl-report .*verdicts\.csv: has to end in \.html or \.htm\."):
        check_page_path(tmp_path / "verdicts.csv", {}, "--vl-report")
    check_page_path(tmp_path / "r.html", {"--vl-results": tmp_path / "r"}, "--to")
    assert (tmp_path / "r.html").read_text(encoding="utf-8").startswith(START)


def test_a_page_that_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "r.html").mkdir()
    with pytest.raises(UsageError, match=r"--vl-report .*r\.html: cannot be written"):
        write_page(tmp_path / "r.html", "page", "--vl-report")
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]


@pytest.mark.parametrize(
    ("kind", "changes", "said"),
    [
        ("verdict", {"status": "green"}, "'status', which has to be one of fail, invalid, inconclusive, pass"),
        ("verdict", {"rate": "0.1"}, "'rate', which has to be a number or null"),
        ("verdict", {"band": [1]}, "'band', which has to be two numbers or null"),
        ("verdict", {"tables": {"a": {"b": []}}}, "'tables', which has to be an object of tables"),
        ("evidence", {"texts": [1]}, "'texts', which has to be a list of texts"),
        ("evidence", {"top_after": [["a"]]}, "'top_after', which has to be a list of words"),
        ("evidence", {"boxes": [[1, 2, 3]]}, "'boxes', which has to be a list of boxes"),
        ("evidence", {"scores": [{"a": "b"}]}, "'scores', which has to be a list of objects"),
    ],
)
def test_damaged_results_are_named_with_their_line(tmp_path, kind, changes, said):
    lines = [json.loads(text) for text in small().lines()]
    place = next(number for number, line in enumerate(lines) if line["kind"] == kind)
    lines[place] |= changes
    path = tmp_path / "results.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(UsageError, match=re.escape(f"{path}:{place + 1}: {kind} line without {said}")):
        read(path)


def test_results_that_say_less_are_drawn_all_the_same(tmp_path):
    """Of another vlcheck, or made by hand: only what readers rely on."""
    names = ("kind", "test", "bias", "behavior", "metric", "score_kind", "claim", "status", "reason")
    least = {key: value for key, value in verdict().items() if key in names}
    known = (
        "vision_language",
        "left_right",
        "color_grey",
        "against_noise",
        "under_each",
        "modalities",
        "synergy",
        "map_by_cell",
        "vision_for_language",
    )
    least |= {"tables": {name: {"left_is_true_n": None} for name in known}}
    evidence = {key: row("one", -0.1)[key] for key in ("kind", "case", "image", "perturbed", "texts", "margin")}
    run = {key: pages.RUN[key] for key in ("kind", "schema", "name", "fingerprint", "data", "started")}
    found = results((least, [evidence]), run=run)
    path = tmp_path / "results.jsonl"
    write_results(path, found)
    assert "Fails 1 of 1 bias: color." in draw(read(path), source="r")
