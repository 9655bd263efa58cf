"""Margins against numbers worked out by hand, and against the study's own figures."""

import re
from dataclasses import dataclass, replace

import pytest

from tests.conftest import ROOT
from vlcheck.cases import Case
from vlcheck.cases.view import View
from vlcheck.errors import NotApplicable
from vlcheck.expect.aggregate import Balance, SidePreference, Skew
from vlcheck.expect.base import AFTER, BEFORE, OTHER, WHOLE, Sample, Unknown
from vlcheck.expect.directional import Drops, Flips, Swaps
from vlcheck.expect.functionality import Beats
from vlcheck.expect.invariance import Preserved
from vlcheck.metrics.reading import Unlikely
from vlcheck.metrics.registry import METRICS
from vlcheck.metrics.tolerances import Tolerances
from vlcheck.perturb import Block, Solid

TOLERANCES = Tolerances(within=0.10, delta=0.15, by=0.05, below=0.50, floor=0.01)
IMAGE = Solid((8, 8), (1, 2, 3))


def case(caption="a ball in his left hand", target="left", **details):
    return Case(id="one", image=IMAGE, caption=caption, target=target, **details)


def sample(readings, *, of=None, metric="itm", absent=None):
    """A case and its readings by arm, each a score of the target or scores by word."""
    of = of or case()
    by_word = {arm: said if isinstance(said, dict) else {of.target: said} for arm, said in readings.items()}
    candidates = of.candidates if metric == "mlm" else ()
    return Sample(
        of, {arm: METRICS[metric].reading(of.target, said, candidates) for arm, said in by_word.items()}, absent or {}
    )


def margin(expect, readings, **details):
    return expect.margins(sample(readings, **details), TOLERANCES)[WHOLE]


def sides(left, right):
    return {"left": left, "right": right}


@dataclass(frozen=True)
class Figure:
    """What the study printed."""

    before: dict[str, float]
    after: dict[str, float]


MLM_OF_FIGURE_3 = Figure(sides(0.1747, 0.8212), sides(0.1600, 0.8330))
ITM_OF_FIGURE_3 = Figure(sides(0.9627, 0.9601), sides(0.9375, 0.9398))


def test_figure_1_itm_hardly_notices_the_blocked_picture_and_fails_drops():
    assert margin(Drops(), {BEFORE: 0.9974, AFTER: 0.9562}) == pytest.approx(0.5 - 0.9562)


@pytest.mark.parametrize("figure", [MLM_OF_FIGURE_3, ITM_OF_FIGURE_3], ids=["mlm", "itm"])
def test_figure_3_fails_swaps_also_where_it_orders_both_right_by_a_hair(figure):
    assert margin(Swaps(), {BEFORE: figure.before, AFTER: figure.after}) < 0


def test_figure_3_itm_has_the_order_right_so_that_only_by_makes_it_fail():
    without_by = margin(Swaps(), {BEFORE: ITM_OF_FIGURE_3.before, AFTER: ITM_OF_FIGURE_3.after}) + TOLERANCES.by
    assert 0 < without_by < 0.001


def test_an_expectation_of_ones_own_is_what_the_reference_shows():
    text = (ROOT / "docs/reference/behaviors.md").read_text(encoding="utf-8")
    (block,) = [block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "BaseExpectation" in block]
    names = {"__name__": __name__}
    exec(block, names)  # noqa: S102 - our own page
    near = names["Near"]()
    assert margin(near, {BEFORE: 0.5, AFTER: 0.9}) == pytest.approx(Tolerances().within - 0.4)
    assert near.wanted(AFTER, "dog") == "dog is as likely as before"


@pytest.mark.parametrize("expect", [Preserved(), Drops(), Swaps(), Flips()])
def test_an_expectation_of_before_and_after_says_that_it_needs_a_perturbation(expect):
    with pytest.raises(ValueError, match="the behavior needs a perturb"):
        margin(expect, {BEFORE: sides(0.9, 0.1)})


@pytest.mark.parametrize(
    ("expect", "before", "after"),
    [
        (Preserved(), "left is true", "left is still true"),
        (Drops(), "left is true", "the score has to drop"),
        (Swaps(), "left is true", "right is true now"),
        (Flips(), "", "the other side is true now"),
        (Beats(), "left is true", ""),
    ],
)
def test_reviewers_are_told_what_is_true_before_and_after(expect, before, after):
    assert (expect.wanted(BEFORE, "left"), expect.wanted(AFTER, "left")) == (before, after)


def test_a_gain_is_no_loss():
    assert margin(Preserved(), {BEFORE: 0.5, AFTER: 0.9, OTHER: 0.1}) == pytest.approx(0.5)


