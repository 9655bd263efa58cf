"""ViLT as read from the original's layout, against what the original code computed (tests/data/vilt)."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers.models.vilt.configuration_vilt import ViltConfig

from tests.conftest import ROOT
from vlcheck.errors import UsageError
from vlcheck.models.original.vilt.network import ViltNetwork, valid_patches
from vlcheck.models.original.vilt.weights import vilt_from_original

REFERENCE = ROOT / "tests" / "data" / "vilt"
CHECKPOINT = "vilt_200k_mlm_itm.ckpt"
INPUTS = dict(np.load(REFERENCE / "inputs.npz"))
WEIGHTS: dict[str, Tensor] = torch.load(REFERENCE / CHECKPOINT, weights_only=True)["state_dict"]
SCORED = sorted(set(WEIGHTS) - {"text_embeddings.position_ids"})
EACH_KIND = [name for name in SCORED if ".blocks." not in name or ".blocks.1." in name]
TELLS_A_SIZE = "transformer.blocks.0.mlp.fc1.weight"
TOKENS = INPUTS["ids"].shape[1]
GRID = (3, 5)


@cache
def computed(dtype: torch.dtype) -> dict[str, np.ndarray]:
    """All arrays of the original's outputs, by their names."""
    network = vilt_from_original(REFERENCE).to(dtype)
    images = {"": "image", "single_": "image_single", "zeroed_inner_": "image_zeroed_inner"}
    return {
        f"{prefix}{array}": tensor.numpy()
        for prefix, name in images.items()
        for array, tensor in arrays_of(network, INPUTS[name]).items()
    }


def arrays_of(network: ViltNetwork, image: np.ndarray) -> dict[str, Tensor]:
    inputs = INPUTS | {"image": image, "ids": INPUTS["ids"][: len(image)], "mask": INPUTS["mask"][: len(image)]}
    out = network(inputs["image"], inputs["ids"], inputs["mask"], output_hidden_states=True, output_attentions=True)
    itm, valid = network.itm_logits(**inputs), valid_patches(torch.tensor(image), GRID)
    blocks, last_attention = out.hidden_states[1:], out.attentions[-1].mean(1)[:, 0]
    return {
        "mlm_logits": network.mlm_logits(**inputs),
        "itm_logits": itm,
        "itm_prob": itm.softmax(-1)[:, 1],
        "text_feats": out.last_hidden_state[:, :TOKENS],
        "image_feats_raster": raster(out.last_hidden_state, valid),
        "cls_feats": out.pooler_output,
        "raw_cls_feats": out.last_hidden_state[:, 0],
        "text_embeddings": network.vilt.embeddings.text_embeddings(torch.tensor(inputs["ids"])),
        "blocks_text": torch.stack([block[:, :TOKENS] for block in blocks]),
        "blocks_image_raster": torch.stack([raster(block, valid) for block in blocks]),
        "last_attn_cls_text": last_attention[:, :TOKENS],
        "last_attn_cls_image_raster": raster(last_attention, valid),
        "patch_valid": valid,
    }


def raster(rows: Tensor, valid: Tensor) -> Tensor:
    """Image rows of (n, tokens, ...) at their places in the grid, CLS in front; zeros where there is no patch."""
    placed = rows.new_zeros(len(rows), 1 + valid[0].numel(), *rows.shape[2:])
    places = nn.functional.pad(valid.flatten(1), (1, 0), value=True)
    for target, row, place in zip(placed, rows[:, TOKENS:], places, strict=True):
        target[place] = row[: int(place.sum())]
    return placed


