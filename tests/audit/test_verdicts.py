"""Causes beside verdicts: each pair of a cause and a status is said in words, and nothing is green out of nothing."""

import msgspec
import pytest

from tests.audit.documents import COLORS, FEW, PICTURES, SIDES, fails_position, of_status, report, without_verdict
from tests.report.pages import passing, results
from vlcheck.audit.verdicts import NO_TEST, cause_of, findings_by_bias, run_beside
from vlcheck.stats.decision import BY_GRAVITY


def beside(found, *findings):
    return {one.bias: one for one in run_beside(report(*findings), found, "r.jsonl").biases}


def test_the_cause_stands_beside_the_gravest_verdict_of_its_bias():
    found = beside(fails_position())
    assert {bias: (one.cause, one.status) for bias, one in found.items()} == {
        "modality": ("not examined", NO_TEST),
        "color": ("not found", "pass"),
        "position": ("found", "fail"),
        "robustness": ("not examined", "not asked"),
    }
    assert list(found) == ["modality", "color", "position", "robustness"]
    assert found["position"].sentence == f"Fails position. {SIDES.says}"
    assert found["color"].sentence == "Passes color. No cause is found."
    assert found["modality"].conclusion == "no cause was looked for; the run did not ask about it"


@pytest.mark.parametrize(
    ("finding", "status", "said"),
    [
        (SIDES, "fail", "a cause is found, and the model fails"),
        (SIDES, "pass", "a cause is found, but the model passes"),
        (SIDES, "inconclusive", "a cause is found; the run has too few images to tell"),
        (COLORS, "fail", "the model fails, and no cause is found"),
        (COLORS, "pass", "neither: no cause is found, and the model passes"),
        (COLORS, "invalid", "no cause is found; the model's answers cannot be judged"),
        (FEW, "fail", "the model fails, and there are too few captions to tell of a cause"),
        (FEW, "pass", "the model passes, and there are too few captions to tell of a cause"),
        (FEW, "invalid", "there are too few captions to tell of a cause; the model's answers cannot be judged"),
        (PICTURES, "fail", "the model fails, and no cause was looked for"),
        (PICTURES, "pass", "the model passes, and no cause was looked for"),
        (PICTURES, "not asked", "no cause was looked for; the data of the run has too few images"),
    ],
)
def test_both_are_said_in_words(finding, status, said):
    one = beside(of_status(status, finding.bias), finding)[finding.bias]
    assert (one.status, one.conclusion) == (status, said)


@pytest.mark.parametrize("status", BY_GRAVITY)
@pytest.mark.parametrize("finding", [SIDES, COLORS, FEW, PICTURES])
def test_each_pair_has_words(finding, status):
    one = beside(of_status(status, finding.bias), finding)[finding.bias]
    assert one.sentence.endswith(".")
    assert one.conclusion


def test_a_test_without_a_verdict_does_not_pass():
    one = beside(without_verdict(), SIDES)["position"]
    assert (one.status, one.conclusion) == (
        "no verdict",
        "a cause is found; the run has no verdict on some of its tests",
    )


def test_a_finding_that_never_names_a_cause_examines_nothing():
    figure = msgspec.structs.replace(COLORS, limit=None, status="")
    assert cause_of([figure]) == "not examined"
    assert cause_of([figure, COLORS]) == "not found"
    assert cause_of([COLORS, FEW]) == "inconclusive"
    assert cause_of([SIDES, COLORS, FEW]) == "found"
    assert cause_of([]) == "not examined"


def test_causes_come_first_and_what_bears_on_no_bias_last():
    idle = msgspec.structs.replace(PICTURES, bias="position", check="places")
    other = msgspec.structs.replace(COLORS, bias="position")
    nothing = msgspec.structs.replace(COLORS, bias="")
    by_bias = findings_by_bias([nothing, idle, other, SIDES])
    assert list(by_bias) == ["position", ""]
    assert by_bias["position"] == (SIDES, other, idle)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (fails_position(complete=False), "Not the whole suite was asked."),
        (fails_position(sees=False), "This model sees no picture"),
        (without_verdict(), "Stopped: 1 of 1 test has no verdict."),
        (results((passing(bias="mood"), [])), "It asked about mood, of which the audit knows no cause."),
        (results((passing(bias="grounding"), [])), "It asked about grounding, of which the audit knows no cause."),
    ],
)
def test_a_run_that_cannot_say_all_says_so(found, said):
    assert any(note.startswith(said) for note in run_beside(report(), found, "r.jsonl").notes)


def test_a_wrapped_model_is_told_from_what_captions_made():
    wrapper = {
        "wrapper": "symmetrised",
        "says": "answers are means of two",
        "model": "tiny-mirror",
        "fingerprint": "ab",
    }
    (note,) = run_beside(report(), fails_position(wrappers=[wrapper]), "r.jsonl").notes
    assert note.startswith("symmetrised wraps tiny-mirror (fingerprint ab): answers are means of two.")
    assert "not what captions alone made" in note


def test_a_whole_run_has_no_note():
    assert run_beside(report(), fails_position(), "r.jsonl").notes == ()


def test_a_bias_of_the_users_own_is_there():
    assert beside(results((passing(bias="mood"), [])))["mood"].conclusion == (
        "the model passes, and no cause was looked for"
    )
