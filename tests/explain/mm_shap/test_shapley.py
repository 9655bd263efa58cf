"""The axioms of Shapley values, exact and sampled."""

from itertools import permutations

import numpy as np
import pytest

from tests.explain.mm_shap.games import PLAYERS, smooth_game, table_game
from vlcheck.errors import NotApplicable
from vlcheck.explain.mm_shap.contribution import MMShap
from vlcheck.explain.mm_shap.permutations import (
    adjusted,
    along,
    coalitions,
    draw_orders,
    draw_round,
    gains,
    pooled_differences,
    sample_rounds,
)
from vlcheck.explain.mm_shap.shapley import ShapleyValues, enumerate_coalitions
from vlcheck.explain.mm_shap.share import text_share

pytestmark = pytest.mark.slow  # networks are run many times

TEXTS, IMAGES = 3, 5


def sampled(game, rounds, seed=0, texts=TEXTS, images=IMAGES):
    return sample_rounds(game, texts, images, enough=lambda values: len(values.rounds) >= rounds, seed=seed)


def exact(game, players=PLAYERS):
    return enumerate_coalitions(game, players)


@pytest.mark.parametrize("values_of", [exact, lambda game: sampled(game, 4)], ids=["enumerated", "sampled"])
def test_efficiency_holds_exactly(values_of):
    found = values_of(table_game(1))
    assert found.phi.sum() == pytest.approx(found.full - found.base, abs=1e-12)


def test_players_that_do_the_same_have_equal_values():
    game = table_game(2)

    def symmetric(present):
        swapped = present.copy()
        swapped[:, [1, 6]] = present[:, [6, 1]]
        return game(present) + game(swapped)

    phi = exact(symmetric).phi
    assert phi[1] == pytest.approx(phi[6], abs=1e-12)
    assert len(set(phi.round(9))) == PLAYERS - 1


def test_a_player_that_changes_nothing_has_the_value_0():
    game = table_game(3)

    def dumb(present):
        return game(present & (np.arange(PLAYERS) != 4))

    phi = exact(dumb).phi
    assert phi[4] == 0
    assert (abs(phi[np.arange(PLAYERS) != 4]) > 1e-3).all()
    found = sampled(dumb, 20)
    assert abs(found.phi[4]) < 4 * found.standard_error[4]


def test_values_of_a_sum_are_the_sum_of_values():
    one, other = table_game(4), table_game(5)
    both = exact(lambda present: one(present) + 2 * other(present)).phi
    np.testing.assert_allclose(both, exact(one).phi + 2 * exact(other).phi, rtol=0, atol=1e-12)


def quadratic_game(seed):
    rng = np.random.default_rng(seed)
    main, pairs = rng.normal(size=PLAYERS), rng.normal(size=(PLAYERS, PLAYERS))
    return lambda present: present @ main + ((present @ pairs) * present).sum(1)


def test_a_permutation_and_its_reverse_cancel_interactions_of_two_players():
    game = quadratic_game(6)
    orders = draw_orders(np.random.default_rng(0), TEXTS, IMAGES, 1)
    found = gains(orders, along(game, coalitions(orders))).mean(0)
    np.testing.assert_allclose(found, exact(game).phi, rtol=0, atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_gains_and_differences_over_all_permutations_are_the_shapley_values(seed):
    game = table_game(seed, players=5)
    orders = np.array(list(permutations(range(5))))
    present = coalitions(orders)
    for found in (gains(orders, along(game, present)), pooled_differences(present, along(game, present))):
        np.testing.assert_allclose(found.mean(0), exact(game, 5).phi, rtol=0, atol=1e-12)


def test_the_surrogate_halves_the_variance_of_a_smooth_game():
    game, rng = smooth_game(0, 14), np.random.default_rng(0)
    rounds = [draw_round(game, rng, 5, 9, 8) for _ in range(24)]
    plain = np.array([gains(one.orders, one.values).mean(0) for one in rounds])
    assert adjusted(rounds, 5).var(axis=0, ddof=1).sum() < plain.var(axis=0, ddof=1).sum() / 2


def test_orders_are_uniform_and_share_the_order_of_the_image_players():
    rng = np.random.default_rng(0)
    rounds = [draw_orders(rng, 2, 2, 3) for _ in range(4000)]
    for orders in rounds[:20]:
        images = [[player for player in order if player >= 2] for order in orders[:3].tolist()]
        assert images[0] == images[1] == images[2]
        assert (orders[3:] == orders[:3, ::-1]).all()
    first = np.array([orders[0] for orders in rounds])
    _, counts = np.unique(first, axis=0, return_counts=True)
    expected = len(rounds) / 24
    assert len(counts) == 24
    assert ((counts - expected) ** 2 / expected).sum() < 49.7  # chi-squared with 23 degrees of freedom, p = 0.001


def test_gains_are_the_differences_along_a_permutation():
    game = table_game(7, players=3)
    values = game(np.array([[0, 0, 0], [0, 1, 0], [1, 1, 0], [1, 1, 1]], dtype=bool))
    np.testing.assert_allclose(gains(np.array([[1, 0, 2]]), values[None])[0, [1, 0, 2]], np.diff(values))


def test_rounds_are_unbiased_and_their_standard_error_is_honest():
    game, repeats = smooth_game(0, PLAYERS), 60
    expected = exact(game).phi
    found = [sampled(game, 8, seed) for seed in range(repeats)]
    scores = np.array([(one.phi - expected) / one.standard_error for one in found])
    means = np.array([one.phi for one in found])
    assert (abs(means.mean(0) - expected) < 4 * means.std(0, ddof=1) / repeats**0.5).all()
    assert 0.85 < np.sqrt((scores**2).mean()) < 1.5  # Student's t with 7 degrees of freedom has 1.18


def test_the_share_of_the_text_is_close_and_its_error_honest():
    game = smooth_game(0, PLAYERS)
    expected = text_share(exact(game), TEXTS).value
    found = [text_share(sampled(game, 8, draw), TEXTS) for draw in range(40)]
    misses = np.array([(one.value - expected) / one.standard_error for one in found])
    assert (abs(misses) < 4).mean() > 0.97
    assert abs(np.mean([one.value for one in found]) - expected) < 0.02


def test_players_without_effect_add_nothing_to_their_modality():
    rng = np.random.default_rng(0)
    rounds = np.hstack([np.ones((20, 1)), rng.normal(size=(20, 400)) * 0.02])
    noisy = ShapleyValues(rounds.mean(0), 0.0, 1.0, rounds, exact=False)
    plain = abs(noisy.phi[0]) / abs(noisy.phi).sum()
    assert plain < 0.45
    assert text_share(noisy, 1).value > 0.80


def test_a_game_that_nothing_changes_has_no_share():
    with pytest.raises(NotApplicable, match="changes the score"):
        text_share(exact(lambda present: np.ones(len(present))), TEXTS)


def test_sampling_ends_at_the_precision_or_at_the_most_rounds():
    game = smooth_game(3, 14)
    precise = MMShap(precision=0.01).shapley_values(game, 6, 8)
    assert text_share(precise, 6).standard_error <= 0.01
    assert len(MMShap(precision=0.0, most_rounds=8).shapley_values(game, 6, 8).rounds) == 8
