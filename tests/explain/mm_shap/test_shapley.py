"""The axioms of Shapley values, exact and sampled."""

from functools import partial

import numpy as np
import pytest

from tests.explain.mm_shap.games import PLAYERS, smooth_game, table_game
from vlcheck.errors import NotApplicable
from vlcheck.explain.mm_shap import crossed
from vlcheck.explain.mm_shap.contribution import MMShap
from vlcheck.explain.mm_shap.crossed import CrossedDesign
from vlcheck.explain.mm_shap.regression import (
    KnownValues,
    Smoothness,
    best_smoothness,
    regress,
    shapley_values_of_likeness,
)
from vlcheck.explain.mm_shap.sampling import odd_part, sample_rounds
from vlcheck.explain.mm_shap.shapley import enumerate_coalitions
from vlcheck.explain.mm_shap.share import text_share

pytestmark = pytest.mark.slow  # networks are run many times

TEXTS, IMAGES = 3, 5


def sampled(game, rounds, seed=0, texts=TEXTS, images=IMAGES):
    return sample_rounds(game, texts, images, enough=lambda values: True, first=rounds, seed=seed)


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


def test_interactions_of_two_players_cancel():
    game = quadratic_game(6)
    expected = exact(game).phi
    assert abs(sampled(game, 24).phi - expected).max() < 0.002 * abs(expected).max()


@pytest.mark.parametrize("rate", [0.0, 0.06, 0.6])
def test_values_of_likeness_are_the_shapley_values_of_its_game(rate):
    rates = np.repeat([rate, 0.25], [TEXTS, IMAGES])
    others = np.random.default_rng(0).random((6, PLAYERS)) < 0.5
    signs = np.where(others, 1.0, -1.0)
    for row, found in zip(signs, shapley_values_of_likeness(signs, rates), strict=True):
        game = partial(likeness_to, row, rates)
        np.testing.assert_allclose(found, exact(game).phi, rtol=0, atol=1e-12)


def likeness_to(row, rates, present):
    return np.sinh(np.where(present, 1.0, -1.0) @ (rates * row))


def known_of(game, rounds, seed=0):
    design = CrossedDesign(np.random.default_rng(seed), TEXTS, IMAGES, 4)
    present = np.array([design.draw() for _ in range(rounds)])
    base, full = game(np.array([[False], [True]]).repeat(PLAYERS, axis=1))
    return KnownValues(present, odd_part(game, present), full - base, TEXTS)


def test_a_regression_without_a_round_is_that_of_the_other_rounds():
    known, smoothness = known_of(table_game(7), 10), Smoothness(0.06, 0.25, 0.03)
    found = regress(known, smoothness)
    kept = np.arange(10) != 3
    others = regress(KnownValues(known.present[kept], known.odd[kept], known.gain, TEXTS), smoothness)
    np.testing.assert_allclose(found.without[3], others.phi, rtol=0, atol=1e-7)
    np.testing.assert_allclose(found.rounds.mean(0), found.phi, rtol=0, atol=1e-12)


def test_a_modality_that_does_nothing_is_left_out_of_the_regression():
    game = table_game(8, players=TEXTS)
    chosen = best_smoothness(known_of(lambda present: game(present[:, :TEXTS]), 16))
    assert chosen.image == 0
    assert chosen.text > 0


def test_a_design_gives_all_players_the_same_chances():
    draws = 400
    rounds = np.array([CrossedDesign(np.random.default_rng(seed), 4, 6, 8).draw() for seed in range(draws)])
    cells, tokens = rounds[:, 0, 4:].mean(0), rounds[:, :, :4].mean((0, 1))
    assert abs(cells - 0.5).max() < 4 * 0.5 / draws**0.5
    assert abs(tokens - 0.5).max() < 4 * 0.5 / draws**0.5
    assert (rounds[:, :, 4:] == rounds[:, :1, 4:]).all()


