"""The guards against a hollow verdict, each by findings that a verdict without it would call a pass or a fail."""

import math
from dataclasses import replace

import pytest

from vlcheck.behaviors.behavior import Behavior
from vlcheck.cases import Case, with_target
from vlcheck.evaluation.finding import Finding
from vlcheck.evaluation.outcomes import Findings
from vlcheck.expect.aggregate import Balance, Skew
from vlcheck.expect.base import AFTER, BEFORE, OTHER, Sample
from vlcheck.expect.directional import Drops, Swaps
from vlcheck.expect.functionality import Beats
from vlcheck.expect.invariance import Preserved
from vlcheck.metrics.registry import METRICS
from vlcheck.metrics.tolerances import Tolerances
from vlcheck.perturb import Solid
from vlcheck.policy.policy import Rule

TOLERANCES = Tolerances()
COLORS = ("red", "blue", "green")
BEHAVIOR = Behavior(name="test_x", bias="color", cases=with_target("color"), expect=Preserved())


def case(number, target="red", caption=None):
    return Case(
        id=f"case-{number}",
        image=Solid((8, 8 + number), (0, 0, 0)),
        caption=caption or f"a {target} bus",
        target=target,
        candidates=tuple(color for color in COLORS if color != target),
    )


def found(expect, number, readings, *, metric="itm", target="red", absent=None, errors=()):
    """What came of a case whose readings are given: a score of the target, or scores by word."""
    of = case(number, target)
    said = {
        arm: METRICS[metric].reading(of.target, score if isinstance(score, dict) else {of.target: score}, ())
        for arm, score in readings.items()
    }
    return Finding.of(Sample(of, said, absent or {}), expect, TOLERANCES, errors)


def verdict(expect, arms, *, metric="itm", rule=None, absent=None, errors=(), targets=("red",)):
    """The verdict on cases whose readings are given, arm by arm."""
    each = [
        found(
            expect,
            number,
            readings,
            metric=metric,
            target=targets[number % len(targets)],
            absent=(absent or {}).get(number),
            errors=("the disk is gone",) if number in errors else (),
        )
        for number, readings in enumerate(arms)
    ]
    return Findings(replace(BEHAVIOR, expect=expect), tuple(each)).verdict(rule or Rule())


def known(number):
    return {BEFORE: 0.9, AFTER: 0.9, OTHER: 0.1 + number / 1000}


def unknown(number):
    return {BEFORE: 0.5 + number / 1000, AFTER: 0.5 + number / 1000, OTHER: 0.5}


def test_a_model_that_knows_its_cases_passes():
    assert verdict(Preserved(), [known(i) for i in range(40)]).status == "pass"


def test_a_model_that_knows_half_of_them_passes_on_these():
    said = verdict(Preserved(), [known(i) for i in range(40)] + [unknown(i) for i in range(40)])
    assert (said.status, said.n, said.not_applicable) == ("pass", 40, 40)


def test_a_model_that_knows_fewer_than_half_passes_nothing():
    said = verdict(Preserved(), [known(i) for i in range(40)] + [unknown(i) for i in range(41)])
    assert said.status == "invalid"
    assert "knows only 40 of 81 cases" in said.reason


def test_of_several_rows_an_image_counts_once_where_it_is_not_known():
    rows = [known(i) for i in range(14)] + [unknown(i) for i in range(15)]
    findings = Findings(BEHAVIOR, tuple(found(Preserved(), of, rows[of]) for of in range(29) for _ in range(8)))
    verdict = findings.verdict(Rule())
    assert (verdict.status, verdict.n) == ("invalid", 14)
    assert "knows only 14 of 29 cases" in verdict.reason


def test_what_went_wrong_in_scoring_is_told_from_what_is_hollow():
    assert not Findings(BEHAVIOR, tuple(found(Preserved(), i, unknown(i)) for i in range(40))).broken()
    wrong = Findings(BEHAVIOR, (found(Preserved(), 0, known(0) | {OTHER: math.nan}),))
    assert wrong.broken() == "scores of 1 of 1 case are not finite"


def test_no_case_is_not_asked_and_says_which_was_asked_for():
    said = verdict(Preserved(), [])
    assert (said.status, said.reason) == ("not asked", "the data has no case for it (color); a pass needs 29")
    assert verdict(Preserved(), [], rule=Rule(allowed=0)).status == "not asked"
    strange = Findings(BEHAVIOR, (), strange="no case has the tag 'colr'").verdict(Rule())
    assert strange.reason == "the data has no case for it (color): no case has the tag 'colr'; a pass needs 29"


