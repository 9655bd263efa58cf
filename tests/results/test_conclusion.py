"""What a run comes to: nothing green comes out of nothing or of a part, and the gravest is said first."""

import pytest

from tests.report.pages import invalid, mean, passing, results, row, small, unasked, verdict
from vlcheck.results.bias_matrix import bias_matrix, gravest_first
from vlcheck.results.comparison import compare_runs
from vlcheck.results.conclusion import conclude
from vlcheck.results.schema import record_of

KNOWN = {"reason": "issue 7", "until": "2027-01-31", "expired": False}
COLOR = {"behavior": "", "bias": "color", "metric": "", "stale": "remove known[1]"}


def said(*verdicts, **run):
    return conclude(results(*((one, []) for one in verdicts), run=run))


def test_the_sentence_names_what_fails_and_the_notes_what_was_not_decided_or_asked():
    found = conclude(small())
    assert (found.tone, found.sentence) == ("fail", "Fails 1 of 2 biases (color), the other is invalid; none passes.")
    assert found.counts == "Of 4 verdicts, 1 fails, 1 is invalid, 1 is inconclusive, 1 passes."
    assert found.notes == (
        "Invalid (in position): neither good nor bad (the model knows too few cases).",
        "Inconclusive (in position): too few images to tell.",
        "No test was run on modality, order, place, robustness.",
    )


def test_that_the_contract_was_never_tried_or_is_broken_is_a_note_and_no_more():
    plain = said(passing(), complete=True)
    assert said(passing(), complete=True, contract={"tried": True, "broken": []}) == plain
    untried = said(passing(), complete=True, contract={"tried": False, "broken": []})
    assert (untried.tone, untried.sentence) == (plain.tone, plain.sentence)
    assert untried.notes == (
        *plain.notes,
        "The contract was not tried on this model as it is loaded and installed here: vlcheck models check tells"
        " whether its answers can be relied on.",
    )
    broken = said(passing(), complete=True, contract={"tried": True, "broken": [f"itm: {n}" for n in range(7)]})
    assert broken.tone == plain.tone
    assert broken.notes[-1] == (
        "The model breaks the contract (vlcheck models check): itm: 0; itm: 1; itm: 2; itm: 3; itm: 4 and 2 more."
    )


@pytest.mark.parametrize(
    ("verdicts", "tone", "sentence"),
    [
        ([], "invalid", "No verdict came of this run: nothing was checked."),
        ([mean()], "inconclusive", "Nothing was decided: this run says nothing about the model."),
        ([invalid(), mean()], "invalid", "Nothing was decided: this run says nothing about the model."),
        ([passing(), mean()], "inconclusive", "No bias in what was decided: 1 of 2 biases passes."),
        (
            [passing(), invalid(bias="color")],
            "invalid",
            "No bias in what was decided: the one that was asked about does not pass.",
        ),
        (
            [passing(), invalid(bias="color"), mean()],
            "invalid",
            "No bias in what was decided: none of 2 biases passes.",
        ),
        ([passing()], "pass", "Passes 1 bias: color."),
        ([passing(), mean("pass")], "pass", "Passes all 2 biases: color, position."),
    ],
)
def test_nothing_green_comes_out_of_nothing(verdicts, tone, sentence):
    found = said(*verdicts)
    assert (found.tone, found.sentence) == (tone, sentence)


@pytest.mark.parametrize(
    ("verdicts", "tone", "sentence", "counts"),
    [
        (
            [passing(), mean("pass"), unasked(), unasked(metric="itm")],
            "pass",
            "Passes all 2 biases in what was asked: color, position.",
            "Of 4 verdicts, 2 pass, 2 are not asked.",
        ),
        (
            [passing(), unasked()],
            "partial",
            "Passes 1 of 2 biases: color. Nothing was asked about the others.",
            "Of 2 verdicts, 1 passes, 1 is not asked.",
        ),
        (
            [unasked(), unasked(metric="itm")],
            "inconclusive",
            "Nothing was decided: this run says nothing about the model.",
            "Of 2 verdicts, 2 are not asked.",
        ),
        (
            [passing(), unasked(), invalid()],
            "invalid",
            "No bias in what was decided: 1 of 2 biases passes.",
            "Of 3 verdicts, 1 is invalid, 1 passes, 1 is not asked.",
        ),
        (
            [verdict(), unasked()],
            "fail",
            "Fails 1 of 2 biases (color), the other is not asked; none passes.",
            "Of 2 verdicts, 1 fails, 1 is not asked.",
        ),
    ],
)
def test_a_bias_that_was_not_asked_about_is_never_said_to_pass(verdicts, tone, sentence, counts):
    found = said(*verdicts)
    assert (found.tone, found.sentence, found.counts) == (tone, sentence, counts)
    assert "Not asked (in position): no model could pass on these images." in found.undecided


