"""The tests of paired figures, against scipy's, by hand, and under a null."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest, permutation_test

from vlcheck.stats.paired import by_image, mcnemar, sign_flip

ALPHA = 0.05
SIMULATED = 2_000


@pytest.mark.parametrize(("worse", "better"), [(0, 0), (1, 0), (0, 6), (5, 2), (2, 5), (10, 10), (60, 3), (200, 0)])
def test_mcnemar_is_the_exact_binomial_test(worse, better):
    expected = binomtest(worse, worse + better).pvalue if worse + better else 1.0
    assert mcnemar(worse, better) == pytest.approx(expected, rel=1e-9)


def test_mcnemar_by_hand():
    assert mcnemar(6, 0) == pytest.approx(2 / 64)
    assert mcnemar(6, 1) == pytest.approx(2 * (1 + 7) / 128)
    assert mcnemar(3, 3) == 1.0


def test_sign_flip_by_hand():
    """Of the eight ways to sign 1, 2 and 3, two have a sum as far from 0 as 6; of those of 1, 2 and -3, all."""
    assert sign_flip([1, 2, 3]) == pytest.approx(2 / 8, abs=0.005)
    assert sign_flip([1, 2, -3]) == 1.0
    assert sign_flip([]) == sign_flip([0, 0]) == 1.0


@pytest.mark.parametrize("seed", range(3))
def test_sign_flip_is_scipys_permutation_test(seed):
    differences = np.random.default_rng(seed).normal(0.3, 1, 14)
    exact = permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
    ).pvalue
    error = math.sqrt(exact * (1 - exact) / 99_999)
    assert sign_flip(differences) == pytest.approx(exact, abs=4 * error)


def test_sign_flip_repeats_and_never_says_0():
    differences = np.full(200, 0.25)
    assert sign_flip(differences, draws=999) == 1 / 1000
    mixed = np.random.default_rng(1).normal(size=30)
    assert sign_flip(mixed, draws=999) == sign_flip(mixed, draws=999)
    assert sign_flip(mixed, draws=999) == sign_flip(-mixed, draws=999)


def test_equal_differences_are_ties_in_spite_of_rounding():
    """Nine tenths one way and one the other: 2 + 20 of 1024 flips have a sum as far from 0."""
    assert sign_flip([0.1] * 9 + [-0.1]) == pytest.approx(22 / 1024, abs=0.002)


def test_an_image_counts_once():
    images, old, new = np.array(["b", "a", "b", "b"]), np.array([0, 1, 0, 0]), np.array([1, 1, 0, 1])
    np.testing.assert_allclose(by_image(images, old, new), [[0, 2 / 3], [1, 1]])
    assert by_image(images[:0], old[:0], new[:0]).shape == (0, 2)


def most_false_alarms():
    return ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / SIMULATED)


def two_equal_models(random, rows_an_image):
    """40 images of unlike difficulty, of which each model violates each row as often as the other."""
    difficulty = np.repeat(random.beta(0.5, 1.5, 40), rows_an_image)
    images = np.repeat(np.arange(40), rows_an_image)
    old, new = (random.random((2, len(images))) < difficulty).astype(float)
    return by_image(images, old, new)


@pytest.mark.parametrize("rows_an_image", [1, 8])
def test_images_of_equal_models_raise_false_alarms_at_alpha_at_most(rows_an_image):
    random = np.random.default_rng(0)
    alarms = 0
    for _ in range(SIMULATED):
        old, new = two_equal_models(random, rows_an_image).T
        alarms += mcnemar(int((new > old).sum()), int((new < old).sum())) <= ALPHA
    assert 0 < alarms / SIMULATED <= most_false_alarms()


@pytest.mark.parametrize("rows_an_image", [1, 8])
def test_effects_of_equal_models_raise_false_alarms_at_alpha_at_most(rows_an_image):
    random = np.random.default_rng(0)
    alarms = 0
    for _ in range(SIMULATED):
        old, new = two_equal_models(random, rows_an_image).T
        alarms += sign_flip(new - old, draws=199) <= ALPHA
    assert 0 < alarms / SIMULATED <= most_false_alarms()


def test_rows_of_one_image_that_counted_as_many_would_raise_false_alarms():
    """Why the image is the unit: models that differ by chance on an image do so in all of its rows."""
    random = np.random.default_rng(0)
    by_row, by_picture = 0, 0
    for _ in range(SIMULATED // 4):
        differences = random.choice([-1.0, 1.0], 20)
        rows = np.repeat(differences, 8)
        by_row += mcnemar(int((rows > 0).sum()), int((rows < 0).sum())) <= ALPHA
        by_picture += mcnemar(int((differences > 0).sum()), int((differences < 0).sum())) <= ALPHA
    assert by_picture <= ALPHA * SIMULATED / 4 + 15 < by_row