def test_fewer_images_than_a_pass_needs_are_not_asked_and_counted():
    said = verdict(Preserved(), [known(i) for i in range(28)])
    assert (said.status, said.reason, said.n) == ("not asked", "28 images; a pass needs 29", 28)
    assert (said.passed, said.decided) == (False, False)
    assert verdict(Preserved(), [known(i) for i in range(29)]).status == "pass"
    assert verdict(Preserved(), [known(0)]).reason == "1 image; a pass needs 29"


def test_fewer_images_fail_all_the_same():
    lost = [known(i) | {AFTER: 0.2} for i in range(5)]
    assert verdict(Preserved(), lost).status == "fail"
    assert verdict(Preserved(), [*lost[:1], *(known(i) for i in range(1, 20))]).status == "not asked"


def test_what_no_number_of_images_would_decide_lacks_none():
    assert verdict(Preserved(), [known(i) for i in range(5)], rule=Rule(allowed=0)).status == "inconclusive"


@pytest.mark.parametrize(
    ("arms", "errors"),
    [
        ([known(i) for i in range(5)], {3}),
        ([known(i) for i in range(4)] + [known(4) | {AFTER: math.nan}], ()),
        ([{BEFORE: 0.7, AFTER: 0.7, OTHER: 0.7}] * 5, ()),
    ],
    ids=["errors", "not finite", "constant"],
)
def test_broken_answers_about_few_images_are_invalid_all_the_same(arms, errors):
    assert verdict(Preserved(), arms, errors=errors).status == "invalid"


def test_what_the_model_does_not_know_of_few_images_is_not_asked_and_of_enough_it_is_the_models():
    assert verdict(Preserved(), [unknown(i) for i in range(28)]).status == "not asked"
    assert verdict(Preserved(), [unknown(i) for i in range(29)]).status == "invalid"
    half_known = [known(i) for i in range(20)] + [unknown(i) for i in range(20, 35)]
    assert verdict(Preserved(), half_known).status == "inconclusive"


def test_only_images_that_the_data_lets_be_asked_are_offered():
    each = [found(Preserved(), i, known(i)) for i in range(12)]
    each += [found(Preserved(), i, known(i), absent={AFTER: "grey already"}) for i in range(12, 40)]
    barred = [Finding.of(replace(one.sample, askable=not one.sample.absent), Preserved(), TOLERANCES) for one in each]
    assert Findings(BEHAVIOR, tuple(each)).verdict(Rule()).status == "invalid"
    said = Findings(BEHAVIOR, tuple(barred)).verdict(Rule())
    assert (said.status, said.reason) == ("not asked", "12 images; a pass needs 29")
    none = tuple(barred[12:])
    assert Findings(BEHAVIOR, none).verdict(Rule()).reason == "no case applies: 28 x grey already; a pass needs 29"


@pytest.mark.parametrize(("refused", "status"), [(0, "pass"), (1, "pass"), (39, "pass"), (40, "invalid")])
def test_pictures_that_the_model_refuses_are_counted_and_at_half_of_them_nothing_passes(refused, status):
    rows = [known(i) for i in range(40 + refused)]
    said = verdict(Preserved(), rows, absent={40 + i: {AFTER: "too narrow"} for i in range(refused)})
    assert (said.status, said.refused, said.not_applicable) == (status, refused, refused)
    counted = f"the model refuses {refused} of {40 + refused} cases: too narrow"
    assert (counted in said.reason) == bool(refused)


def answered(number, mass):
    one = found(Preserved(), number, known(number))
    readings = {arm: replace(reading, mass=mass) for arm, reading in one.sample.readings.items()}
    return Finding.of(replace(one.sample, readings=readings), Preserved(), TOLERANCES)


def test_an_answer_that_is_neither_yes_nor_no_is_no_evidence():
    each = [answered(i, 0.9) for i in range(40)] + [answered(i, 0.4) for i in range(40, 60)]
    said = Findings(BEHAVIOR, tuple(each)).verdict(Rule())
    assert (said.status, said.n, said.not_applicable) == ("pass", 40, 20)
    assert said.mass == pytest.approx((40 * 0.9 + 20 * 0.4) / 60)
    assert {str(one.reason) for one in each[40:]} == {"P(yes) + P(no) is under 0.5"}


