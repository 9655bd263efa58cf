"""The verdicts of a file without their evidence: equal to those of the whole, and as sure that the file is whole."""

import json

import pytest

from tests.report.pages import explanation, of_a_control, small
from vlcheck.errors import UsageError
from vlcheck.results.file import read, write_results
from vlcheck.results.verdict_lines import read_verdicts


@pytest.fixture
def kept(tmp_path):
    path = tmp_path / "results.jsonl"
    write_results(path, small(run={"unjudged": ["t.py::test_late[mlm]"]}))
    return path


def test_the_run_and_the_verdicts_are_those_of_the_whole_file_and_no_evidence_is_there(kept):
    found, whole = read_verdicts(kept), read(kept)
    assert (found.run, found.verdicts) == (whole.run, whole.verdicts)
    assert found.run.unjudged == ["t.py::test_late[mlm]"]
    assert (len(found.images), len(found.explanations), sum(map(len, found.evidence.values()))) == (0, 0, 0)
    assert (len(whole.images), len(whole.explanations)) == (2, 2)


def test_what_processes_said_of_the_model_is_read(tmp_path):
    write_results(tmp_path / "r.jsonl", of_a_control())
    found, whole = read_verdicts(tmp_path / "r.jsonl"), read(tmp_path / "r.jsonl")
    for name in ("identities", "precisions", "words", "faults"):
        assert getattr(found, name) == getattr(whole, name)
        assert getattr(found, name)


def test_lines_that_others_have_spelled_are_counted_as_well(kept):
    """Another order of the keys: these lines are read, and left out."""
    lines = [json.loads(line) for line in kept.read_text().splitlines()]
    kept.write_text("".join(f"{json.dumps(dict(reversed(line.items())))}\n" for line in lines))
    assert read_verdicts(kept).verdicts == read(kept).verdicts


def without(*places):
    return lambda lines: [line for place, line in enumerate(lines) if place not in places]


DAMAGE = {
    "a line lost": (without(3), "r.jsonl:1: promises"),
    "cut after a line": (lambda lines: lines[:-1], "r.jsonl:1: promises"),
    "a verdict twice": (lambda lines: [*lines, lines[-1]], "r.jsonl:1: promises"),
    "two runs": (lambda lines: [*lines, lines[0]], "begins a second run after that of line 1"),
    "a picture torn": (lambda lines: [lines[0], lines[1][:20], *lines[2:]], "r.jsonl:2: not JSON"),
    "cut within a line": (lambda lines: [*lines[:-1], lines[-1][:-30]], "not JSON"),
    "a later version": (lambda lines: [lines[0].replace('"schema": 1', '"schema": 2')], "schema 2; this vlcheck reads"),
    "no run": (lambda lines: lines[1:], "holds no run"),
    "empty": (lambda lines: [], "not JSON"),
    "no text": (lambda lines: ["\udcff"], "cannot be read as a results file"),
}


@pytest.mark.parametrize(("spoil", "said"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_refused_by_name(kept, tmp_path, spoil, said):
    path = tmp_path / "r.jsonl"
    spoilt = "\n".join(spoil(kept.read_text().splitlines()))
    path.write_bytes(f"{spoilt}\n".encode(errors="surrogateescape"))
    with pytest.raises(UsageError) as raised:
        read_verdicts(path)
    assert str(path) in str(raised.value)
    assert said in str(raised.value)


def test_a_line_of_evidence_that_was_torn_is_no_line_that_is_read_over(kept, tmp_path):
    lines = kept.read_text().splitlines()
    place = next(at for at, line in enumerate(lines) if line.startswith('{"kind": "evidence"'))
    lines[place] = lines[place][:-9]
    (tmp_path / "r.jsonl").write_text("\n".join(lines))
    with pytest.raises(UsageError, match=rf"r.jsonl:{place + 1}: not JSON"):
        read_verdicts(tmp_path / "r.jsonl")


def test_explanations_are_left_out(kept):
    assert explanation("before")["kind"] in kept.read_text()
    assert read_verdicts(kept).explanations == []
