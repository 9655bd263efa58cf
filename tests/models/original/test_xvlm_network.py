"""X-VLM's network against what the original code computed (tests/data/xvlm)."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from tests.conftest import ROOT
from vlcheck.errors import UsageError
from vlcheck.models.original.xvlm.config import XvlmConfig
from vlcheck.models.original.xvlm.network import XvlmNetwork

Weights = dict[str, Tensor]
REFERENCE = ROOT / "tests" / "data" / "xvlm"
CHECKPOINT = "4m_base_model_state_step_199999.th"
CONFIGS = ("config.json", "config_swin.json", "config_bert.json")
INPUTS = dict(np.load(REFERENCE / "inputs.npz"))
IN_FLOAT64 = np.load(REFERENCE / "outputs64.npz").files
IN_FLOAT32 = np.load(REFERENCE / "outputs.npz").files
FIRST = np.array([0, 0])  # the reference's regions are both of its first image, and are asked for its first text
DECODER = "text_encoder.cls.predictions.decoder.weight"
# Neither sizes nor ratios of the reference. The last stage of the first is as large as its window.
OTHERS = {
    "four stages": XvlmConfig(96, 3, 6, (1, 2, 2, 3), (1, 2, 3, 4), 24, 3, 2, 40, 1, 50, 12, 5),
    "three stages": XvlmConfig(80, 5, 4, (2, 3, 1), (2, 2, 1), 20, 5, 5, 30, 4, 70, 9, 7),
}


@pytest.fixture(scope="module")
def weights() -> Weights:
    """What the original code saved, buffers and all."""
    weights: Weights = torch.load(REFERENCE / CHECKPOINT, weights_only=True)["model"]
    return weights


@pytest.fixture(scope="module")
def network() -> XvlmNetwork:
    return XvlmNetwork.from_original(REFERENCE)


@pytest.fixture(scope="module")
def network64() -> XvlmNetwork:
    return XvlmNetwork.from_original(REFERENCE).double()


@cache
def computed(dtype: torch.dtype) -> dict[str, Tensor]:
    network, outputs = XvlmNetwork.from_original(REFERENCE).to(dtype), {}
    stages = [*(stage.downsample for stage in network.vision_encoder.layers[1:]), network.vision_encoder.layers[-1]]
    for number, stage in enumerate(stages):
        stage.register_forward_hook(
            lambda _, __, out, key=f"swin_stage{number}": outputs.update({key: out.flatten(1, 2)})
        )
    ids, att, region_atts = INPUTS["ids"], INPUTS["att"], INPUTS["region_atts"]
    image = network.image_embeds(INPUTS["image"])
    fusion = network.fusion(image, ids, att)
    itm = network.itm_logits(**INPUTS)
    first = INPUTS | {"ids": ids[FIRST], "att": att[FIRST]}
    return outputs | {
        "image_embeds": image,
        "text_embeds": network.text_embeds(ids, att),
        "fusion": fusion,
        "fusion_two_stage_diff": (fusion - in_one_stage(network, image, ids, att)).abs().max(),
        "itm_logits": itm,
        "itm_prob": itm.softmax(-1)[:, 1],
        "mlm_logits": network.mlm_logits(**INPUTS),
        "image_feat": network.image_features(image),
        "text_feat": network.text_features(ids, att),
        "itc_sim": network.itc_similarity(image, ids, att),
        "bbox_cxcywh": network.boxes(**INPUTS),
        "region_embeds": network.region_embeds(image, region_atts, FIRST),
        "region_itm_logits": network.region_itm_logits(**first, images=FIRST),
    }


def in_one_stage(network: XvlmNetwork, image: Tensor, ids: np.ndarray, att: np.ndarray) -> Tensor:
    """All layers in a row, where `fusion` takes those of text and those of both apart."""
    bert = network.text_encoder.bert
    hidden, keep = bert.embeddings(torch.tensor(ids)), torch.tensor(att).bool()[:, None, None]
    for number, layer in enumerate(bert.encoder.layer):
        hidden = layer(hidden, keep, image if number >= network.config.fusion_layer else None)
    return hidden


def saved(folder: Path, weights: Mapping[str, Tensor], name: str = CHECKPOINT) -> Path:
    """A folder like the reference's with other weights in its checkpoint."""
    folder.mkdir(exist_ok=True)
    for config in CONFIGS:
        shutil.copyfile(REFERENCE / config, folder / config)
    torch.save({"model": dict(weights), "config": {}}, folder / name)
    return folder