def test_words_that_the_model_would_not_write_are_no_evidence():
    one = found(Preserved(), 0, known(0), metric="mlm")
    readings = {arm: replace(reading, mass=0.005) for arm, reading in one.sample.readings.items()}
    rare = Finding.of(replace(one.sample, readings=readings), Preserved(), TOLERANCES)
    assert str(rare.reason) == "P(any of the words) is under 0.01"


def test_a_model_that_answers_neither_yes_nor_no_passes_nothing():
    each = [answered(i, 0.9) for i in range(40)] + [answered(i, 0.4) for i in range(40, 80)]
    said = Findings(BEHAVIOR, tuple(each)).verdict(Rule())
    assert (said.status, said.reason) == ("invalid", "in 40 of 80 cases P(yes) + P(no) is under 0.5")
    assert Findings(BEHAVIOR, tuple(each)).under(replace(TOLERANCES, mass=0.3)).verdict(Rule()).passed


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("arm", [BEFORE, AFTER, OTHER])
def test_one_score_that_is_not_finite_makes_all_invalid(bad, arm):
    said = verdict(Preserved(), [known(i) for i in range(40)] + [known(40) | {arm: bad}])
    assert (said.status, said.reason) == ("invalid", "scores of 1 of 41 cases are not finite")


def test_one_case_that_could_not_be_scored_makes_all_invalid():
    said = verdict(Drops(), [{BEFORE: 0.9, AFTER: 0.1 + i / 1000} for i in range(40)], errors={3})
    assert said.reason == "1 of 40 cases could not be scored: the disk is gone"


@pytest.mark.parametrize("expect", [Preserved(), Drops()])
def test_a_constant_is_called_one(expect):
    said = verdict(expect, [{BEFORE: 0.7, AFTER: 0.7, OTHER: 0.7}] * 40)
    assert (said.status, said.reason) == ("invalid", "the score is 0.7 whatever the picture and the text")


def test_sides_that_are_hardly_ever_likely_say_nothing():
    sure = {BEFORE: {"left": 0.9, "right": 0.1}, AFTER: {"left": 0.1, "right": 0.9}}
    faint = {BEFORE: {"left": 0.002, "right": 0.001}, AFTER: {"left": 0.001, "right": 0.002}}
    assert verdict(Swaps(), [sure] * 31 + [faint] * 30, targets=("left",)).status == "pass"
    said = verdict(Swaps(), [sure] * 30 + [faint] * 30, targets=("left",))
    assert said.status == "invalid"
    assert "P(left) + P(right) is under 0.01" in said.reason


def test_where_no_case_applies_the_reasons_are_counted():
    grey = {number: {AFTER: "the photograph is grey already"} for number in range(40)}
    arms = [{BEFORE: 0.9, OTHER: 0.1 + i / 1000} for i in range(40)]
    assert verdict(Preserved(), arms, absent=grey).reason == "no case applies: 40 x the photograph is grey already"


def test_ignorance_fails_what_has_to_be_right_and_no_guard_excuses_it():
    guesses = [{BEFORE: {"red": 0.3, "blue": 0.31, "green": 0.3 + i / 1000}} for i in range(40)]
    assert verdict(Beats(), guesses, metric="mlm").status == "fail"


def test_a_mean_that_would_pass_on_cases_nobody_knows_is_invalid_and_a_fail_stays_one():
    def arms(bare, blocked, other):
        return [{BEFORE: 0.9, AFTER: blocked, "bare": bare, OTHER: other + i / 1000} for i in range(60)]

    band = Rule(band=(-0.25, 0.25))
    assert verdict(Balance(), arms(0.6, 0.5, 0.1), rule=band).status == "pass"
    assert verdict(Balance(), arms(0.6, 0.5, 0.55), rule=band).status == "invalid"
    assert verdict(Balance(), arms(0.9, 0.1, 0.85), rule=band).status == "fail"


def favourite(answer):
    return {BEFORE: {color: 0.8 if color == answer else 0.1 for color in COLORS}, OTHER: 0.1}


def test_one_color_that_is_a_favourite_fails_and_is_named():
    said = verdict(Skew(), [favourite("blue")] * 60, metric="mlm", rule=Rule(band=(-1.0, 0.15)), targets=COLORS)
    assert said.status == "fail"
    assert said.reason.startswith("blue: mean 0.667")


