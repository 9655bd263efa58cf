"""Log-odds, and how far probabilities are apart and move on that scale."""

import math
import random

import pytest

from vlcheck.stats.betting import anytime
from vlcheck.stats.bounds import Tally, exact
from vlcheck.stats.decision import sides_of_mean, status_of_mean
from vlcheck.stats.log_odds import distance, log_odds, shifted


def test_the_ends_of_the_range():
    assert (log_odds(0.0), log_odds(1.0), log_odds(0.5)) == (-math.inf, math.inf, 0.0)
    assert math.isnan(log_odds(math.nan))
    assert distance(1 - 1e-4, 1.0) > 8  # a fast score that is not rounded to an end tells how far it is from there
    assert distance(1e-4, 0.0) > 70


@pytest.mark.parametrize(("fast", "exact"), [(1.0, 1 - 1e-9), (1.0, 0.9985), (0.0, 1e-4), (0.0, 1e-30), (0.0, 0.0)])
def test_a_score_that_is_rounded_to_an_end_is_not_off_by_what_it_cannot_tell(fast, exact):
    assert distance(fast, exact) == 0
    assert min(shifted(fast, -0.01), shifted(fast, 0.01)) <= exact <= max(shifted(fast, -0.01), shifted(fast, 0.01))


def test_no_exact_score_is_farther_than_its_distance_allows():
    rng = random.Random(0)
    ends = 0
    for _ in range(2_000):
        fast, exact = (_anywhere(rng) for _ in range(2))
        by = distance(fast, exact) * (1 + 1e-9) + 1e-9
        assert shifted(fast, -by) <= exact <= shifted(fast, by)
        ends += fast in (0.0, 1.0) and exact not in (0.0, 1.0)
    assert ends > 100


def _anywhere(rng):
    odds = rng.gauss(0.0, rng.choice((1.0, 10.0, 40.0)))
    return rng.choice((0.0, 1.0, *[1 / (1 + math.exp(-odds))] * 4))


def test_what_is_moved_there_and_back_is_within_the_move():
    for score in (0.0, 1e-20, 0.3, 0.999, 1.0):
        low, high = shifted(score, -0.4), shifted(score, 0.4)
        assert 0 <= low <= score <= high <= 1
        assert distance(low, score) == pytest.approx(0.4, abs=0.05) or score in (0.0, 1.0)
    assert (shifted(0.3, -math.inf), shifted(0.3, math.inf)) == (0.0, 1.0)


@pytest.mark.parametrize("test", [exact, anytime])
def test_a_mean_that_has_the_same_sides_at_both_ends_has_one_status_between(test):
    rng = random.Random(0)
    band = (-0.15, 0.15)
    same = 0
    for _ in range(25):
        middle, width = rng.uniform(-0.3, 0.3), rng.choice((0.005, 0.05))
        values = [(rng.gauss(middle, 0.1) + 1) / 2 for _ in range(rng.choice((20, 60)))]
        ends = [Tally.of(min(max(one + by, 0.0), 1.0) for one in values) for by in (-width, width)]
        if len({sides_of_mean(one, band, test=test) for one in ends}) == 1:
            same += 1
            between = [
                Tally.of(min(max(one + rng.uniform(-width, width), 0.0), 1.0) for one in values) for _ in range(4)
            ]
            assert len({status_of_mean(one, band, test=test) for one in (*ends, *between)}) == 1
    assert 5 < same < 25
