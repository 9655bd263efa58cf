"""ALBEF's network against what the original code computed (tests/data/albef)."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.models.conftest import REFERENCE, REFERENCE_CONFIG
from vlcheck.errors import UsageError
from vlcheck.models.original.albef.adapter import AlbefConfig, AlbefNetwork
from vlcheck.models.original.albef.network import interpolate_positions

Weights = dict[str, Tensor]
DECODER = "text_encoder.cls.predictions.decoder.weight"
COMMON = ["image_embeds", "text_embeds", "fusion", "itm_logits", "itm_prob", "mlm_logits", "mlm_mask_prob"]
CONTRASTIVE = ["image_feat", "text_feat", "itc_sim"]
AT_96_PIXELS = ["image_embeds96", "itm_logits96", "pos_embed96"]


def network_of(weights: Weights, dtype: torch.dtype = torch.float32, image_size: int = 64) -> AlbefNetwork:
    network = AlbefNetwork(replace(REFERENCE_CONFIG, image_size=image_size)).to(dtype).eval()
    network.load_albef_state_dict(weights)
    return network


@torch.inference_mode()
def computed(weights: Weights, dtype: torch.dtype) -> dict[str, Tensor]:
    network, inputs = network_of(weights, dtype), np.load(REFERENCE / "inputs.npz")
    ids, attention = torch.tensor(inputs["ids"]), torch.tensor(inputs["att"])
    image = network.image_embeds(torch.tensor(inputs["image"], dtype=dtype))
    itm = network.itm_logits(image, ids, attention)
    return {
        "image_embeds": image,
        "text_embeds": network.text_embeds(ids, attention),
        "fusion": network.fusion(image, ids, attention),
        "itm_logits": itm,
        "itm_prob": itm.softmax(-1)[:, 1],
        "mlm_logits": network.mlm_logits(image, ids, attention),
        "mlm_mask_prob": network.mlm_logits_at(ids == 103, image, ids, attention).softmax(-1),
        "image_feat": network.image_features(image),
        "text_feat": network.text_features(ids, attention),
        "itc_sim": network.itc_similarity(image, ids, attention),
    }


@torch.inference_mode()
def computed_at_96(weights: Weights) -> dict[str, Tensor]:
    network, inputs = network_of(weights, image_size=96), np.load(REFERENCE / "inputs.npz")
    image = network.image_embeds(torch.tensor(inputs["image96"]))
    itm = network.itm_logits(image, torch.tensor(inputs["ids"]), torch.tensor(inputs["att"]))
    return {"image_embeds96": image, "itm_logits96": itm, "pos_embed96": network.visual_encoder.pos_embed.detach()}


@pytest.mark.parametrize("array", COMMON)
def test_float64_is_the_original_to_ten_digits(array: str, reference_weights: Weights) -> None:
    expected = np.load(REFERENCE / "outputs64.npz")[array]
    np.testing.assert_allclose(computed(reference_weights, torch.float64)[array], expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("array", COMMON + CONTRASTIVE)
def test_float32_is_the_original(array: str, reference_weights: Weights) -> None:
    expected = np.load(REFERENCE / "outputs.npz")[array]
    np.testing.assert_allclose(computed(reference_weights, torch.float32)[array], expected, rtol=0, atol=5e-5)


@pytest.mark.parametrize("array", AT_96_PIXELS)
def test_another_resolution_is_the_original(array: str, reference_weights: Weights) -> None:
    expected = np.load(REFERENCE / "outputs.npz")[array]
    np.testing.assert_allclose(computed_at_96(reference_weights)[array], expected, rtol=0, atol=5e-5)


@torch.inference_mode()
def test_texts_that_share_an_image_score_as_with_an_image_each(reference_weights: Weights) -> None:
    network, inputs = network_of(reference_weights, torch.float64), np.load(REFERENCE / "inputs.npz")
    embeds = network.image_embeds(torch.tensor(inputs["image"][:2], dtype=torch.float64))
    ids, attention = torch.tensor(inputs["ids"]), torch.tensor(inputs["att"])
    images = torch.arange(len(ids)) % 2
    apart = network.itm_logits(embeds[images], ids, attention)
    torch.testing.assert_close(network.itm_logits(embeds, ids, attention, images), apart, rtol=0, atol=1e-12)
    assert not torch.allclose(network.itm_logits(embeds, ids, attention, 1 - images), apart)


def test_every_reference_array_is_compared_but_the_saliency_maps() -> None:
    assert set(np.load(REFERENCE / "outputs64.npz")) == set(COMMON)
    saliency = {"gradcam_l2", "gradcam_l3"}
    assert set(np.load(REFERENCE / "outputs.npz")) == {*COMMON, *CONTRASTIVE, *AT_96_PIXELS, *saliency}


def test_the_published_model_has_these_names_and_shapes() -> None:
    published = json.loads((REFERENCE / "albef_base_keys.json").read_text())
    training_only = ("_m.", "_queue", "queue_ptr", "position_ids")
    expected = {
        name: tuple(shape) for name, (shape, _) in published.items() if not any(part in name for part in training_only)
    }
    with torch.device("meta"):
        network = AlbefNetwork(AlbefConfig())
    assert {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()} == expected


def test_a_fine_tuned_state_dict_matches_as_well_and_predicts_no_words(reference_weights: Weights) -> None:
    fine_tuned = {
        name.replace("text_encoder.bert.", "text_encoder."): tensor
        for name, tensor in reference_weights.items()
        if "_m." not in name and ".cls." not in name
    }
    network, inputs = network_of(fine_tuned, torch.float64), np.load(REFERENCE / "inputs.npz")
    ids, attention = torch.tensor(inputs["ids"]), torch.tensor(inputs["att"])
    image = network.image_embeds(torch.tensor(inputs["image"], dtype=torch.float64))
    logits = network.itm_logits(image, ids, attention).detach()
    np.testing.assert_allclose(logits, np.load(REFERENCE / "outputs64.npz")["itm_logits"], rtol=0, atol=1e-10)
    assert not network.has_mlm_head
    with pytest.raises(UsageError, match="no MLM head"):
        network.mlm_logits(image, ids, attention)


@pytest.mark.parametrize(
    "name",
    [
        "visual_encoder.cls_token",
        "text_encoder.bert.encoder.layer.3.crossattention.self.key.bias",
        "text_encoder.cls.predictions.bias",
        "itm_head.weight",
        "temp",
    ],
)
def test_a_missing_weight_is_named(name: str, reference_weights: Weights) -> None:
    lacking = {key: tensor for key, tensor in reference_weights.items() if key != name}
    with pytest.raises(UsageError, match=f"lacks {name}"):
        network_of(lacking)


def test_an_unknown_weight_is_named(reference_weights: Weights) -> None:
    with pytest.raises(UsageError, match=r"unknown cls_head\.weight"):
        network_of(reference_weights | {"cls_head.weight": torch.zeros(3)})


def test_a_weight_of_another_shape_is_named(reference_weights: Weights) -> None:
    with pytest.raises(UsageError, match=r"itm_head.bias has shape \(3,\) in place of \(2,\)"):
        network_of(reference_weights | {"itm_head.bias": torch.zeros(3)})


def test_an_untied_decoder_is_refused(reference_weights: Weights) -> None:
    with pytest.raises(UsageError, match="differs from"):
        network_of(reference_weights | {DECODER: reference_weights[DECODER] + 1})


def test_a_refused_state_dict_leaves_the_network_as_it_was(reference_weights: Weights) -> None:
    network = network_of(reference_weights)
    changed = {name: tensor + 1 for name, tensor in reference_weights.items() if name != "temp"}
    with pytest.raises(UsageError):
        network.load_albef_state_dict(changed)
    assert torch.equal(network.itm_head.bias, reference_weights["itm_head.bias"])


def test_interpolation_keeps_the_cls_token_and_the_same_grid() -> None:
    positions = torch.randn(1, 17, 3)
    assert interpolate_positions(positions, 4) is positions
    resized = interpolate_positions(positions, 6)
    assert resized.shape == (1, 37, 3)
    assert torch.equal(resized[:, 0], positions[:, 0])


def test_positions_that_make_no_square_are_refused() -> None:
    with pytest.raises(UsageError, match="square"):
        interpolate_positions(torch.randn(1, 16, 3), 4)
