"""The lead of a model over its rivals: against McNemar's test, by hand, and under a null."""

import numpy as np
import pytest
from scipy.stats import binom

from vlcheck.stats.betting import anytime
from vlcheck.stats.lead import judge_lead, leads_over, unbeatable
from vlcheck.stats.power import fewest_ahead

COIN = "a coin"


def rows(better, worse, both=0, neither=0):
    """Return the margins of a model and the right answers of a rival, one image each."""
    own = [1.0] * (better + both) + [-1.0] * (worse + neither)
    other = [0.0] * better + [1.0] * both + [1.0] * worse + [0.0] * neither
    return own, {"rival": other}


@pytest.mark.parametrize(("better", "worse"), [(5, 0), (4, 0), (9, 2), (30, 21), (3, 3), (0, 4)])
@pytest.mark.parametrize("alike", [0, 40])
def test_against_one_rival_it_is_mcnemars_exact_one_sided_test(better, worse, alike):
    own, rivals = rows(better, worse, both=alike, neither=alike)
    (lead,) = leads_over([float(margin > 0) for margin in own], rivals)
    assert lead.p_behind == pytest.approx(binom.sf(better - 1, better + worse, 0.5), rel=1e-6)
    assert lead.lead == pytest.approx((better - worse) / (better + worse + 2 * alike))
    assert lead.low <= lead.lead <= lead.high


def test_a_pass_needs_a_lead_over_each_rival():
    own, rivals = rows(20, 0, both=20)
    assert judge_lead(own, rivals).status == "pass"
    both = rivals | {"as good": [float(margin > 0) for margin in own]}
    verdict = judge_lead(own, both)
    assert (verdict.status, verdict.effect, verdict.needed_n) == ("inconclusive", 0.0, None)
    assert verdict.allowed == 0.0  # the best rival is never wrong
    assert "right in 100 %, as good in 100 %" in verdict.reason


def test_a_fail_needs_a_deficit_at_its_share_of_alpha():
    own, rivals = rows(0, 5, both=5)
    assert judge_lead(own, rivals).status == "fail"
    many = rivals | {f"rival {n}": [0.0] * 10 for n in range(3)}
    assert judge_lead(own, many).status == "inconclusive"  # 1 in 32, of four rivals


def test_what_would_decide_is_said():
    own, rivals = rows(3, 0, both=6)
    verdict = judge_lead(own, rivals)
    assert (verdict.status, verdict.n) == ("inconclusive", 9)
    assert verdict.needed_n is not None
    assert 0.5 ** (3 * verdict.needed_n / 9) <= 0.05 < 0.5 ** (3 * (verdict.needed_n - 1) / 9)
    assert f"n = {verdict.needed_n} would decide" in verdict.reason


def test_several_rows_of_an_image_count_as_one():
    verdict = judge_lead([1.0] * 8, {COIN: [0.5] * 8}, ["one"] * 8)
    assert (verdict.n, verdict.status) == (1, "inconclusive")


def test_equal_scores_are_wrong_and_what_does_not_count_is_left_out():
    verdict = judge_lead([0.0, None, 1.0], {COIN: [0.5, 0.5, None]})
    assert (verdict.violations, verdict.n, verdict.not_applicable, verdict.effect) == (1, 2, 1, -0.5)


def test_nothing_to_judge_is_invalid():
    assert judge_lead([None], {COIN: [0.5]}).cause == "no cases"
    assert judge_lead([1.0], {COIN: [None]}).status == "invalid"
    assert judge_lead([float("nan")], {COIN: [0.5]}).cause == "not finite"


def test_the_fewest_images_are_those_of_a_model_that_is_always_right():
    fewest = fewest_ahead()
    for n, status in ((fewest, "pass"), (fewest - 1, "inconclusive")):
        assert judge_lead([1.0] * n, {COIN: [0.5] * n}).status == status
    assert fewest_ahead(test=anytime) > fewest


RUNS = 100
MOST = 10  # a rate of 0.05 exceeds it in one of a hundred seeds


def guesses(random, n=60):
    """Return the margins of a model that guesses, and the answers of a rival that is right as often."""
    own, other = random.integers(0, 2, (2, n))
    return (own - 0.5).tolist(), other.tolist()


def test_a_guessing_model_passes_no_more_often_than_alpha():
    """One rival at a time, at the boundary: two at once would hide a test at several times alpha."""
    random, passed, of_a_coin = np.random.default_rng(0), 0, 0
    for _ in range(RUNS):
        own, other = guesses(random)
        right = [float(margin > 0) for margin in own]
        rival, coin = leads_over(right, {"rival": other, COIN: [0.5] * 60})  # each verdict rests on one of these
        passed += rival.p_behind <= 0.05
        of_a_coin += coin.p_behind <= 0.05
    assert 0 < passed <= MOST
    assert of_a_coin <= MOST


def test_a_guessing_model_fails_no_more_often_than_alpha():
    random, failed = np.random.default_rng(1), 0
    for _ in range(RUNS):
        own, _ = guesses(random)
        failed += judge_lead(own, {f"rival {n}": guesses(random)[1] for n in range(2)}).status == "fail"
    assert failed <= MOST


@pytest.mark.parametrize("worse", range(3, 12))
def test_the_bounds_are_those_that_decide(worse):
    """A fail is tested at a share of alpha: an upper bound at the whole of it would lie below 0 without a fail."""
    own, rivals = rows(0, worse, both=20)
    verdict = judge_lead(own, rivals | {f"rival {n}": [0.0] * (20 + worse) for n in range(5)})
    assert (verdict.status == "fail") == (verdict.effect_high < 0)


def test_what_no_model_can_beat_is_found_before_any_is_asked():
    images = list(range(40))
    assert unbeatable({COIN: [0.5] * 40, "half": [1.0, 0.0] * 20}, images) is None
    found = unbeatable({COIN: [0.5] * 40, "told": [1.0] * 39 + [0.0]}, images)
    assert (found.rival, found.n, found.right) == ("told", 40, 0.975)
    assert judge_lead([1.0] * 40, {"told": [1.0] * 39 + [0.0]}).status == "inconclusive"
    assert unbeatable({COIN: [0.5] * 7}, images[:7]).rival == COIN
