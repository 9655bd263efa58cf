"""Where the masked word and the match disagree is counted case by case, and shown."""

import json

import pytest

from vlcheck.report.text import summary
from vlcheck.results.agreement import Agreement, agreements
from vlcheck.results.file import ResultLines

SHOWN = {"image": "i", "perturbed": None, "texts": []}
ABOUT = {"bias": "color", "score_kind": "a kind", "reason": ""}


def results(mlm, itm, statuses=("pass", "fail"), claim="rate"):
    """Of one behavior, with these margins by case under each metric."""
    lines = []
    for metric, margins, status in (("mlm", mlm, statuses[0]), ("itm", itm, statuses[1])):
        test = f"test_a.py::test_a[{metric}]"
        for case, margin in margins.items():
            row = {"kind": "evidence", "test": test, "case": case, "perturbation": "grey v1", "margin": margin}
            lines.append(json.dumps(row | SHOWN))
        verdict = {"kind": "verdict", "test": test, "behavior": "test_a", "metric": metric, "status": status}
        lines.append(json.dumps(verdict | ABOUT | {"claim": claim}))
    found = ResultLines()
    found.add(lines)
    return found


def test_rows_are_paired_by_case_and_those_that_count_under_one_metric_alone_are_left_out():
    mlm = {"a": 0.1, "b": 0.0, "c": -0.2, "d": 0.3, "e": None}
    itm = {"a": 0.2, "b": 0.1, "c": -0.1, "d": -0.4, "e": -0.5, "f": -0.5}
    (found,) = agreements(results(mlm, itm))
    assert found == Agreement("test_a", ("pass", "fail"), neither=1, both=1, mlm=1, itm=1)
    assert found.n == 4


@pytest.mark.parametrize(
    ("statuses", "itm", "shown"),
    [
        (("pass", "fail"), 0, True),
        (("pass", "pass"), 1, False),
        (("pass", "pass"), 2, True),
        (("fail", "fail"), 0, False),
        (("pass", "not asked"), 1, False),
        (("not asked", "pass"), 2, True),
        (("invalid", "pass"), 1, False),
        (("inconclusive", "pass"), 0, True),
    ],
)
def test_verdicts_that_differ_or_a_tenth_of_the_rows_are_shown(statuses, itm, shown):
    margins = {str(i): 0.1 for i in range(20)}
    found = results(margins, {case: -0.1 if int(case) < itm else 0.1 for case in margins}, statuses)
    lines = list(summary.disagreement_lines(found))
    assert bool(lines) == shown
    cells = ["test_a", *statuses, str(20 - itm), "0", str(itm), "0", "20"]
    assert not shown or lines[1].split() == " ".join(cells).split()


def test_where_no_row_counts_under_both_nothing_is_said_to_disagree():
    assert list(summary.disagreement_lines(results({"a": 0.1}, {"b": -0.1}))) == []


def test_what_a_test_is_parametrized_with_beside_the_metric_keeps_its_rows_apart():
    lines = []
    for one in ("big", "small"):
        for metric in ("mlm", "itm"):
            test = f"test_a.py::test_a[{one}-{metric}]"
            margin = -0.1 if (one, metric) == ("big", "itm") else 0.1
            row = {"kind": "evidence", "test": test, "case": "a", "perturbation": "", "margin": margin}
            verdict = {"kind": "verdict", "test": test, "behavior": "test_a", "metric": metric, "status": "pass"}
            lines += [json.dumps(row | SHOWN), json.dumps(verdict | ABOUT | {"claim": "rate"})]
    found = ResultLines()
    found.add(lines)
    assert [(one.itm, one.neither) for one in agreements(found)] == [(1, 0), (0, 1)]


def test_a_mean_has_no_violations_to_compare():
    assert list(agreements(results({"a": 0.1}, {"a": 0.1}, claim="mean"))) == []
