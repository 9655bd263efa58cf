"""No model that is broken on purpose comes out green."""

import json

import pytest

from benchmarks.sabotaged import NAMES, RESULTS, examined
from tests.warm_python import warm_python


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_it_is_red_and_says_why(name, monkeypatch):
    monkeypatch.setattr("sys.executable", warm_python().command)
    found = examined(name, "scenes:30")
    counts = found["verdicts"]
    assert found["exit_status"] == 1
    assert sum(counts.values()) == 62
    assert counts["fail"] + counts["invalid"] > counts["pass"] + counts["inconclusive"]
    assert found["fails"] or counts["invalid"] == 62
    assert not counts["invalid"] or found["invalid"]


@pytest.mark.parametrize(
    ("name", "reason"), [("constant", "the score is constant"), ("not_a_number", "scores are not finite")]
)
def test_what_says_nothing_is_invalid_throughout(name, reason):
    stored = {one["name"]: one for one in json.loads(RESULTS.read_text())["scenes"]}
    assert stored[name]["verdicts"] == {"invalid": 62}
    assert stored[name]["invalid"] == [reason]


@pytest.mark.parametrize("data", ["scenes", "photographs"])
def test_what_was_measured_is_of_all_of_them_and_red(data):
    stored = json.loads(RESULTS.read_text())[data]
    assert [one["name"] for one in stored] == list(NAMES)
    assert {one["exit_status"] for one in stored} == {1}
