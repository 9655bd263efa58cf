"""Sameness has to be shown: two one-sided tests, each by an exact bound."""

import numpy as np
import pytest
from scipy.stats import binom

from vlcheck.stats.bounds import Tally
from vlcheck.stats.equivalence import ShareCriterion, ShiftCriterion, decide, fewest_same, needed_same


def changed(x, n, margin=0.05):
    return ShareCriterion("changed", Tally.of_violations(x, n), margin, 0.05)


def shift(values, margin=0.02):
    return ShiftCriterion("shift", Tally.of((np.asarray(values) + 1) / 2), margin, 0.05)


@pytest.mark.parametrize(("x", "n"), [(0, 59), (4, 200), (5, 200), (20, 200)])
def test_a_share_is_tested_by_the_binomial_distribution(x, n):
    criterion = changed(x, n)
    assert criterion.p_same == pytest.approx(binom.cdf(x, n, 0.05))
    assert criterion.p_different == pytest.approx(binom.sf(x - 1, n, 0.05))


@pytest.mark.parametrize(
    ("x", "n", "said"),
    [
        (0, 58, "inconclusive"),
        (0, 59, "same"),
        (4, 200, "same"),
        (5, 200, "inconclusive"),
        (15, 200, "inconclusive"),
        (16, 200, "different"),
    ],
)
def test_a_share_is_within_its_margin_beyond_it_or_neither(x, n, said):
    assert decide([changed(x, n)], 0.05) == said


def test_a_shift_is_tested_at_both_ends_of_its_margin():
    up, down = shift([0.03] * 500), shift([-0.03] * 500)
    assert (up.mean, down.mean) == pytest.approx((0.03, -0.03))
    assert up.p_same == pytest.approx(down.p_same)
    assert up.p_different == pytest.approx(down.p_different)
    assert up.p_same > 0.9
    assert shift([0.0] * 149).p_same <= 0.05 < shift([0.0] * 148).p_same


def test_shifts_that_cancel_out_are_no_shift():
    assert shift([0.01, -0.01] * 100).mean == pytest.approx(0)
    assert decide([shift([0.01, -0.01] * 100)], 0.05) == "same"


def test_the_bounds_are_those_of_the_tests():
    criterion = shift([0.0] * 200)
    assert (criterion.low, criterion.high) == pytest.approx((-0.01487, 0.01487), abs=1e-5)
    assert changed(4, 200).high == pytest.approx(0.04518, abs=1e-5)


def test_each_criterion_has_to_be_met_and_one_beyond_its_margin_is_enough():
    same, far, open_one = changed(0, 200), changed(40, 200), changed(8, 200)
    assert decide([same, same], 0.05) == "same"
    assert decide([same, open_one], 0.05) == "inconclusive"
    assert decide([same, far, open_one], 0.05) == "different"
    barely = changed(16, 200)  # p = 0.044: enough alone, too little among two
    assert decide([barely], 0.05) == "different"
    assert decide([barely, same], 0.05) == "inconclusive"


def test_nothing_shows_nothing():
    assert decide([], 0.05) == "inconclusive"


def test_so_many_images_are_needed_where_nothing_differs():
    assert fewest_same([0.05, 0.03], 0.02, 0.05) == 149
    assert fewest_same([1e-6], 0.02, 0.05) is None


def test_so_many_images_would_decide():
    sample = Tally.of_violations(5, 200)

    def larger(times):
        return [ShareCriterion("changed", sample.times(times), 0.05, 0.05)]

    needed = needed_same(larger, 200, 0.05)
    assert 200 < needed < 250
    assert decide(larger(needed / 200), 0.05) == "same"
    assert decide(larger((needed - 1) / 200), 0.05) == "inconclusive"
    at_the_margin = Tally.of_violations(10, 200)
    assert needed_same(lambda times: [ShareCriterion("", at_the_margin.times(times), 0.05, 0.05)], 200, 0.05) is None
