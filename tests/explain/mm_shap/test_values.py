"""The values of coalitions of the embedded model: each asked once, in batches that memory allows."""

import numpy as np
import pytest
import torch

import vlcheck
from vlcheck.cases.box import Box
from vlcheck.errors import NotApplicable
from vlcheck.explain.mm_shap.contribution import MMShap
from vlcheck.explain.mm_shap.players import Players
from vlcheck.explain.mm_shap.values import CoalitionValues
from vlcheck.models.differentiable import ImageLayout, PairInputs

pytestmark = pytest.mark.slow  # networks are run many times

TEXT = "a photo of a red ball"


@pytest.fixture(scope="module")
def case():
    return vlcheck.open_cases("scenes:1").select(vlcheck.with_target("object"))[0]


@pytest.fixture(scope="module")
def network():
    return vlcheck.load_model("tiny").differentiable()


def game_of(network, case, **sizes):
    return CoalitionValues(network, players_of(network, case), **sizes)


def players_of(network, case):
    return Players.of(network.inputs([case.image.open()], [case.caption]), network.absent_token)


def drawn(players, n=40):
    rng = np.random.default_rng(0)
    return rng.random((n, len(players))) < rng.random((n, 1))


def by_hand(network, players, present):
    """One coalition a forward: without reuse, and without batches."""
    values = []
    for row in present:
        pixels = players.pictures(row[None, len(players.tokens) :]).pixels
        inputs = players.texts(row[None, : len(players.tokens)])
        inputs = PairInputs(**{**vars(inputs), "pixels": pixels})
        with torch.inference_mode():
            logits = network.match_logits(inputs, network.image_states(inputs), network.text_states(inputs))
        values.append(logits.double().softmax(1)[0, 1].item())
    return np.array(values)


def test_values_are_those_of_one_coalition_a_forward(network, case):
    game = game_of(network, case)
    present = drawn(game.players)
    np.testing.assert_allclose(game(present), by_hand(network, game.players, present), rtol=0, atol=1e-5)


def test_all_and_none_are_the_whole_pair_and_the_empty_one(network, case):
    game = game_of(network, case)
    model, image = network.model, case.image.open()
    whole = model.itm(model.encode([image]), [case.caption])[0]
    assert game(np.ones((1, len(game.players)), dtype=bool))[0] == pytest.approx(whole, abs=1e-5)
    inputs = game.players.texts(np.zeros((1, len(game.players.tokens)), dtype=bool))
    assert inputs.ids[0].tolist() == [model.tokenizer.cls] + [network.absent_token] * len(game.players.tokens)
    pixels = game.players.pictures(np.zeros((1, len(game.players.cells)), dtype=bool)).pixels[0]
    assert not pixels[:, game.players.cells.any(0)].any()
    assert torch.equal(pixels[:, -1], game.players.inputs.pixels[0, :, -1])  # left over: 64 pixels are no multiple of 3


def test_equal_coalitions_are_asked_once(network, case):
    game = game_of(network, case)
    present = drawn(game.players)
    first = game(np.vstack([present, present[::-1]]))
    words = len(game.players.tokens)
    asked = vars(game.forwards).copy()
    assert asked["pairs"] == len(np.unique(present, axis=0))
    assert asked["pictures"] == len(np.unique(present[:, words:], axis=0))
    assert asked["texts"] == len(np.unique(present[:, :words], axis=0))
    assert (game(present) == first[: len(present)]).all()
    assert vars(game.forwards) == asked


def test_a_change_of_the_text_alone_encodes_no_picture_again(network, case):
    game = game_of(network, case)
    present = np.ones((6, len(game.players)), dtype=bool)
    present[np.arange(1, 6), np.arange(5)] = False
    game(present[:3])
    assert game.forwards.pictures == 1
    game(present)
    assert game.forwards.pictures == 1


@pytest.mark.parametrize("error", [MemoryError, torch.OutOfMemoryError])
def test_without_memory_batches_are_halved_and_nothing_is_lost(network, case, monkeypatch, error):
    present = drawn(players_of(network, case))
    expected, sizes = game_of(network, case)(present), []
    for name in ("image_states", "text_states", "match_logits"):
        whole = getattr(network, name)

        def cramped(inputs, *states, whole=whole, name=name):
            sizes.append(len(inputs))
            if len(inputs) > 3:
                raise error
            return whole(inputs, *states)

        monkeypatch.setattr(network, name, cramped)
    np.testing.assert_allclose(game_of(network, case)(present), expected, rtol=0, atol=1e-5)
    assert max(sizes) > 3


def test_without_memory_for_a_single_pair_the_error_is_raised(network, case, monkeypatch):
    def cramped(*_):
        raise MemoryError

    monkeypatch.setattr(network, "image_states", cramped)
    with pytest.raises(MemoryError):
        game_of(network, case)(drawn(players_of(network, case)))


def test_a_caption_that_is_too_long_is_refused(network, case):
    with pytest.raises(NotApplicable, match="more than the 30 words"):
        MMShap().explain(network, [case.image.open()], ["word " * 31])


def test_the_grid_has_about_as_many_cells_as_the_text_has_tokens(network, case):
    players = players_of(network, case)
    tokens = len(players.inputs.tokens[0])
    assert players.side == int(np.ceil(np.sqrt(tokens)))
    assert len(players.tokens) == tokens - 1  # [CLS] is always present
    height, width = players.inputs.pixels.shape[-2:]
    assert int(players.cells[0].sum()) == (height // players.side) * (width // players.side)
    assert int(players.cells.sum(0).max()) == 1
    first = players.layout.boxes[0]
    assert first == pytest.approx(Box(0, 0, width // players.side / width, height // players.side / height))


def test_regions_belong_to_the_cell_of_their_centre():
    boxes = (Box(0, 0, 0.2, 0.2), Box(0.1, 0.1, 0.2, 0.2), Box(0.6, 0.6, 0.4, 0.4))
    inputs = PairInputs(
        pixels=torch.ones(1, 3, 2),
        ids=torch.tensor([[101, 7, 8, 102]]),
        attention=torch.ones(1, 4, dtype=torch.long),
        special=torch.tensor([[True, False, False, True]]),
        tokens=(("[CLS]", "a", "bus", "[SEP]"),),
        layouts=(ImageLayout(boxes),),
        masks=torch.zeros(1, 4, dtype=torch.bool),
        pieces=((),),
    )
    players = Players.of(inputs, absent_token=0)
    assert (players.side, players.places) == (2, ((0, 0), (1, 1)))
    hidden = players.pictures(np.array([[False, True], [True, False]])).pixels
    assert hidden.any(2).tolist() == [[False, False, True], [True, True, False]]
    assert players.texts(np.array([[False, True]])).ids.tolist() == [[101, 0, 8, 102]]
    assert players.layout.boxes == (Box(0, 0, 0.5, 0.5), Box(0.5, 0.5, 0.5, 0.5))
