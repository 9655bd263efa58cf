"""Shapley values against those of the package shap."""

import numpy as np
import pytest

from tests.explain.mm_shap.games import PLAYERS, smooth_game, table_game
from vlcheck.explain.mm_shap.sampling import sample_rounds
from vlcheck.explain.mm_shap.shapley import enumerate_coalitions

pytestmark = pytest.mark.slow  # networks are run many times

shap = pytest.importorskip("shap", reason="shap is in the dependency group `tests`")


def by_shap(game, players, explainer=shap.ExactExplainer, **settings):
    masker = shap.maskers.Independent(np.zeros((1, players)))
    return explainer(lambda rows: game(rows.astype(bool)), masker)(np.ones((1, players)), **settings).values[0]


@pytest.mark.parametrize("seed", range(5))
def test_enumerated_values_are_those_of_shap(seed):
    game = table_game(seed)
    np.testing.assert_allclose(enumerate_coalitions(game, PLAYERS).phi, by_shap(game, PLAYERS), rtol=0, atol=1e-12)


def test_sampled_values_are_within_four_standard_errors_of_shaps():
    game = smooth_game(1, PLAYERS)
    found = sample_rounds(game, 3, 5, enough=lambda values: len(values.rounds) >= 16)
    assert (abs(found.phi - by_shap(game, PLAYERS)) < 4 * found.standard_error).all()