def without(weights: Weights, *parts: str) -> Weights:
    return {name: tensor for name, tensor in weights.items() if not any(part in name for part in parts)}


def fine_tuned(weights: Weights) -> Weights:
    return {name.replace("bert.", ""): tensor for name, tensor in without(weights, ".cls.", "bbox_head").items()}


def random_network(config: XvlmConfig) -> XvlmNetwork:
    torch.manual_seed(7)
    network = XvlmNetwork(config).eval().requires_grad_(requires_grad=False)
    for weight in network.parameters():
        weight.normal_(std=0.3)
    return network


def original_layout(network: XvlmNetwork) -> Weights:
    """The original's names and buffers: it merges patches at the end of a stage, not at the start of the next."""
    weights = {
        re.sub(
            r"layers\.(\d)\.downsample", lambda match: f"layers.{int(match[1]) - 1}.downsample", name
        ): tensor.clone()
        for name, tensor in network.state_dict().items()
    }
    for name, buffer in network.named_buffers():
        if name.endswith(("attn_mask", "relative_position_index")):
            weights[name] = buffer.clone()
    return weights | {"text_encoder.bert.embeddings.position_ids": torch.arange(network.config.max_positions)[None]}


def original_configs(folder: Path, config: XvlmConfig) -> None:
    general = {"image_res": config.image_size, "patch_size": config.token_size, "embed_dim": config.embed_dim}
    general |= {"use_swin": True, "vision_config": "configs/config_swin_small.json", "text_config": "configs/bert.json"}
    swin = {"image_res": config.image_size, "window_size": config.window_size, "embed_dim": config.stem_width}
    swin |= {"depths": config.vision_depths, "num_heads": config.vision_heads, "vision_width": config.vision_width}
    bert = {
        "hidden_size": config.text_width,
        "num_hidden_layers": config.text_depth,
        "num_attention_heads": config.text_heads,
        "intermediate_size": config.intermediate_size,
        "max_position_embeddings": config.max_positions,
        "vocab_size": config.vocab_size,
        "fusion_layer": config.fusion_layer,
        "encoder_width": config.vision_width,
    }
    for name, said in (("config.json", general), ("config_swin_small.json", swin), ("bert.json", bert)):
        (folder / name).write_text(json.dumps(said))


def random_inputs(config: XvlmConfig) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(3)
    return {
        "image": torch.randn(2, 3, config.image_size, config.image_size, generator=generator),
        "ids": torch.randint(config.vocab_size, (2, 6), generator=generator),
        "att": torch.tensor([[1] * 6, [1] * 4 + [0] * 2]),
        "region_atts": torch.tensor([[1, 1, 0] + [1] * (config.grid**2 - 2), [1, 0, 1] + [0] * (config.grid**2 - 2)]),
    }


@pytest.mark.parametrize("array", IN_FLOAT64)
def test_float64_is_the_original_to_ten_digits(array: str) -> None:
    expected = np.load(REFERENCE / "outputs64.npz")[array]
    assert expected.dtype == np.float64
    np.testing.assert_allclose(computed(torch.float64)[array], expected, rtol=0, atol=1e-10, strict=True)


@pytest.mark.parametrize("array", IN_FLOAT32)
def test_float32_is_the_original(array: str) -> None:
    expected = np.load(REFERENCE / "outputs.npz")[array]
    # rtol: some values are above 20, and processors differ in the last digits of a sum
    np.testing.assert_allclose(computed(torch.float32)[array], expected, rtol=5e-6, atol=5e-5, strict=True)


@pytest.mark.parametrize("array", sorted({*IN_FLOAT32} - {*IN_FLOAT64}))
def test_float64_is_the_original_but_for_its_own_rounding_where_there_is_only_float32(array: str) -> None:
    """Swin's last stage reaches 33 before its norm: what both round in float32 comes to nearly all that is allowed."""
    expected = np.load(REFERENCE / "outputs.npz")[array]
    np.testing.assert_allclose(computed(torch.float64)[array], expected, rtol=0, atol=4e-5)