def test_the_cells_of_a_design_tell_single_effects_apart_better_than_random_ones():
    def error_of_effects(candidates, monkeypatch):
        monkeypatch.setattr(crossed, "CANDIDATES", candidates)
        design = CrossedDesign(np.random.default_rng(0), 10, 16, 1)
        signs = np.where([design.draw()[0, 10:] for _ in range(24)], 1.0, -1.0)
        return np.linalg.inv(signs.T @ signs).trace()

    with pytest.MonkeyPatch.context() as monkeypatch:
        assert error_of_effects(64, monkeypatch) < 0.7 * error_of_effects(1, monkeypatch)


def antithetic(game, players, rng):
    """The published estimate from one permutation and its reverse."""
    order, gains = rng.permutation(players), np.empty((2, players))
    for found, joining in zip(gains, (order, order[::-1]), strict=True):
        present = np.argsort(joining) < np.arange(players + 1)[:, None]
        found[joining] = np.diff(game(present))
    return gains.mean(0)


@pytest.fixture(scope="module")
def repeated():
    """The exact values of a smooth game of 13 players, and 20 estimates of 24 rounds."""
    game = smooth_game(0, 13)
    return game, exact(game, 13).phi, [sampled(game, 24, seed, 5, 8) for seed in range(20)]


def test_48_pictures_err_less_than_the_160_of_the_published_permutations(repeated):
    game, expected, found = repeated
    rng = np.random.default_rng(0)
    published = [np.mean([antithetic(game, 13, rng) for _ in range(10)], axis=0) for _ in range(20)]
    ours, theirs = (
        np.square(np.array(some) - expected).sum(1).mean() for some in ([one.phi for one in found], published)
    )
    assert ours < theirs


def test_the_bias_is_within_the_standard_error_which_is_honest(repeated):
    _, expected, found = repeated
    errors = np.array([one.phi - expected for one in found])
    stated = np.array([one.standard_error for one in found])
    assert np.sqrt((errors.mean(0) ** 2).sum()) < 0.6 * np.sqrt((stated**2).sum(1).mean())
    assert 0.5 < np.sqrt((errors**2).sum() / (stated**2).sum()) < 1.1


def test_the_share_of_the_text_is_close_and_its_error_honest():
    game = smooth_game(0, PLAYERS)
    expected = text_share(exact(game), TEXTS).value
    found = [text_share(sampled(game, 24, draw), TEXTS) for draw in range(40)]
    misses = np.array([(one.value - expected) / one.standard_error for one in found])
    assert (abs(misses) < 4).mean() > 0.97
    assert abs(np.mean([one.value for one in found]) - expected) < 0.02


def test_a_modality_of_little_effect_keeps_its_little_share():
    game = smooth_game(0, 13, weak=range(5, 13))
    expected = text_share(exact(game, 13), 5).value
    assert 0.90 < expected < 0.99
    for draw in range(4):
        found = text_share(sampled(game, 24, draw, 5, 8), 5)
        assert abs(found.value - expected) < 4 * found.standard_error < 0.02


@pytest.mark.parametrize("cells", [9, 25, 36])
def test_there_are_more_rounds_than_cells_before_an_error_is_believed(cells):
    found = MMShap(precision=1.0).shapley_values(smooth_game(1, 6 + cells), 6, cells)
    assert len(found.rounds) == max(24, cells + 8)


def test_a_game_that_nothing_changes_has_no_share():
    with pytest.raises(NotApplicable, match="changes the score"):
        text_share(exact(lambda present: np.ones(len(present))), TEXTS)


def test_sampling_ends_at_the_precision_or_at_the_most_rounds():
    game = smooth_game(3, 14)
    precise = MMShap(precision=0.01).shapley_values(game, 6, 8)
    assert text_share(precise, 6).standard_error <= 0.01
    assert len(MMShap(precision=0.0, most_rounds=8).shapley_values(game, 6, 8).rounds) == 8
