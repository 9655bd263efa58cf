"""Bounds against numbers worked out in other ways, and against truth that was drawn."""

import numpy as np
import pytest
from scipy.stats import beta, binomtest

from vlcheck.stats.betting import anytime
from vlcheck.stats.bounds import Tally, _weighted_sum_below, exact, lower, upper

TESTS = pytest.mark.parametrize("test", [exact, anytime])


@pytest.mark.parametrize(("x", "n"), [(0, 1), (1, 1), (0, 29), (3, 30), (30, 30), (10, 200)])
def test_of_violations_it_is_the_exact_binomial_test_and_clopper_pearson(x, n):
    sample = Tally.of_violations(x, n)
    assert exact(sample, 0.1) == pytest.approx(binomtest(x, n, 0.1, alternative="greater").pvalue)
    assert lower(exact, sample, 0.05) == pytest.approx(beta.ppf(0.05, x, n - x + 1) if x else 0)
    assert upper(exact, sample, 0.05) == pytest.approx(beta.ppf(0.95, x + 1, n - x) if x < n else 1)


@pytest.mark.parametrize(("x", "n"), [(1, 1), (2, 3), (3, 30), (29, 30), (30, 200), (51_000, 100_000)])
@pytest.mark.parametrize("mean", [0.05, 0.1, 0.5, 0.9])
def test_the_integral_is_right_where_there_is_a_formula(x, n, mean):
    values = np.array([-mean, 1 - mean])
    found = _weighted_sum_below(values, np.array([n - x + 1.0, x]))
    assert found == pytest.approx(exact(Tally.of_violations(x, n), mean), rel=1e-4, abs=1e-12)


def test_it_is_the_probability_that_randomly_weighted_values_fall_short():
    shares = np.random.default_rng(0).binomial(9, 0.2, 30) / 9
    weights = np.random.default_rng(1).dirichlet(np.ones(31), 100_000)
    means = weights @ np.append(shares, 0.0)
    for mean in (0.1, 0.15, 0.18, 0.2, 0.25):
        error = np.sqrt(0.25 / 100_000)
        assert exact(Tally.of(shares), mean) == pytest.approx((means <= mean).mean(), abs=4 * error)


@TESTS
def test_no_p_value_falls_as_the_mean_grows(test):
    sample = Tally.of(np.random.default_rng(2).random(25))
    p = [test(sample, mean) for mean in np.linspace(0, 0.999, 50)]
    assert p == sorted(p)
    assert (p[0], p[-1]) == (0.0, 1.0)


@TESTS
@pytest.mark.parametrize("values", [[0.0], [1.0], [0.0] * 40, [1.0] * 40, [0.3] * 40, [0.0, 0.5, 1.0]], ids=str)
def test_bounds_are_on_either_side_of_the_mean_and_in_range(test, values):
    sample = Tally.of(values)
    low, high = lower(test, sample, 0.05), upper(test, sample, 0.05)
    assert 0 <= low <= sample.mean <= high <= 1
    assert low > 0 or sample.mean == 0 or len(values) < 40
    assert high < 1 or sample.mean == 1 or len(values) < 40


@TESTS
def test_rows_that_do_not_agree_tell_more_than_rows_that_do(test):
    agreeing = Tally.of([1.0] * 8 + [0.0] * 32)
    mixed = Tally.of([0.2] * 40)
    assert agreeing.mean == pytest.approx(mixed.mean)
    assert lower(test, mixed, 0.05) > lower(test, agreeing, 0.05) + 0.02


@TESTS
def test_a_sample_thought_larger_is_that_sample_so_often(test):
    sample = Tally.of([0.0, 0.25, 0.25, 1.0])
    assert test(sample.times(10), 0.3) == pytest.approx(test(Tally.of([0.0, 0.25, 0.25, 1.0] * 10), 0.3))


def test_the_bet_is_worth_what_its_spread_makes_of_it():
    # 64 bets on one violation, against 0.1: their mean factor is 1 + 9 times the mean share, which is a half
    assert anytime(Tally.of([1.0]), 0.1) == pytest.approx(1 / (1 + 9 * 0.5))


def test_looking_after_every_image_misleads_no_more_often_than_alpha():
    rng = np.random.default_rng(3)
    runs, n = 1000, 120
    rejected = 0
    for values in (rng.random((runs, n)) < 0.1).astype(float):
        rejected += any(anytime(Tally.of(values[:size]), 0.1) <= 0.05 for size in range(1, n + 1, 3))
    three_errors = 3 * np.sqrt(0.05 * 0.95 / runs)
    assert rejected / runs <= 0.05 + three_errors
    once = [exact(Tally.of(values), 0.1) for values in (rng.random((runs, n)) < 0.1).astype(float)]
    assert np.mean(np.array(once) <= 0.05) > 0  # what is counted can happen


def test_looking_often_with_the_test_for_one_look_does_mislead():
    rng = np.random.default_rng(4)
    drawn = (rng.random((300, 200)) < 0.1).astype(float)
    rejected = sum(any(exact(Tally.of(one[:n]), 0.1) <= 0.05 for n in range(10, 201, 10)) for one in drawn)
    assert rejected / 300 > 0.1