def test_the_network_is_ready_for_scoring(network: XvlmNetwork) -> None:
    assert not any(module.training for module in network.modules())
    assert {(weight.dtype, weight.requires_grad) for weight in network.parameters()} == {(torch.float32, False)}
    assert network.has_mlm_head
    assert network.has_bbox_head


def test_defaults_have_as_many_parameters_as_the_base_model() -> None:
    with torch.device("meta"):
        network = XvlmNetwork(XvlmConfig())
    assert round(sum(weight.numel() for weight in network.parameters()) / 1e6, 1) == 215.6


def test_arrays_of_torch_and_of_other_floats_score_as_numpys(network: XvlmNetwork) -> None:
    tensors = {name: torch.tensor(array) for name, array in INPUTS.items()}
    tensors["image"] = tensors["image"].double()
    assert torch.equal(network.itm_logits(**tensors), network.itm_logits(**INPUTS))
    assert torch.equal(network.mlm_logits(**tensors), network.mlm_logits(**INPUTS))
    assert torch.equal(network.region_itm_logits(**tensors), network.region_itm_logits(**INPUTS))


def test_texts_that_share_an_image_score_as_with_an_image_each(network64: XvlmNetwork) -> None:
    ids, att = (np.repeat(INPUTS[name], 2, axis=0) for name in ("ids", "att"))
    embeds, images = network64.image_embeds(INPUTS["image"]), np.array([0, 1, 0, 1])
    apart = network64.itm_logits(image=INPUTS["image"][images], ids=ids, att=att)
    shared = network64.match(network64.fusion(embeds, ids, att, images))
    torch.testing.assert_close(shared, apart, rtol=0, atol=1e-12)
    assert not torch.allclose(network64.match(network64.fusion(embeds, ids, att, 1 - images)), apart)


def test_texts_that_share_a_region_score_as_with_a_region_each(network64: XvlmNetwork) -> None:
    ids, att = (np.repeat(INPUTS[name], 2, axis=0) for name in ("ids", "att"))
    atts, regions = INPUTS["region_atts"], np.array([1, 0, 0, 1])
    embeds = network64.region_embeds(network64.image_embeds(INPUTS["image"]), atts, FIRST)
    shared = network64.match(network64.fusion(embeds, ids, att, regions, atts))
    apart = network64.region_itm_logits(
        image=INPUTS["image"], ids=ids, att=att, region_atts=atts[regions], images=FIRST[regions]
    )
    torch.testing.assert_close(shared, apart, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("place", "counts"), [(2, True), (4, False)])
def test_only_tokens_within_a_region_count_for_it(place: int, counts: bool, network: XvlmNetwork) -> None:
    atts = INPUTS["region_atts"][:1]
    assert bool(atts[0, place]) == counts
    embeds = network.image_embeds(INPUTS["image"][:1])
    changed = embeds.clone()
    changed[:, place] += 1
    before, after = (
        network.match(
            network.fusion(network.region_embeds(e, atts), INPUTS["ids"][:1], INPUTS["att"][:1], image_atts=atts)
        )
        for e in (embeds, changed)
    )
    assert torch.equal(before, after) != counts


def test_a_region_of_the_whole_image_is_the_image(network64: XvlmNetwork) -> None:
    whole = network64.region_itm_logits(**INPUTS | {"region_atts": np.ones((2, 17), dtype=np.int64)})
    torch.testing.assert_close(whole, network64.itm_logits(**INPUTS), rtol=0, atol=1e-12)


def test_a_region_without_tokens_is_refused(network: XvlmNetwork) -> None:
    nothing = np.eye(1, 17, dtype=np.int64).repeat(2, axis=0)
    with pytest.raises(ValueError, match="no token"):
        network.region_itm_logits(**INPUTS | {"region_atts": nothing})


def test_what_pads_a_text_does_not_count(network: XvlmNetwork) -> None:
    padding = INPUTS["att"] == 0
    assert padding.any()
    other = INPUTS | {"ids": np.where(padding, 77, INPUTS["ids"])}
    assert torch.equal(network.itm_logits(**other), network.itm_logits(**INPUTS))