def test_tests_of_which_no_image_counts_say_why_each_reason_once():
    none = {"n": 0, "reason": "the data has no case for it (minral)"}
    found = said(passing(), unasked(**none), unasked(metric="itm", **none), unasked("test_few"))
    assert found.undecided[-1] == "Not asked: test_sides_swap (the data has no case for it (minral))."


def test_what_is_required_and_not_decided_is_said_once_and_is_not_green():
    shut = "The policy requires a pass or a fail of position, place, and there is none."
    run = {"required": ["color", "position", "place"], "exit_status": 1}
    found = said(passing(), unasked(), **run)
    assert (found.tone, found.sentence.endswith(f"color. Nothing was asked about the others. {shut}")) == (
        "inconclusive",
        True,
    )
    assert shut not in found.notes
    assert said(passing(), required=["place"]).tone == "inconclusive"
    found = said(verdict(), unasked(), **run)
    assert found.sentence == "Fails 1 of 2 biases (color), the other is not asked; none passes."
    assert found.undecided[-1] == shut
    assert said(passing(), verdict(bias="place", known=KNOWN), invalid(), **run).undecided[-1].count("position") == 1
    assert said(passing(), mean("pass"), required=["color", "position"]).tone == "pass"
    found = said(passing(), policy={"path": "policy.toml", "known": [COLOR]}, required=["place"])
    assert (found.tone, found.undecided[-1].startswith("The policy requires")) == ("fail", True)


@pytest.mark.parametrize(
    ("run", "note"),
    [
        ({"complete": False}, "Not the whole suite was asked: tests were left out of this run."),
        ({"complete": None}, "Not the whole suite was asked: tests were left out of this run."),
        ({"unjudged": ["a.py::test_b[mlm]"]}, "Without a verdict: test_b[mlm]."),
        (
            {"complete": False, "exit_status": 1, "unjudged": [f"a.py::t{number}" for number in range(7)]},
            "Without a verdict, since they were left out, skipped, not reached or ended in an error: t0, t1, t2, t3,"
            " t4 and 2 more.",
        ),
    ],
)
def test_a_part_of_the_suite_is_not_green_and_says_what_was_not_asked(run, note):
    found = said(passing(), mean("pass"), **run)
    assert found.tone == "partial"
    assert "Passes what was asked of 2 biases, which is not the whole suite: color, position." in found.sentence
    assert note in found.notes
    nothing = "Nothing was asked with itm (whether picture and text match)"
    assert said(passing(metric="mlm"), **run).notes[1] == f"{nothing}: no test was run with it."
    kinds = {"score_kinds": {"mlm": "masked-lm"}}
    assert said(passing(metric="mlm"), **run | kinds).notes[1] == f"{nothing}: the model has no such score."


def test_a_run_that_ended_before_its_first_verdict_names_what_it_was_to_ask():
    found = said(unjudged=["a.py::test_b[mlm]"])
    assert found.sentence == "Stopped: 1 of 1 test has no verdict. Nothing was checked."
    assert found.notes == ("Without a verdict: test_b[mlm].",)


UNTRAINED = "An untrained or wrongly loaded model does the same: look at the checkpoint first."
SIX = ("modality", "color", "position", "order", "place", "robustness")


@pytest.mark.parametrize(
    ("statuses", "sentence"),
    [
        (
            ("fail", "fail", "fail", "fail", "invalid", "invalid"),
            "Fails 4 of 6 biases (color, modality, order, position), the other 2 are invalid; none passes."
            f" {UNTRAINED}",
        ),
        (
            ("fail", "fail", "invalid", "invalid", "inconclusive", "not asked"),
            "Fails 2 of 6 biases (color, modality), of the others 2 are invalid, 1 is inconclusive, 1 is not asked;"
            " none passes.",
        ),
        (("fail", "fail", "fail", "fail", "invalid", "pass"), "Fails 4 of 6 biases: color, modality, order, position."),
        (("fail",) * 6, f"Fails 6 of 6 biases: color, modality, order, place, position, robustness. {UNTRAINED}"),
    ],
)
def test_where_nothing_passes_the_sentence_says_so_and_what_became_of_the_rest(statuses, sentence):
    found = said(
        *(verdict(f"test_{bias}", bias=bias, status=status) for bias, status in zip(SIX, statuses, strict=True))
    )
    assert (found.tone, found.sentence) == ("fail", sentence)


