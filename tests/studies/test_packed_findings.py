from dataclasses import replace

from tests.studies.test_power import found
from vlcheck.policy.policy import Rule
from vlcheck.studies.packed_findings import findings_as_bytes, findings_of_bytes


def test_findings_come_to_the_same_verdict_in_another_process():
    here = [found([1.0] * 40 + [-1.0] * 3 + [None]), replace(found([0.5] * 7), hollow="it guesses")]
    there = findings_of_bytes(findings_as_bytes(here), [one.behavior for one in here])
    assert [one.verdict(Rule()) for one in there] == [one.verdict(Rule()) for one in here]
    assert [one.hollow for one in there] == ["", "it guesses"]
    assert [each.sample.case for each in there[0].each] == [each.sample.case for each in here[0].each]
