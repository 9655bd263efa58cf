"""What trackers keep of a run: a metric a verdict, searchable tags, and how it ended."""

import re

import pytest

from tests.report import pages
from vlcheck import __version__
from vlcheck.export import tracked
from vlcheck.export.tracked import metric_name
from vlcheck.results.records import VerdictRecord
from vlcheck.results.schema import record_of


def tracked_run(results):
    return tracked.tracked_run(results, __version__)


def judged(**changes) -> VerdictRecord:
    return record_of(pages.verdict(**changes))


def test_each_verdict_with_a_figure_is_a_metric_named_for_its_bias_and_its_anchor():
    test = "behavior_tests/test_position.py::test_mirror_swaps_sides[itm]"
    named = pages.verdict(behavior="test_mirror_swaps_sides", metric="itm", test=test, bias="position")
    assert "position/mirror-swaps-sides-itm/violation_rate" in tracked_run(pages.results((named, []))).metrics
    found = tracked_run(pages.small())
    figures = {name.rpartition("/")[2]: value for name, value in found.metrics.items() if name.count("/") == 2}
    assert figures["mean"] == 0.12
    assert sorted(value for name, value in found.metrics.items() if name.endswith("rate")) == [0.0, 0.666667]
    counts = {"verdicts/fail": 1, "verdicts/pass": 1, "verdicts/inconclusive": 1, "verdicts/invalid": 1}
    assert {name: found.metrics[name] for name in counts} == counts
    assert (found.metrics["biases/fail"], found.metrics["verdicts/without"]) == (1, 0)


def test_two_tests_of_one_name_have_two_metrics():
    two = [(pages.verdict(test=f"t.py::test_grey[{number}]"), []) for number in "12"]
    assert sum(name.endswith("violation_rate") for name in tracked_run(pages.results(*two)).metrics) == 2


@pytest.mark.parametrize("bias", ["a/b", "::error ::x", "x\x1b[31m\n", "", "模型", "y" * 1_000])
def test_a_hostile_bias_is_a_name_that_trackers_take(bias):
    assert re.fullmatch(r"[\w .-]+/[\w.-]+/violation_rate", metric_name(judged(bias=bias), "an-anchor"), re.ASCII)
    assert len(metric_name(judged(bias=bias), "z" * 120)) < 250


def test_a_run_that_came_to_its_end_is_ended_whatever_its_verdicts():
    found = tracked_run(pages.small(run={"exit_status": 1, "run_id": "7"}))
    assert (found.ended, found.exit_status, found.tags["vlcheck.status"]) == (True, 1, "ended")
    assert (found.tags["vlcheck.conclusion"], found.tags["vlcheck.run_id"]) == ("fail", "7")
    assert found.sentence.startswith("Fails 1 of 2 biases (color)")


@pytest.mark.parametrize("status", [None, 2, 137])
def test_a_run_that_was_stopped_or_killed_is_stopped_and_keeps_the_verdicts_that_it_has(status):
    lacking = ["t.py::test_later[mlm]", "t.py::test_last[mlm]"]
    found = tracked_run(pages.small(run={"exit_status": status, "unjudged": lacking}))
    assert (found.ended, found.exit_status, found.tags["vlcheck.status"]) == (False, status, "stopped")
    assert found.metrics["verdicts/without"] == 2
    assert found.sentence.startswith("Stopped: 2 of 6 tests have no verdict.")
    assert found.metrics["verdicts/fail"] == 1


def test_the_version_that_asked_and_the_one_that_exports_are_two_tags():
    found = tracked_run(pages.small(run={"versions": {"vlcheck": "0.0.9"}}))
    assert (found.tags["vlcheck.version"], found.tags["vlcheck.exported_by"]) == ("0.0.9", __version__)
    assert tracked_run(pages.small(run={"versions": {}})).tags["vlcheck.version"] == "unknown"


def test_parameters_are_what_was_asked_how():
    said = {"images": 6, "seed": 3, "device": "cuda", "dtype": "bfloat16", "setup": {"pictures": "64x64"}}
    found = tracked_run(pages.small(run=said)).parameters
    assert (found["name"], found["data"], found["images"], found["seed"]) == ("a-model", "scenes:6", "6", "3")
    assert (found["scores.mlm"], found["setup.pictures"], found["dtype"]) == ("masked-lm", "64x64", "bfloat16")
    assert tracked_run(pages.small(run={"setup": {"x": "y" * 10_000}})).parameters["setup.x"] == "y" * 5_000
