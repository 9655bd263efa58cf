"""Verdicts against numbers worked out elsewhere, and against simulated truth."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from vlcheck.stats.betting import anytime
from vlcheck.stats.bootstrap import bootstrap_interval
from vlcheck.stats.bounds import Tally, exact
from vlcheck.stats.decision import status_of_mean, worst
from vlcheck.stats.multiple_testing import holm
from vlcheck.stats.power import could_pass, detectable, fewest_inside, fewest_that_pass, most_that_pass, needed_n
from vlcheck.stats.verdict import invalid, judge, judge_mean


def margins(n, violations):
    return [-0.1] * violations + [0.1] * (n - violations)


@pytest.mark.parametrize(
    ("n", "violations", "status"),
    [
        (28, 0, "inconclusive"),
        (29, 0, "pass"),
        (50, 1, "pass"),
        (50, 2, "inconclusive"),
        (50, 9, "inconclusive"),
        (50, 10, "fail"),
        (200, 12, "pass"),
        (200, 13, "inconclusive"),
        (5, 5, "fail"),
        (1, 1, "inconclusive"),
    ],
)
def test_the_rate_decides_as_the_exact_interval_does(n, violations, status):
    assert judge(margins(n, violations)).status == status


@pytest.mark.parametrize(("n", "violations"), [(50, 0), (50, 7), (50, 50), (200, 30)])
def test_bounds_and_p_are_those_of_the_exact_binomial_test(n, violations):
    verdict = judge(margins(n, violations))
    interval = binomtest(violations, n).proportion_ci(0.9, method="exact")
    assert (verdict.rate_low, verdict.rate_high) == pytest.approx((interval.low, interval.high))
    assert verdict.p == pytest.approx(binomtest(violations, n, 0.1, alternative="greater").pvalue)


def test_a_margin_of_nothing_is_a_violation():
    assert judge([0.0, 1e-9]).violations == 1


def test_cases_that_do_not_apply_are_counted_apart():
    verdict = judge([None, *margins(29, 0), None])
    assert (verdict.status, verdict.n, verdict.not_applicable) == ("pass", 29, 2)


@pytest.mark.parametrize("empty", [[], [None, None]])
def test_nothing_is_no_pass(empty):
    assert judge(empty).status == "invalid"
    assert judge_mean(empty, band=(-1, 1)).status == "invalid"


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_invalid(bad):
    assert judge([*margins(40, 0), bad]).reason == "1 of 41 margins are not finite"
    assert judge_mean([0.0, bad], band=(-0.5, 0.5)).status == "invalid"


def test_many_rows_of_one_image_count_as_one():
    rows = [0.1] * 100
    assert judge(rows).status == "pass"
    verdict = judge(rows, ["one"] * 100)
    assert (verdict.status, verdict.n) == ("inconclusive", 1)


def test_an_images_share_is_the_mean_of_its_rows():
    verdict = judge([-1, 1, 1, 1], ["a", "a", "b", "b"])
    assert (verdict.n, verdict.rate, verdict.violations) == (2, 0.25, 1)


@pytest.mark.parametrize(
    "wrong",
    [{"allowed": 1.0}, {"allowed": -0.1}, {"alpha": 0.0}, {"alpha": 0.5}, {"clusters": ["a"]}],
    ids=str,
)
def test_arguments_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        judge([0.1, 0.2], **wrong)


@pytest.mark.parametrize(("values", "band"), [([0.0], (0.2, 0.1)), ([0.0], (math.nan, 1.0)), ([1.5], (-1.0, 1.0))])
def test_a_mean_needs_a_band_and_values_in_range(values, band):
    with pytest.raises(ValueError, match=r"band|values"):
        judge_mean(values, band=band)


def test_what_would_decide_is_said():
    assert judge(margins(20, 0)).needed_n == 29
    assert judge(margins(50, 5)).needed_n is None
    assert judge(margins(50, 0)).needed_n is None
    needed = judge(margins(50, 2)).needed_n
    assert needed > 50
    assert judge(margins(needed, int(0.04 * needed))).status == "pass"
    assert judge(margins(50, 6)).needed_n > 300


def test_needed_n_is_the_least():
    for n in range(1, 29):
        assert not could_pass(n, 0.1)
    assert needed_n(Tally.of_violations(0, 1), 0.1) == 29
    assert needed_n(Tally.of_violations(1, 1), 0.1) == 2


def test_most_that_pass_is_the_last_that_does():
    assert [most_that_pass(n, 0.1) for n in (28, 29, 50, 200)] == [None, 0, 1, 12]


def test_the_detectable_rate_fails_with_the_power_it_promises():
    rate = detectable(50, 0.1)
    fails = np.random.default_rng(0).binomial(50, rate, 20_000) >= 10
    assert fails.mean() == pytest.approx(0.8, abs=0.01)
    assert detectable(1, 0.1) is None


@pytest.mark.parametrize(("mean", "status"), [(0.0, "pass"), (0.8, "fail"), (-0.8, "fail"), (0.3, "inconclusive")])
def test_a_mean_passes_inside_its_band_and_fails_outside(mean, status):
    values = np.clip(mean + np.random.default_rng(1).normal(0, 0.1, 60), -1, 1)
    verdict = judge_mean(values.tolist(), band=(-0.3, 0.3))
    assert verdict.status == status
    assert verdict.effect_low <= verdict.effect <= verdict.effect_high


@pytest.mark.parametrize("values", [[0.02, -0.02], [0.1, -0.1], [0.3, -0.3], [1.0, -1.0]], ids=str)
@pytest.mark.parametrize("test", [exact, anytime])
def test_a_mean_as_far_out_as_a_verdict_says_it_finds_fails_as_often(values, test):
    rng = np.random.default_rng(5)
    distance = judge_mean(values * 30, band=(-0.15, 0.15), test=test).detectable
    assert distance is not None
    share = (1 + (0.15 + distance) / max(values)) / 2
    if share > 1:  # too far for such values: shift them
        drawn = 0.15 + distance + rng.choice(values, (200, 60))
    else:
        drawn = np.where(rng.random((200, 60)) < share, max(values), min(values))
    drawn = np.clip(drawn, -1, 1)
    fails = [status_of_mean(Tally.of((row + 1) / 2), (-0.15, 0.15), test=test) == "fail" for row in drawn]
    assert np.mean(fails) >= 0.75


@pytest.mark.parametrize("band", [(-0.15, 0.15), (-1.0, 0.08), (-0.0005, 0.0005), (-0.2, 1.0), (-1.0, 1.0)])
def test_a_mean_fails_where_its_p_is_below_alpha_and_nowhere_else(band):
    rng = np.random.default_rng(6)
    for mean in (-0.5, -0.2, 0.0, 0.1, 0.2, 0.5):
        for _ in range(20):
            verdict = judge_mean(rng.choice([-1.0, 1.0], 100, p=[0.5 - mean / 2, 0.5 + mean / 2]).tolist(), band=band)
            assert (verdict.status == "fail") == (verdict.p < 0.05)
            if verdict.status == "fail":
                assert verdict.effect_low > band[1] or verdict.effect_high < band[0]
            if verdict.status == "pass":
                assert band[0] <= verdict.effect_low <= verdict.effect_high <= band[1]


def test_nothing_passes_where_nothing_is_allowed():
    assert fewest_that_pass(0.0) is None
    assert fewest_that_pass(0.1) == 29
    assert judge(margins(200, 0), allowed=0.0).status == "inconclusive"
    assert judge(margins(200, 1), allowed=0.0).status == "fail"


def test_a_mean_at_the_edge_is_judged_wrongly_no_more_often_than_alpha():
    rng = np.random.default_rng(2)
    draws = rng.choice([-1.0, 1.0], (400, 50), p=[0.4, 0.6])
    fails = sum(judge_mean(row.tolist(), band=(-1.0, 0.2)).status == "fail" for row in draws)
    passes = sum(judge_mean(row.tolist(), band=(-1.0, 0.19999)).status == "pass" for row in draws)
    three_errors = 3 * math.sqrt(0.05 * 0.95 / 400)
    assert fails / 400 <= 0.05 + three_errors
    assert passes / 400 <= 0.05 + three_errors


@pytest.mark.parametrize("n", [29, 50, 200])
def test_a_rate_that_is_allowed_fails_no_more_often_than_alpha_and_one_above_passes_no_more_often(n):
    x = np.random.default_rng(3).binomial(n, 0.1, 2000)
    statuses = {k: judge(margins(n, k)).status for k in set(x.tolist())}
    three_errors = 3 * math.sqrt(0.05 * 0.95 / 2000)
    for wrong in ("fail", "pass"):
        assert np.mean([statuses[k] == wrong for k in x.tolist()]) <= 0.05 + three_errors


def test_holm_corrects_in_order_and_keeps_it():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_the_bootstrap_is_the_same_every_time_and_holds_the_mean():
    values = np.random.default_rng(4).normal(0.3, 0.1, 40).tolist()
    low, high = bootstrap_interval(values)
    assert (low, high) == bootstrap_interval(values)
    assert low < np.mean(values) < high
    assert high - low == pytest.approx(2 * 1.96 * 0.1 / math.sqrt(40), rel=0.3)


def test_the_worst_of_several_is_the_gravest():
    assert worst(["pass", "inconclusive"]) == "inconclusive"
    assert worst(["inconclusive", "invalid", "pass"]) == "invalid"
    assert worst(["invalid", "fail"]) == "fail"


def test_what_pytest_shows_of_a_verdict_is_not_cut():
    verdict = invalid("reason " * 100)
    assert len(repr(verdict)) < 240
    assert not verdict.passed
    assert "12 of 50 violate (24 %" in repr(judge(margins(50, 12)))


@pytest.mark.parametrize("test", [exact, anytime])
@pytest.mark.parametrize("band", [(-0.15, 0.15), (-0.25, 0.25), (-0.1, 0.4), (0.2, 0.6)])
def test_no_sample_of_equal_values_passes_a_mean_with_fewer_images_than_that(band, test):
    least = fewest_inside(band, test=test)
    values = np.linspace(*band, 41)[1:-1]

    def passes(n):
        return [judge_mean([value] * n, band=band, test=test).status == "pass" for value in values]

    assert any(passes(least))
    assert not any(passes(least - 1))


def test_a_band_with_an_open_side_needs_what_a_mean_of_0_does():
    for band in ((-1.0, 0.15), (-0.15, 1.0)):
        assert fewest_inside(band) == 19
        assert judge_mean([0.0] * 19, band=band).status == "pass"
        assert judge_mean([0.0] * 18, band=band).status == "inconclusive"
    assert fewest_inside((-1.0, -0.1)) is None


def test_what_is_not_asked_takes_nothing_from_a_pass_and_alone_is_none():
    assert worst(["not asked", "pass"]) == "pass"
    assert worst(["not asked", "not asked"]) == "not asked"
    assert worst(["not asked", "inconclusive", "pass"]) == "inconclusive"