@pytest.mark.parametrize("array", np.load(REFERENCE / "outputs64.npz").files)
def test_float64_is_the_original_to_ten_digits(array: str) -> None:
    expected = np.load(REFERENCE / "outputs64.npz")[array]
    np.testing.assert_allclose(computed(torch.float64)[array], expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("array", np.load(REFERENCE / "outputs.npz").files)
def test_float32_is_the_original(array: str) -> None:
    expected = np.load(REFERENCE / "outputs.npz")[array]
    np.testing.assert_allclose(computed(torch.float32)[array], expected, rtol=0, atol=5e-5)


def test_every_reference_array_is_compared() -> None:
    assert set(np.load(REFERENCE / "outputs.npz")) == set(computed(torch.float32))
    assert set(np.load(REFERENCE / "outputs64.npz")) < set(computed(torch.float64))


def test_tensors_and_arrays_score_alike() -> None:
    network = vilt_from_original(str(REFERENCE))
    tensors = {name: torch.tensor(array) for name, array in INPUTS.items()}
    assert torch.equal(network.itm_logits(**tensors), network.itm_logits(**INPUTS))
    assert torch.equal(network.mlm_logits(**tensors), network.mlm_logits(**INPUTS))


def test_the_network_is_for_scoring_in_float32() -> None:
    network = vilt_from_original(REFERENCE)
    assert not any(module.training for module in network.modules())
    assert not any(weight.requires_grad for weight in network.parameters())
    assert {weight.dtype for weight in network.parameters()} == {torch.float32}


def test_the_decoder_is_not_tied_to_the_words() -> None:
    network = vilt_from_original(REFERENCE)
    words, decoder = network.vilt.embeddings.text_embeddings.word_embeddings.weight, network.mlm_score.decoder.weight
    assert torch.equal(words, WEIGHTS["text_embeddings.word_embeddings.weight"])
    assert torch.equal(decoder, WEIGHTS["mlm_score.decoder.weight"])
    assert not torch.equal(words, decoder)


def test_loading_draws_no_random_numbers() -> None:
    before = torch.get_rng_state()
    vilt_from_original(REFERENCE)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_network_outlives_its_file(tmp_path: Path) -> None:
    network = vilt_from_original(saved(tmp_path, WEIGHTS, reference_config()))
    with (tmp_path / CHECKPOINT).open("r+b") as file:  # in place: what is mapped would change with it
        file.write(bytes((tmp_path / CHECKPOINT).stat().st_size))
    np.testing.assert_allclose(network.itm_logits(**INPUTS), computed(torch.float32)["itm_logits"], rtol=0, atol=0)


def random_network(heads: int) -> ViltNetwork:
    """Sizes that all differ from the reference's; heads are 64 wide if there are two of them."""
    config = ViltConfig(
        hidden_size=128,
        num_hidden_layers=2,
        num_attention_heads=heads,
        intermediate_size=96,
        image_size=64,
        patch_size=16,
        vocab_size=50,
        max_position_embeddings=12,
    )
    network, generator = ViltNetwork(config), torch.Generator().manual_seed(7)
    with torch.no_grad():
        for weight in network.parameters():
            weight.normal_(0, 0.2, generator=generator)
    return network.eval()


def original_layout(network: ViltNetwork) -> dict[str, Tensor]:
    embeddings = network.vilt.embeddings
    modules = {
        "text_embeddings": embeddings.text_embeddings,
        "token_type_embeddings": embeddings.token_type_embeddings,
        "transformer.patch_embed.proj": embeddings.patch_embeddings.projection,
        "transformer.norm": network.vilt.layernorm,
        "pooler": network.vilt.pooler,
        "mlm_score.transform": network.mlm_score.transform,
        "itm_score.fc": network.itm_score,
    }
    weights = {
        "transformer.cls_token": embeddings.cls_token,
        "transformer.pos_embed": embeddings.position_embeddings,
        "mlm_score.decoder.weight": network.mlm_score.decoder.weight,
        "mlm_score.bias": network.mlm_score.decoder.bias,
    }
    for number, layer in enumerate(network.vilt.encoder.layer):
        block, attention = f"transformer.blocks.{number}", layer.attention.attention
        modules |= {
            f"{block}.norm1": layer.layernorm_before,
            f"{block}.norm2": layer.layernorm_after,
            f"{block}.attn.proj": layer.attention.output.dense,
            f"{block}.mlp.fc1": layer.intermediate.dense,
            f"{block}.mlp.fc2": layer.output.dense,
        }
        for part in ("weight", "bias"):
            thirds = [getattr(linear, part) for linear in (attention.query, attention.key, attention.value)]
            weights[f"{block}.attn.qkv.{part}"] = torch.cat(thirds)
    for prefix, module in modules.items():
        weights |= {f"{prefix}.{name}": weight for name, weight in module.named_parameters()}
    return {name: weight.detach() for name, weight in weights.items()}


def some_inputs(vocabulary: int, tokens: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(11)
    return {
        "image": torch.randn(2, 3, 48, 80, generator=generator),
        "ids": torch.randint(vocabulary, (2, tokens), generator=generator),
        "mask": torch.ones(2, tokens, dtype=torch.long),
    }


def saved(folder: Path, weights: Mapping[str, Tensor], config: object = None, name: str = CHECKPOINT) -> Path:
    torch.save({"state_dict": dict(weights)}, folder / name)
    if config is not None:
        (folder / "config.json").write_text(json.dumps(config))
    return folder


def reference_config() -> dict[str, object]:
    config: dict[str, object] = json.loads((REFERENCE / "config.json").read_text())
    return config


@pytest.mark.parametrize(("heads", "config"), [(2, None), (4, {"num_heads": 4})])
def test_sizes_are_read_off_the_weights_and_heads_off_the_config(
    heads: int, config: dict[str, int] | None, tmp_path: Path
) -> None:
    network, inputs = random_network(heads), some_inputs(vocabulary=50, tokens=12)
    loaded = vilt_from_original(saved(tmp_path, original_layout(network), config))
    assert loaded.config.to_dict() == network.config.to_dict()
    assert torch.equal(loaded.itm_logits(**inputs), network.itm_logits(**inputs))
    assert torch.equal(loaded.mlm_logits(**inputs), network.mlm_logits(**inputs))


def test_heads_change_the_scores(tmp_path: Path) -> None:
    network, inputs = random_network(heads=2), some_inputs(vocabulary=50, tokens=12)
    loaded = vilt_from_original(saved(tmp_path, original_layout(network), {"num_heads": 4}))
    assert (loaded.itm_logits(**inputs) - network.itm_logits(**inputs)).abs().max() > 1e-3


@pytest.mark.parametrize("name", ["last.pth", "last.pt", "last.ckpt"])
def test_a_checkpoint_may_have_any_name_and_half_precision(name: str, tmp_path: Path) -> None:
    halved = {key: weight.bfloat16() if weight.is_floating_point() else weight for key, weight in WEIGHTS.items()}
    network = vilt_from_original(saved(tmp_path, halved, reference_config(), name))
    assert torch.equal(network.itm_score.weight, halved["itm_score.fc.weight"].float())


def test_safetensors_and_no_position_ids_score_the_same(tmp_path: Path) -> None:
    save_file({name: WEIGHTS[name] for name in SCORED}, tmp_path / "flat.safetensors")
    shutil.copy(REFERENCE / "config.json", tmp_path)
    np.testing.assert_array_equal(
        vilt_from_original(tmp_path).itm_logits(**INPUTS), vilt_from_original(REFERENCE).itm_logits(**INPUTS)
    )


@pytest.mark.parametrize("name", [*EACH_KIND, TELLS_A_SIZE])
def test_a_missing_weight_is_named(name: str, tmp_path: Path) -> None:
    saved(tmp_path, {key: weight for key, weight in WEIGHTS.items() if key != name}, reference_config())
    with pytest.raises(UsageError, match=rf"{CHECKPOINT}: not a ViLT checkpoint.* it lacks {name}\."):
        vilt_from_original(tmp_path)


@pytest.mark.parametrize("name", [*EACH_KIND, TELLS_A_SIZE])
def test_a_weight_of_another_shape_is_named(name: str, tmp_path: Path) -> None:
    longer = torch.cat([WEIGHTS[name], WEIGHTS[name]])
    saved(tmp_path, WEIGHTS | {name: longer}, reference_config())
    wrong = rf"{CHECKPOINT}: .*{name} has shape \({len(longer)}, ?.*in place of \({len(WEIGHTS[name])}, ?"
    with pytest.raises(UsageError, match=wrong):
        vilt_from_original(tmp_path)


@pytest.mark.parametrize("config", [None, {"num_heads": 4}])
@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("text_embeddings.word_embeddings.weight", (120,)),
        ("transformer.patch_embed.proj.weight", (48, 3072)),
        ("transformer.patch_embed.proj.weight", (48, 3, 32, 0)),
        ("transformer.pos_embed", (10, 48)),
        ("transformer.pos_embed", (1, 11, 48)),
        ("transformer.pos_embed", (1, 1, 48)),
        ("transformer.pos_embed", (1, 0, 48)),
    ],
)
def test_shapes_that_tell_no_size_are_named(
    name: str, shape: tuple[int, ...], config: dict[str, int] | None, tmp_path: Path
) -> None:
    network = random_network(heads=2) if config is None else None
    weights = WEIGHTS if network is None else original_layout(network)
    saved(tmp_path, weights | {name: torch.zeros(shape)}, config)
    with pytest.raises(UsageError, match=rf"{CHECKPOINT}: not a ViLT checkpoint.*{name}"):
        vilt_from_original(tmp_path)