def test_colors_answered_as_often_as_they_are_true_pass():
    arms = [favourite(COLORS[i % 3]) for i in range(60)]
    said = verdict(Skew(), arms, metric="mlm", rule=Rule(band=(-1.0, 0.15)), targets=COLORS)
    assert (said.status, said.effect) == ("pass", 0.0)


def test_the_effect_is_after_minus_before_with_an_interval():
    said = verdict(Drops(), [{BEFORE: 0.9, AFTER: 0.1 + i / 100} for i in range(40)])
    assert said.effect == pytest.approx(0.1 + 0.195 - 0.9)
    assert said.effect_low < said.effect < said.effect_high


def test_a_favourite_that_is_one_of_many_claims_is_shown_with_the_interval_that_decided():
    arms = [favourite("blue") if i % 6 == 0 else favourite(COLORS[i % 3]) for i in range(60)]
    said = verdict(Skew(), arms, metric="mlm", rule=Rule(band=(-1.0, 0.15)), targets=COLORS)
    assert said.status == "inconclusive"
    assert said.effect_low <= 0.15 < said.effect_high
    assert said.alpha == 0.05 < said.p  # p is corrected for the claims: it is held to the whole of alpha


def colors_of(few, biased=0):
    """Cases that are red or blue, `few` of them green; `biased` ones are answered with blue."""
    each = []
    for number in range(60):
        true = "green" if number < few else COLORS[number % 2]
        said = "blue" if number >= 60 - biased else true
        of = replace(case(number, true), candidates=COLORS[:2] if true != "green" else ("red",))
        scores = {color: 0.9 if color == said else 0.05 for color in (true, *of.candidates, "red", "blue")}
        readings = {
            BEFORE: METRICS["mlm"].reading(true, scores, of.candidates),
            OTHER: METRICS["mlm"].reading(true, {true: 0.1}, ()),
        }
        each.append(Finding.of(Sample(of, readings), Skew(), TOLERANCES))
    return Findings(replace(BEHAVIOR, expect=Skew()), tuple(each)).verdict(Rule(band=(-1.0, 0.15)))


def test_of_several_claims_the_one_with_too_few_images_is_named_unless_another_is_undecided():
    assert colors_of(0).status == "pass"
    said = colors_of(10)
    assert (said.status, said.reason) == ("not asked", "green: 10 images; a pass needs 19")
    said = colors_of(10, biased=14)
    assert (said.status, said.reason.split(":")[0]) == ("inconclusive", "blue")


def test_of_several_claims_an_undecided_one_is_no_pass_whatever_their_order():
    def answers(word, count):
        """A model that says the true color, but `word` in its place so many times of 200."""
        arms = []
        for number in range(200):
            true = COLORS[number % 3]
            said = word if number % (200 // count) == 0 else true
            scores = {color: 0.9 if color == said else 0.05 for color in COLORS}
            arms.append({BEFORE: scores, OTHER: dict.fromkeys(COLORS, 0.05)})
        return arms

    narrow = Rule(band=(-1.0, 0.15))
    for word in COLORS:
        found = verdict(Skew(), answers(word, 40), targets=COLORS, rule=narrow)
        assert (found.status, found.reason.split(":")[0]) == ("inconclusive", word)


def test_one_image_alone_is_no_constant():
    """A saturated head may well say the same of both its pictures."""
    assert verdict(Drops(), [{BEFORE: 1.0, AFTER: 1.0}]).status == "not asked"
    assert verdict(Drops(), [{BEFORE: 1.0, AFTER: 1.0}] * 2).status == "invalid"


def test_where_own_pictures_are_not_told_from_others_nothing_passes_and_what_asks_no_competence_fails():
    passing = [{BEFORE: 0.9, AFTER: 0.1 + i / 1000, OTHER: 0.1} for i in range(40)]
    failing = [{BEFORE: 0.9, AFTER: 0.8 + i / 1000, OTHER: 0.1} for i in range(40)]
    for expect, arms, status in (
        (Drops(), passing, "invalid"),
        (Drops(), failing, "fail"),
        (Preserved(), passing, "invalid"),
    ):
        each = tuple(found(expect, number, readings) for number, readings in enumerate(arms))
        said = Findings(replace(BEHAVIOR, expect=expect), each, hollow="nothing is told apart").verdict(Rule())
        assert said.status == status
        assert (said.reason == f"nothing is told apart: {expect.hollow}") == (status == "invalid")
        assert said.cause == ("unlikely" if status == "invalid" else "")