@pytest.mark.parametrize(
    ("causes", "others", "sentence"),
    [
        (("unknown",) * 3, 2, "3 of 5 verdicts are invalid: the model knows next to nothing. Look at the checkpoint,"),
        (("unknown", "no cases", "unlikely"), 2, "3 of 5 verdicts are invalid: the model knows next to nothing."),
        (
            ("no cases", "no cases", "unknown"),
            2,
            "3 of 5 verdicts are invalid, most of them because cases are missing: look at",
        ),
        (
            ("errors", "not finite", "unknown"),
            2,
            "3 of 5 verdicts are invalid, most of them because answers are not sound:",
        ),
        (("",), 0, "1 of 1 verdict is invalid: the model knows next to nothing. Look at the checkpoint, at its"),
        (("unknown",) * 3, 3, ""),
    ],
)
def test_where_more_than_half_is_invalid_the_sentence_says_where_to_look(causes, others, sentence):
    hollow = [invalid(f"test_{at}", cause=cause) for at, cause in enumerate(causes)]
    found = said(*hollow, *(verdict(f"test_other_{at}") for at in range(others)), unasked("test_few"))
    assert sentence in found.sentence
    assert ("invalid:" in found.sentence or "most of them" in found.sentence) == bool(sentence)


def test_a_sentence_does_not_say_nothing_of_the_model_and_something_at_once():
    assert said(invalid(cause="unknown")).sentence.startswith("Nothing was decided. 1 of 1 verdict is invalid: ")
    assert said(mean()).sentence == "Nothing was decided: this run says nothing about the model."


@pytest.mark.parametrize(
    ("causes", "cell"),
    [
        (["no cases"], "invalid: no cases in this data"),
        (["unknown"], "invalid: knows too few cases"),
        (["unlikely", "constant", "not finite"], "invalid: answers say nothing"),
        (["one image"], "invalid: one image alone"),
        (["unknown", "errors"], "invalid: knows too few cases, could not be scored"),
        (["of another time"], "invalid: of another time"),
        ([None], "invalid"),
    ],
)
def test_what_is_invalid_names_its_cause_in_its_cell(causes, cell):
    found = bias_matrix(map(record_of, [invalid(f"test_{at}", cause=cause) for at, cause in enumerate(causes)]))
    assert found.cells["position", "itm"].said == cell


def test_a_known_bias_still_fails_and_says_that_it_is_known():
    found = said(verdict(known=KNOWN), passing())
    assert (found.tone, found.sentence) == (
        "excused",
        "Fails 1 of 1 bias: color (known, excused until 2027-01-31). Nothing else is held against it.",
    )
    assert found.counts == "Of 2 verdicts, 1 fails, 1 passes; 1 of what fails is known."
    assert said(verdict(known=KNOWN), verdict("test_hue")).sentence == "Fails 1 of 1 bias: color."
    assert said(verdict(known=KNOWN | {"expired": True})).sentence == "Fails 1 of 1 bias: color."


@pytest.mark.parametrize(
    ("others", "run", "said_too"),
    [
        ([invalid(known=None)], {}, "Kept red by test_mirror_swaps[itm] (invalid: knows too few cases)."),
        ([mean()], {"exit_status": 1}, "Kept red by test_right_is_no_favourite[mlm] (inconclusive)."),
        (
            [invalid(f"test_{number}", known=None) for number in range(7)],
            {},
            f"Kept red by {', '.join(f'test_{at}[itm] (invalid: knows too few cases)' for at in range(5))} and 2 more.",
        ),
        ([passing()], {"required": ["place"]}, "The policy requires a pass or a fail of place, and there is none."),
        ([passing()], {"exit_status": 1}, "The run as a whole ended with 1."),
    ],
)
def test_a_known_bias_beside_what_keeps_the_run_red_is_red_and_says_what_that_is(others, run, said_too):
    found = said(verdict("test_known", known=KNOWN), passing("test_pass"), *others, **run)
    assert found.tone == "fail"
    assert "color (known, excused until 2027-01-31)" in found.sentence
    assert said_too in found.sentence
    assert "Nothing else" not in found.sentence


def test_what_does_not_gate_leaves_a_known_bias_excused():
    found = said(verdict(known=KNOWN), passing(), mean(gates=False), exit_status=0)
    assert (found.tone, found.sentence.endswith("Nothing else is held against it.")) == ("excused", True)