def test_a_loss_up_to_the_tolerance_is_preserved_and_a_larger_one_is_not():
    assert margin(Preserved(), {BEFORE: 0.9, AFTER: 0.81, OTHER: 0.1}) > 0
    assert margin(Preserved(), {BEFORE: 0.9, AFTER: 0.79, OTHER: 0.1}) < 0


@pytest.mark.parametrize("other", [0.36, 0.5, 0.9])
def test_what_the_model_does_not_know_better_with_its_own_picture_does_not_count_as_preserved(other):
    with pytest.raises(Unknown):
        margin(Preserved(), {BEFORE: 0.5, AFTER: 0.5, OTHER: other})


def test_a_case_that_no_other_picture_refutes_is_not_known():
    with pytest.raises(Unknown):
        margin(Preserved(), {BEFORE: 0.9, AFTER: 0.9}, absent={OTHER: "no other picture"})


def test_an_arm_that_makes_no_sense_gives_its_own_reason():
    with pytest.raises(NotApplicable, match="grey already"):
        margin(Preserved(), {BEFORE: 0.9, OTHER: 0.1}, absent={AFTER: "the photograph is grey already"})


@pytest.mark.parametrize("score", [0.0, 0.3, 0.5, 0.7, 1.0])
def test_a_constant_score_cannot_drop(score):
    assert margin(Drops(), {BEFORE: score, AFTER: score}) < 0


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [(0.9, 0.1, 0.4), (0.52, 0.48, -0.01), (0.9, 0.6, -0.1), (0.4, 0.1, -0.1)],
    ids=["clear", "too little", "still likely", "never likely"],
)
def test_a_drop_has_to_be_wide_and_to_cross_what_it_should_fall_below(before, after, expected):
    assert margin(Drops(), {BEFORE: before, AFTER: after}) == pytest.approx(expected)


def test_a_word_that_the_picture_does_not_decide_does_not_count():
    expect = Drops(decided_by=Block())
    with pytest.raises(NotApplicable, match="does not decide"):
        margin(expect, {BEFORE: 0.9, AFTER: 0.9, "without": 0.8})
    assert margin(expect, {BEFORE: 0.9, AFTER: 0.9, "without": 0.1}) < 0


def test_swaps_takes_the_weaker_of_its_two_halves():
    right_twice = {BEFORE: sides(0.9, 0.1), AFTER: sides(0.3, 0.7)}
    assert margin(Swaps(), right_twice) == pytest.approx(min(0.4, 0.2) - 0.05)


def test_flips_needs_no_truth_only_a_flip():
    assert margin(Flips(), {BEFORE: sides(0.1, 0.9), AFTER: sides(0.8, 0.2)}) == pytest.approx(0.3 - 0.05)
    assert margin(Flips(), {BEFORE: sides(0.9, 0.1), AFTER: sides(0.2, 0.8)}) == pytest.approx(0.3 - 0.05)
    assert margin(Flips(), {BEFORE: sides(0.1, 0.9), AFTER: sides(0.1, 0.9)}) < 0


@pytest.mark.parametrize("expect", [Swaps(), Flips()])
@pytest.mark.parametrize("arm", [BEFORE, AFTER])
def test_a_side_counts_only_where_one_of_both_words_is_likely(expect, arm):
    readings = {BEFORE: sides(0.9, 0.1), AFTER: sides(0.1, 0.9)} | {arm: sides(0.009, 0.0005)}
    with pytest.raises(Unlikely, match=r"under 0\.01"):
        margin(expect, readings)


def test_the_true_color_has_to_beat_a_candidate_clearly():
    red = case("a red bus", "red", candidates=("blue",))
    assert margin(Beats(), {BEFORE: {"red": 0.6, "blue": 0.2}}, of=red) == pytest.approx(0.75 - 0.5 - 0.05)
    assert margin(Beats(), {BEFORE: {"red": 0.5, "blue": 0.5}}, of=red) < 0


def test_a_word_without_rival_says_nothing():
    with pytest.raises(NotApplicable, match="no wrong word"):
        margin(Beats(), {BEFORE: {"red": 1.0}}, of=case("a red bus", "red"))


def test_a_word_that_beats_one_wrong_word_may_be_beaten_by_another():
    red = case("a red bus", "red", candidates=("blue", "green"))
    scores = {"red": 0.3, "blue": 0.1, "green": 0.6}
    assert margin(Beats(all=True), {BEFORE: scores}, of=red) == pytest.approx(0.3 / 0.9 - 0.5 - 0.05)
    assert margin(Beats(all=True), {BEFORE: scores | {"green": 0.1}}, of=red) == pytest.approx(0.75 - 0.5 - 0.05)
    assert set(Beats(all=True).words(View.of(red))) == {"blue", "green"}
    assert len(Beats().words(View.of(red))) == 1