def test_unknown_weights_are_named(tmp_path: Path) -> None:
    more = {f"rank_output.{part}": torch.zeros(1) for part in "abcd"} | {"transformer.blocks.x.norm": torch.zeros(1)}
    saved(tmp_path, WEIGHTS | more, reference_config())
    with pytest.raises(UsageError, match=r"has unknown 5 weights \(rank_output\.a, rank_output\.b, rank_output\.c, "):
        vilt_from_original(tmp_path)


def test_a_config_of_another_depth_is_refused(tmp_path: Path) -> None:
    saved(tmp_path, WEIGHTS, reference_config() | {"num_layers": 4})
    with pytest.raises(UsageError, match=r"it lacks 12 weights \(transformer\.blocks\.3\.attn\.proj\.bias"):
        vilt_from_original(tmp_path)


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({"num_heads": 5}, r"ckpt: hidden_size 48 is not divisible by 5 attention heads"),
        ({}, r"ckpt: hidden_size 48 is not divisible by 0 attention heads: put a config.json"),
        ({"num_heads": "4"}, r"config\.json: num_heads has to be a whole number from 1 up, not '4'"),
        ({"num_heads": True}, r"config\.json: num_heads has to be a whole number from 1 up, not True"),
        ({"num_heads": 4, "patch_size": 0}, r"config\.json: patch_size has to be a whole number from 1 up, not 0"),
        ([4], r"config\.json: has to hold a JSON object"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused(config: object, complaint: str, tmp_path: Path) -> None:
    saved(tmp_path, WEIGHTS, config)
    with pytest.raises(UsageError, match=complaint):
        vilt_from_original(tmp_path)


def test_a_config_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (saved(tmp_path, WEIGHTS) / "config.json").write_text("hidden_size: 48")
    with pytest.raises(UsageError, match=r"config\.json: not JSON"):
        vilt_from_original(tmp_path)


def test_a_folder_without_checkpoint_is_refused(tmp_path: Path) -> None:
    shutil.copy(REFERENCE / "config.json", tmp_path)
    with pytest.raises(UsageError, match=r"has to hold one checkpoint \(.*\.ckpt.*it holds: none"):
        vilt_from_original(tmp_path)


def test_a_folder_of_several_checkpoints_is_refused(tmp_path: Path) -> None:
    saved(saved(tmp_path, WEIGHTS, reference_config()), WEIGHTS, name="other.pth")
    with pytest.raises(UsageError, match=rf"it holds: other\.pth, {CHECKPOINT}\."):
        vilt_from_original(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="gone: no such folder"):
        vilt_from_original(tmp_path / "gone")


class Payload:
    """Unpickling it makes a folder."""

    def __init__(self, target: Path) -> None:
        self.target = str(target)

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (self.target,)


def test_a_pickle_that_runs_code_is_refused_unread(tmp_path: Path) -> None:
    torch.save({"state_dict": WEIGHTS, "callbacks": Payload(tmp_path / "victim")}, tmp_path / CHECKPOINT)
    with pytest.raises(UsageError, match=rf"{CHECKPOINT}: a pickle that wants to run code"):
        vilt_from_original(tmp_path)
    assert not (tmp_path / "victim").exists()
