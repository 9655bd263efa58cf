"""MM-SHAP of ALBEF against the values of all coalitions by the original code (shared/references/albef_mmshap)."""

import numpy as np
import pytest
import torch

from tests.models.original.test_albef import reference_model
from vlcheck.explain.mm_shap.contribution import MMShap, contribution
from vlcheck.explain.mm_shap.players import Players
from vlcheck.explain.mm_shap.values import CoalitionValues
from vlcheck.models.differentiable import ImageLayout, PairInputs

pytestmark = pytest.mark.slow  # networks are run many times

LENGTHS = (3, 4, 5)


@pytest.fixture(scope="module")
def network():
    return reference_model(torch.float64).differentiable()


@pytest.fixture(scope="module")
def saved(references_root):
    folder = references_root / "albef_mmshap"
    return {**np.load(folder / "inputs.npz"), **np.load(folder / "outputs.npz")}


def game_of(network, saved, length):
    ids = torch.tensor(saved[f"ids_T{length}"])
    inputs = PairInputs(
        pixels=torch.tensor(saved[f"image_T{length}"]).double(),
        ids=ids,
        attention=torch.ones_like(ids),
        special=ids == network.model.tokenizer.cls,
        tokens=(tuple(map(str, ids[0].tolist())),),
        layouts=(ImageLayout.of_grid(4, 4),),
        masks=torch.zeros_like(ids, dtype=torch.bool),
        pieces=((),),
    )
    return CoalitionValues(network, Players.of(inputs, network.absent_token))


def sizes(game):
    return len(game.players.tokens), len(game.players.cells)


@pytest.mark.parametrize("length", LENGTHS)
def test_all_coalitions_have_the_original_values(network, saved, length):
    game = game_of(network, saved, length)
    numbers = np.arange(2 ** len(game.players))
    found = game((numbers[:, None] >> np.arange(len(game.players)) & 1).astype(bool))
    np.testing.assert_allclose(found, saved[f"values_T{length}"], rtol=0, atol=1e-9)
    assert game.forwards.pictures == 2 ** len(game.players.cells)
    assert game.forwards.texts == 2 ** len(game.players.tokens)


@pytest.mark.parametrize("length", LENGTHS)
def test_enumerated_values_are_the_original_ones(network, saved, length):
    game = game_of(network, saved, length)
    found = contribution(game.players, MMShap(enumerated=13).shapley_values(game, *sizes(game)), game)
    phi = np.concatenate([found.token_values, found.image.values])
    np.testing.assert_allclose(phi, saved[f"phi_T{length}"], rtol=0, atol=1e-6)
    ends = [found.values.base, found.values.full, found.share.value, 1 - found.share.value]
    expected = [saved[f"{name}_T{length}"] for name in ("base", "full", "tshap", "vshap")]
    np.testing.assert_allclose(ends, expected, rtol=0, atol=1e-6)
    assert found.values.exact
    assert found.share.standard_error == 0


@pytest.mark.parametrize("length", LENGTHS)
def test_sampled_values_are_within_four_standard_errors(network, saved, length):
    game = game_of(network, saved, length)
    found = MMShap(enumerated=0, precision=0.0, most_rounds=24).shapley_values(game, *sizes(game))
    expected = saved[f"phi_T{length}"][1:]
    assert not found.exact
    assert (abs(found.phi - expected) <= 4 * found.standard_error + 1e-12).all()
    assert found.phi.sum() == pytest.approx(found.full - found.base, abs=1e-12)
    share = contribution(game.players, found, game).share
    assert abs(share.value - saved[f"tshap_T{length}"]) <= 4 * share.standard_error