@pytest.mark.parametrize("name", ["any.th", "any.pth", "any.pt", "any.safetensors"])
@pytest.mark.parametrize("sizes", OTHERS)
def test_other_sizes_are_read_back_as_they_were_written(sizes: str, name: str, tmp_path: Path) -> None:
    written = random_network(OTHERS[sizes])
    original_configs(tmp_path, written.config)
    weights = original_layout(written)
    if name.endswith(".safetensors"):
        save_file(weights, tmp_path / name)
    else:
        torch.save({"model": weights, "config": {}}, tmp_path / name)
    read = XvlmNetwork.from_original(str(tmp_path))
    assert read.config == written.config
    inputs = random_inputs(written.config)
    for ask in ("itm_logits", "mlm_logits", "region_itm_logits", "boxes"):
        assert torch.equal(getattr(read, ask)(**inputs), getattr(written, ask)(**inputs))
    assert not torch.allclose(read.itm_logits(**inputs)[0], read.itm_logits(**inputs)[1])


def test_what_is_written_here_has_the_names_and_shapes_of_the_original(network: XvlmNetwork, weights: Weights) -> None:
    written = original_layout(network)
    assert {name: tensor.shape for name, tensor in written.items()} == {
        n: tensor.shape for n, tensor in weights.items()
    }


def test_buffers_are_not_needed_and_do_not_count(network: XvlmNetwork, weights: Weights, tmp_path: Path) -> None:
    buffers = ("attn_mask", "relative_position_index", "position_ids")
    lean = XvlmNetwork.from_original(saved(tmp_path / "lean", without(weights, *buffers)))
    odd = {name: torch.zeros(3) if name.endswith(buffers) else tensor for name, tensor in weights.items()}
    other = XvlmNetwork.from_original(saved(tmp_path / "odd", odd))
    assert torch.equal(lean.itm_logits(**INPUTS), network.itm_logits(**INPUTS))
    assert torch.equal(other.itm_logits(**INPUTS), network.itm_logits(**INPUTS))


def test_a_fine_tuned_checkpoint_matches_as_well_and_has_one_head(
    network: XvlmNetwork, weights: Weights, tmp_path: Path
) -> None:
    tuned = XvlmNetwork.from_original(saved(tmp_path, fine_tuned(weights)))
    assert torch.equal(tuned.itm_logits(**INPUTS), network.itm_logits(**INPUTS))
    assert torch.equal(tuned.region_itm_logits(**INPUTS), network.region_itm_logits(**INPUTS))
    assert (tuned.has_mlm_head, tuned.has_bbox_head) == (False, False)
    with pytest.raises(UsageError, match="no MLM head"):
        tuned.mlm_logits(**INPUTS)
    with pytest.raises(UsageError, match="no head for boxes"):
        tuned.boxes(**INPUTS)


@pytest.mark.parametrize(("head", "has"), [(".cls.", (False, True)), ("bbox_head", (True, False))])
def test_one_head_may_be_absent_alone(head: str, has: tuple[bool, bool], weights: Weights, tmp_path: Path) -> None:
    network = XvlmNetwork.from_original(saved(tmp_path, without(weights, head)))
    assert (network.has_mlm_head, network.has_bbox_head) == has


@pytest.mark.parametrize(
    "name",
    [
        "vision_encoder.patch_embed.norm.bias",
        "vision_encoder.layers.0.downsample.reduction.weight",
        "vision_encoder.layers.2.blocks.1.attn.relative_position_bias_table",
        "vision_encoder.norm.weight",
        "text_encoder.bert.embeddings.word_embeddings.weight",
        "text_encoder.bert.encoder.layer.3.crossattention.self.key.bias",
        "text_encoder.cls.predictions.bias",
        "itm_head.3.weight",
        "bbox_head.1.bias",
        "vision_proj.bias",
        "temp",
    ],
)
def test_a_missing_weight_is_named_as_the_file_would_name_it(name: str, weights: Weights, tmp_path: Path) -> None:
    folder = saved(tmp_path, {key: tensor for key, tensor in weights.items() if key != name})
    with pytest.raises(UsageError, match=rf"{CHECKPOINT}: not an X-VLM checkpoint of these sizes: it lacks {name}\."):
        XvlmNetwork.from_original(folder)


def test_a_missing_weight_of_a_fine_tuned_file_is_named_as_that_would(weights: Weights, tmp_path: Path) -> None:
    folder = saved(tmp_path, without(fine_tuned(weights), "word_embeddings"))
    with pytest.raises(UsageError, match=r"lacks text_encoder\.embeddings\.word_embeddings\.weight\."):
        XvlmNetwork.from_original(folder)