def test_above_is_held_against_below():
    above = case("a ball above a box", "above", tags=frozenset({"vertical"}))
    assert margin(Beats(), {BEFORE: {"above": 0.9, "below": 0.1}}, of=above) == pytest.approx(0.9 - 0.5 - 0.05)
    swapped = {BEFORE: {"above": 0.9, "below": 0.1}, AFTER: {"above": 0.2, "below": 0.8}}
    assert margin(Swaps(), swapped, of=above) == pytest.approx(0.3 - 0.05)


def test_balance_is_the_difference_of_the_two_red_cells():
    paper = {BEFORE: 1.0, "bare": 0.9, AFTER: 0.044}
    assert margin(Balance(), paper) == pytest.approx(0.856)


def test_skew_counts_what_is_answered_minus_what_is_true():
    red = case("a red bus", "red", candidates=("blue", "green"))
    always_blue = sample({BEFORE: {"red": 0.2, "blue": 0.5, "green": 0.3}}, of=red, metric="mlm")
    assert Skew().margins(always_blue, TOLERANCES) == {"red": -1.0, "blue": 1.0, "green": 0.0}
    right = sample({BEFORE: {"red": 0.6, "blue": 0.3, "green": 0.1}}, of=red, metric="mlm")
    assert set(Skew().margins(right, TOLERANCES).values()) == {0.0}


def test_a_preference_for_right_shows_where_left_is_true_and_where_right_is():
    on_left = case("a dog to the left of a cat", "left", tags=frozenset({"side"}))
    on_right = case("a dog to the right of a cat", "right", tags=frozenset({"side"}))
    assert margin(SidePreference(), {BEFORE: sides(0.25, 0.75)}, of=on_left) == pytest.approx(0.75)
    assert margin(SidePreference(), {BEFORE: sides(0.25, 0.75)}, of=on_right) == pytest.approx(-0.25)


def test_mlm_is_renormalised_over_the_words_that_are_not_true_and_the_raw_one_stays():
    dog = case("a dog on a sofa", "dog", candidates=("cat", "bus"))
    reading = sample({BEFORE: {"dog": 0.2, "cat": 0.1, "bus": 0.1}}, of=dog, metric="mlm")[BEFORE]
    assert (reading.value, reading.raw) == (pytest.approx(0.5), 0.2)


def test_words_that_are_all_impossible_share_nothing():
    dog = case("a dog on a sofa", "dog", candidates=("cat",))
    assert sample({BEFORE: {"dog": 0.0, "cat": 0.0}}, of=dog, metric="mlm")[BEFORE].value == 0.0


RED = case("a red bus", "red", candidates=("blue", "green"))
ON_LEFT = case("a dog to the left of a cat", "left", tags=frozenset({"side"}))
STRICT = {"within": 0.0, "delta": 0.99, "by": 0.99, "below": 0.02, "floor": 1.0}


@pytest.mark.parametrize(
    ("expect", "of", "readings"),
    [
        (Preserved(), case(), {BEFORE: 0.9, AFTER: 0.85, OTHER: 0.1}),
        (Drops(), case(), {BEFORE: 0.9, AFTER: 0.1}),
        (Drops(decided_by=Block()), case(), {BEFORE: 0.9, AFTER: 0.1, "without": 0.1}),
        (Swaps(), ON_LEFT, {BEFORE: sides(0.8, 0.1), AFTER: sides(0.1, 0.8)}),
        (Flips(), ON_LEFT, {BEFORE: sides(0.8, 0.1), AFTER: sides(0.1, 0.8)}),
        (Beats(), RED, {BEFORE: {"red": 0.6, "blue": 0.2, "green": 0.1}}),
        (Beats(all=True), RED, {BEFORE: {"red": 0.6, "blue": 0.2, "green": 0.1}}),
        (Balance(), case(), {BEFORE: 0.9, "bare": 0.8, AFTER: 0.7, OTHER: 0.1}),
        (Skew(), RED, {BEFORE: {"red": 0.6, "blue": 0.2, "green": 0.1}, OTHER: dict.fromkeys(("red", "blue"), 0.1)}),
        (SidePreference(), ON_LEFT, {BEFORE: sides(0.8, 0.1), OTHER: sides(0.1, 0.8)}),
    ],
    ids=[
        "preserved",
        "drops",
        "decided-drops",
        "swaps",
        "flips",
        "beats",
        "beats-all",
        "balance",
        "skew",
        "side-preference",
    ],
)
def test_an_expectation_reads_the_tolerances_that_it_names_and_no_other(expect, of, readings):
    one = sample(readings, of=of)

    def found(tolerances):
        try:
            known = expect.known(one, tolerances) if expect.competence != "no" else None
            return expect.margins(one, tolerances), known
        except NotApplicable as reason:
            return str(reason)

    plain = found(TOLERANCES)
    assert isinstance(plain, tuple)
    mattering = {key for key, value in STRICT.items() if found(replace(TOLERANCES, **{key: value})) != plain}
    assert mattering == set(expect.reads())
