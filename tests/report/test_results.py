"""The results file, whole and broken."""

import json

import pytest

from vlcheck.errors import UsageError
from vlcheck.report.results import Part, Results, encoded, gather, read, write

RUN = {"kind": "run", "schema": 1, "name": "a model"}


def verdict(test="test_a", status="pass"):
    return {"kind": "verdict", "test": test, "behavior": "a", "metric": "mlm", "status": status}


def row(case, test="test_a"):
    return {"kind": "evidence", "test": test, "metric": "mlm", "case": case}


def image(key):
    return {"kind": "image", "key": key, "sha256": key, "jpeg": ""}


def test_parts_come_together_with_each_image_once(tmp_path):
    for name, test in (("gw0", "test_b"), ("gw1", "test_a")):
        part = Part(tmp_path, name)
        part.keep([RUN])
        part.keep([image("i"), row("one", test), verdict(test)])
        part.keep([image("i"), image("j"), row("two", test), verdict(test)])
    results = gather(tmp_path)
    written = [json.loads(text) for text in results.lines()]
    assert [line["test"] for line in written if line["kind"] == "verdict"] == ["test_a", "test_b"]
    assert list(results.images) == ["i", "j"]
    assert results.rows(("test_a", "a", "mlm")) == [row("two")]
    assert (tmp_path / "gw0.part.jsonl").read_text().count('"image"') == 2


@pytest.mark.parametrize("kept", [1, 20, 120])
def test_a_part_that_was_cut_short_holds_whole_verdicts_and_no_half_one(tmp_path, kept):
    part = Part(tmp_path, "gw0")
    part.keep([row("one"), verdict()])
    whole = (tmp_path / "gw0.part.jsonl").read_text()
    part.keep([row("two", "test_b"), verdict("test_b")])
    path = tmp_path / "gw0.part.jsonl"
    path.write_text(path.read_text()[: len(whole) + kept])
    results = gather(tmp_path)
    assert [key[0] for key in results.verdicts] == ["test_a"]
    assert results.rows(("test_a", "a", "mlm")) == [row("one")]


def test_what_is_written_is_read_again(tmp_path):
    results = Results(RUN)
    results.add(map(encoded, [image("i"), row("caf\u00e9 \u2028"), verdict()]))
    write(tmp_path / "results.jsonl", results)
    assert read(tmp_path / "results.jsonl") == results
    assert json.loads((tmp_path / "results.jsonl").read_text().splitlines()[0]) == RUN


def test_a_file_that_cannot_be_written_is_named_and_leaves_nothing(tmp_path):
    (tmp_path / "results.jsonl").mkdir()
    with pytest.raises(UsageError, match=r"--vl-results .*results\.jsonl: cannot be written"):
        write(tmp_path / "results.jsonl", Results(RUN))
    assert [path.name for path in tmp_path.iterdir()] == ["results.jsonl"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", ":1: not JSON"),
        ("[1]", ":1: no line of a results file"),
        (json.dumps(RUN) + '\n{"kind": "nothing"}', ":2: no line of a results file"),
        (json.dumps(RUN | {"schema": 2}), ":1: schema 2; this vlcheck reads schema 1"),
        ("", "holds no run"),
    ],
)
def test_a_file_that_holds_no_results_is_refused_by_line(tmp_path, text, said):
    path = tmp_path / "results.jsonl"
    path.write_text(text)
    with pytest.raises(UsageError, match=said):
        read(path)