@pytest.mark.parametrize(
    "name",
    [
        "itm_head.2.weight",
        "vision_encoder.layers.3.downsample.norm.bias",
        "vision_encoder.layers.0.blocks.2.norm1.weight",
        "text_encoder.embeddings.LayerNorm.bias",
        "text_encoder.bert.encoder.layer.1.crossattention.self.query.bias",
    ],
)
def test_an_unknown_weight_is_named(name: str, weights: Weights, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=rf"{CHECKPOINT}: .* it has unknown {name}\."):
        XvlmNetwork.from_original(saved(tmp_path, weights | {name: torch.zeros(3)}))


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("itm_head.3.bias", (2,)),
        ("vision_encoder.layers.1.downsample.reduction.weight", (32, 64)),
        ("vision_encoder.layers.0.blocks.1.attn.relative_position_bias_table", (49, 2)),
    ],
)
def test_a_weight_of_another_shape_is_named(
    name: str, shape: tuple[int, ...], weights: Weights, tmp_path: Path
) -> None:
    folder = saved(tmp_path, weights | {name: torch.zeros(3)})
    complaint = re.escape(f"{CHECKPOINT}: not an X-VLM checkpoint of these sizes: {name} has shape (3,) in place of")
    with pytest.raises(UsageError, match=rf"{complaint} {re.escape(str(shape))}\."):
        XvlmNetwork.from_original(folder)


def test_an_untied_decoder_is_refused(weights: Weights, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=rf"{CHECKPOINT}: {DECODER} differs from"):
        XvlmNetwork.from_original(saved(tmp_path, weights | {DECODER: weights[DECODER] + 1}))


@pytest.mark.parametrize(
    "fault", [{"itm_head.3.bias": torch.zeros(3)}, {"odd": torch.zeros(3)}, {DECODER: torch.zeros(128, 48)}]
)
def test_a_refused_state_dict_leaves_the_network_as_it_was(fault: Weights, weights: Weights) -> None:
    network = XvlmNetwork.from_original(REFERENCE)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    changed = {name: tensor + 1 for name, tensor in without(weights, "bbox_head").items()}
    with pytest.raises(UsageError):
        network.load_original_state_dict(changed | fault)
    assert isinstance(network.bbox_head, nn.Sequential)
    assert network.state_dict().keys() == before.keys()
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_a_folder_without_checkpoint_is_refused(tmp_path: Path) -> None:
    (saved(tmp_path, {}) / CHECKPOINT).unlink()
    with pytest.raises(UsageError, match=r"has to hold one checkpoint .* none"):
        XvlmNetwork.from_original(tmp_path)


def test_several_checkpoints_are_refused(weights: Weights, tmp_path: Path) -> None:
    saved(tmp_path, weights, "other.pth")
    with pytest.raises(UsageError, match=rf"it holds: {CHECKPOINT}, other\.pth"):
        XvlmNetwork.from_original(saved(tmp_path, weights))


def test_a_folder_without_config_is_refused(weights: Weights, tmp_path: Path) -> None:
    (saved(tmp_path, weights) / "config_swin.json").unlink()
    with pytest.raises(UsageError, match=r"config_swin\.json: no such file"):
        XvlmNetwork.from_original(tmp_path)


def test_a_checkpoint_that_says_its_config_needs_no_file_of_it(network: XvlmNetwork, tmp_path: Path) -> None:
    shutil.copytree(REFERENCE, tmp_path, dirs_exist_ok=True)
    (tmp_path / "config.json").unlink()
    assert XvlmNetwork.from_original(tmp_path).config == network.config


class Payload:
    """What a malicious checkpoint holds: unpickling it makes a folder."""

    def __init__(self, target: Path) -> None:
        self.target = str(target)

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (self.target,)


def test_a_checkpoint_that_runs_code_is_refused_unread(weights: Weights, tmp_path: Path) -> None:
    folder, victim = saved(tmp_path, {}), tmp_path / "victim"
    torch.save({"model": weights, "config": Payload(victim)}, folder / CHECKPOINT)
    with pytest.raises(UsageError, match=rf"{CHECKPOINT}: a pickle that wants to run code \(posix\.mkdir\)"):
        XvlmNetwork.from_original(folder)
    assert not victim.exists()
