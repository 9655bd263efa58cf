"""Verdicts in several wordings: chance over a border is no dependence, and nothing decided is no sameness."""

from __future__ import annotations

import pytest

from tests.report.pages import invalid, mean, passing, results, unasked, verdict
from vlcheck.results.conclusion import conclude
from vlcheck.results.schema import record_of
from vlcheck.results.wordings import depends_on_wording, wording_notes

WORDINGS = ["usual", "second", "third"]
LISTED = "Wordings: 1 usual; 2 second; 3 third."
SAME = "1 verdict on a question in words: the same in all wordings."
NONE = "No verdict on a question in words was decided: nothing shows whether they depend on the wording."


def in_others(one, *statuses):
    said = [
        {"wording": wording, "status": status, "reason": "", "n": 6}
        for wording, status in zip(WORDINGS[1:], statuses, strict=True)
    ]
    return {**one, "wordings": said}


def noted(*verdicts):
    lines = results(*((one, []) for one in verdicts), run={"wordings": WORDINGS})
    return [*wording_notes(lines.run, [*lines.verdicts.values()])]


@pytest.mark.parametrize(
    "one", [unasked(metric="itm"), invalid(), mean()], ids=["not asked", "invalid", "inconclusive"]
)
def test_what_is_decided_in_no_wording_is_not_called_the_same(one):
    assert noted(in_others(one, one["status"], one["status"])) == [NONE, LISTED]


def test_what_is_decided_in_all_wordings_is_counted_apart_from_what_is_not():
    found = noted(in_others(passing(), "pass", "pass"), in_others(unasked(metric="itm"), "not asked", "not asked"))
    assert found == [SAME, LISTED]


@pytest.mark.parametrize(
    ("one", "others", "depends"),
    [
        (passing(), ("fail", "pass"), True),
        (verdict(), ("pass", "inconclusive"), True),
        (mean(), ("pass", "fail"), True),
        (passing(), ("inconclusive", "pass"), False),
        (verdict(), ("inconclusive", "fail"), False),
        (passing(), ("not asked", "invalid"), False),
    ],
)
def test_a_verdict_depends_on_the_wording_if_it_passes_in_one_and_fails_in_another(one, others, depends):
    record = record_of(in_others(one, *others))
    assert depends_on_wording(record) is depends
    (first, last) = noted(in_others(one, *others))
    said = f"({one['status']}; {others[0]} and {others[1]} in others)"
    assert ("depends on the wording" in first, "shows no dependence" in first) == (depends, not depends)
    assert said in first
    assert last == LISTED


def test_only_a_pass_that_fails_in_another_wording_takes_the_green_from_a_run():
    tones = []
    for other in ("fail", "inconclusive", "pass"):
        lines = results((in_others(passing(), other, "pass"), []), run={"wordings": WORDINGS, "complete": True})
        tones.append((conclude(lines).tone, "depends on the wording" in conclude(lines).sentence))
    assert [said for _, said in tones] == [True, False, False]
