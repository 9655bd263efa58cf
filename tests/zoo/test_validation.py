"""The exam counts right answers, and what is written is read again as ALBEF."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from tests.zoo.test_training import SMALL
from vlcheck.errors import UsageError
from vlcheck.models.loading.load import load_model
from vlcheck.zoo.batches import draw_pool
from vlcheck.zoo.captions import Facts, vocabulary
from vlcheck.zoo.export import write_model
from vlcheck.zoo.training import Losses, first_weights
from vlcheck.zoo.validation import Share, _true, held_out, validate
from vlcheck.zoo.workspace import read_sums


@pytest.fixture(scope="module")
def network():
    return first_weights(SMALL.config, 0).eval()


def test_an_untrained_network_knows_next_to_nothing(network):
    shares = validate(network, draw_pool("test", 600, 64))
    assert {"color", "object, act", "object, duo", "person", "side, back", "side, beside", "vertical"} <= set(shares)
    assert {"itm, true", "itm, false by side", "itm, false by its order", "itm, false by object"} <= set(shares)
    assert shares["object, act"].right < 0.4
    assert 0.9 < shares["itm, true"].right + shares["itm, false"].right < 1.1  # what it says, it says of all alike
    assert shares["object"].n == sum(share.n for kind, share in shares.items() if kind.startswith("object, "))
    assert shares["itm, true"].n == shares["itm, false"].n == 600


def test_a_network_that_says_one_word_is_right_as_often_as_the_word_is(network):
    pool = draw_pool("test", 900, 64)
    says_left = first_weights(SMALL.config, 0).eval()
    with torch.no_grad():
        says_left.text_encoder.cls["predictions"].bias[vocabulary().index("left")] = 1e4
    shares = validate(says_left, pool)
    assert shares["color"].right == shares["object, act"].right == shares["vertical"].right == 0
    assert 0.3 < shares["side, act"].right < 0.7


def test_every_place_of_a_thing_is_a_true_answer():
    facts = Facts("beside", (("ball", "red"), ("cup", "blue")), places=(("left", "top"), ("right",)))
    assert _true(facts, "a red ball on the [MASK]", "top") == {"left", "top"}
    assert _true(facts, "a cup on the [MASK]", "right") == {"right"}
    assert _true(facts, "a [MASK] on the left", "ball") == {"ball"}
    assert _true(facts, "a ball to the [MASK] of a cup", "left") == {"left"}


def test_held_out_scenes_are_others_than_those_trained_on():
    trained, held = draw_pool("train 0", 20, 64), held_out(SMALL, 20)
    assert not any((trained.pixels == picture).flatten(1).all(dim=1).any() for picture in held.pixels)


def test_what_is_written_is_an_albef_checkpoint_with_all_that_it_needs(network, tmp_path):
    path = write_model(tmp_path, SMALL, network, [Losses(1, 0.5, 0.25)], {"color": Share(0.5, 2)})
    model = load_model(f"albef:{path}")
    pool = draw_pool("test", 2, 64)
    pictures = [Image.fromarray(pixels.numpy()) for pixels in pool.pixels]
    encoded = model.encode(pictures)
    assert model.metrics == {"mlm", "itm"}
    itm = model.itm(encoded, ["a red ball", "a man kicks a ball"])
    (said, _) = model.mlm(encoded, ["a [MASK] ball", "a [MASK]"], [["red", "blue"], ["cup"]])
    assert np.isfinite(itm).all()
    assert np.isfinite(said).all()
    again = load_model(f"albef:{write_model(tmp_path / 'again', SMALL, model.network, [], {})}")
    np.testing.assert_array_equal(again.itm(again.encode(pictures), ["a red ball", "a man kicks a ball"]), itm)
    assert again.fingerprint == model.fingerprint


def test_a_neighbours_checksum_stays_what_it_was(network, tmp_path):
    write_model(tmp_path, SMALL, network, [], {})
    before = read_sums(tmp_path)
    (tmp_path / "small.safetensors").write_bytes(b"damaged")
    write_model(tmp_path, replace(SMALL, name="other"), network, [], {})
    assert read_sums(tmp_path) == before | {"other.safetensors": before["small.safetensors"]}


@pytest.mark.parametrize("taken", ["small.safetensors", "SHA256SUMS"])
def test_what_cannot_be_written_is_a_usage_error(network, tmp_path, taken):
    (tmp_path / taken).mkdir()
    with pytest.raises(UsageError, match=rf"to={tmp_path}: {tmp_path}/{taken} cannot be written \(Is a directory\)"):
        write_model(tmp_path, SMALL, network, [], {})