def test_a_known_bias_that_is_gone_says_what_is_to_be_done():
    policy = {"path": "policy.toml", "known": [COLOR]}
    found = said(passing(), passing(metric="mlm"), policy=policy)
    assert found.notes[-1] == "remove known[1]"
    assert (found.tone, found.sentence) == (
        "fail",
        "Passes 1 bias: color. A known bias is gone: the policy is out of date.",
    )
    assert "remove known[1]" not in said(passing(), verdict(), policy=policy).notes
    assert "remove known[1]" not in said(passing(), unasked(bias="color"), policy=policy).notes
    assert "remove known[1]" not in said(passing(), policy=policy, complete=False).notes
    behavior = COLOR | {"bias": "", "behavior": "test_grey_preserves", "metric": "mlm"}
    policy = {"path": "policy.toml", "known": [behavior]}
    assert "remove known[1]" in said(passing(metric="mlm"), policy=policy, complete=False).notes
    assert "remove known[1]" not in said(passing(metric="itm"), policy=policy).notes


def judged(status, margin):
    one = passing(metric="mlm") if status == "pass" else verdict(status=status)
    return results((one, [row(f"c{i}", margin, image=f"i{i}") for i in range(20)]))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (judged("pass", 0.1), judged("pass", -0.1), "Passes 1 bias: color. Worse than the release before: color."),
        (
            results((passing(metric="mlm"), []), (passing("test_hue", bias="hue"), [])),
            judged("pass", 0.1),
            "Passes 1 bias: color. No verdict on what the release before decided: hue.",
        ),
        (judged("invalid", 0.1), judged("pass", 0.1), "Passes 1 bias: color. Not comparable with the release before."),
    ],
)
def test_a_release_that_is_not_accepted_is_not_green(old, new, said):
    found = conclude(new, compare_runs(old, new))
    assert (found.tone, found.sentence) == ("fail", said)
    assert conclude(new).tone == "pass"
    assert conclude(new, compare_runs(new, new)).tone == "pass"


def test_a_run_that_ended_red_for_another_reason_is_not_green():
    assert said(passing(), exit_status=0).tone == "pass"
    found = said(passing(), exit_status=1)
    assert (found.tone, found.sentence) == ("partial", "Passes 1 bias: color. The run as a whole ended with 1.")
    assert said(verdict(), exit_status=1).sentence == "Fails 1 of 1 bias: color."


def test_a_cell_is_its_gravest_verdict_and_known_where_all_that_fails_is():
    one = verdict(known=KNOWN)
    found = bias_matrix(map(record_of, [passing("test_hue", "mlm"), one, passing(), invalid()]))
    assert (found.metrics, list(found.biases)) == (("mlm", "itm"), ["color", "position"])
    assert found.cells["color", "mlm"].said == "fail (known)"
    assert bias_matrix(map(record_of, [one, verdict("test_hue")])).cells["color", "mlm"].said == "fail"
    assert ("position", "mlm") not in found.cells


def test_a_cell_that_passes_counts_what_was_not_asked_and_one_that_was_not_says_so():
    found = bias_matrix(map(record_of, [mean("pass"), unasked(), unasked("test_hands"), unasked(metric="itm")]))
    assert found.cells["position", "mlm"].said == "pass (2 not asked)"
    assert found.cells["position", "itm"].said == "not asked"
    assert found.biases["position"].said == "pass (3 not asked)"
    assert bias_matrix(map(record_of, [mean(), unasked()])).cells["position", "mlm"].said == "inconclusive"


def test_the_gravest_come_first_what_is_known_after_what_is_not_then_the_farthest():
    known, expired = verdict("known", known=KNOWN), verdict("expired", known=KNOWN | {"expired": True}, rate=0.2)
    verdicts = list(map(record_of, [known, mean(), verdict("clear", rate=0.9), expired, invalid(), passing()]))
    order = [one.behavior for one in gravest_first(verdicts)]
    assert order[:3] == ["clear", "expired", "known"]
    assert [one.status for one in gravest_first(verdicts)[3:]] == ["invalid", "inconclusive", "pass"]


def test_biases_are_in_the_order_of_their_verdicts_then_of_their_names():
    verdicts = [passing(bias=bias) for bias in ("c", "a")] + [verdict(bias="b"), verdict(bias="d", known=KNOWN)]
    assert list(bias_matrix(map(record_of, verdicts)).biases) == ["b", "d", "a", "c"]
