from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.models.conftest import REFERENCE, REFERENCE_CONFIG
from vlcheck.errors import UsageError
from vlcheck.models.original.albef.adapter import AlbefConfig
from vlcheck.models.original.albef.config import infer_config, stated_sizes
from vlcheck.models.original.albef.network import AlbefNetwork, scoring_weights

Shapes = dict[str, torch.Size]


def shapes_of(config: AlbefConfig) -> Shapes:
    with torch.device("meta"):
        return {name: tensor.shape for name, tensor in AlbefNetwork(config).state_dict().items()}


def test_defaults_are_the_published_sizes() -> None:
    assert infer_config(shapes_of(AlbefConfig()), {}) == AlbefConfig(
        256, 16, 768, 12, 12, 768, 12, 12, 3072, 6, 30522, 512, 256
    )


@pytest.mark.parametrize(("patch_size", "tokens"), [(4, 257), (8, 65), (16, 17)])
def test_a_stem_is_read_off_the_shapes_and_gives_as_many_tokens(patch_size: int, tokens: int) -> None:
    config = replace(REFERENCE_CONFIG, image_size=64, patch_size=patch_size, stem_width=12)
    heads = {"vision_heads": config.vision_heads, "text_heads": config.text_heads}
    assert infer_config(shapes_of(config), heads) == config
    assert AlbefNetwork(config).image_embeds(torch.zeros(2, 3, 64, 64)).shape == (2, tokens, config.vision_width)


def test_a_fine_tuned_resolution_is_read_off_the_positions() -> None:
    assert infer_config(shapes_of(AlbefConfig(image_size=384)), {}).image_size == 384


def test_the_reference_is_described_by_its_files_and_shapes(reference_weights: dict[str, torch.Tensor]) -> None:
    shapes = {name: tensor.shape for name, tensor in scoring_weights(reference_weights).items()}
    assert infer_config(shapes, stated_sizes(REFERENCE, {})) == REFERENCE_CONFIG


def test_heads_that_shapes_do_not_tell_are_asked_for(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"config\.json and config_bert\.json beside"):
        infer_config(shapes_of(REFERENCE_CONFIG), stated_sizes(tmp_path, {}))


def test_a_file_beside_wins_over_the_checkpoint_and_both_over_shapes(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"image_res": 384}))
    shapes = shapes_of(AlbefConfig())
    assert infer_config(shapes, stated_sizes(tmp_path, {"image_res": 128})).image_size == 384
    assert infer_config(shapes, stated_sizes(tmp_path / "elsewhere", {"image_res": 128})).image_size == 128


@pytest.mark.parametrize(("content", "complaint"), [("{", "not JSON"), ("[]", "JSON object")])
def test_a_broken_config_file_is_named(content: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "config_bert.json").write_text(content)
    with pytest.raises(UsageError, match=rf"config_bert\.json: .*{complaint}"):
        stated_sizes(tmp_path, {})


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"image_size": 250}, "image_size 250 is no multiple of patch_size 16"),
        ({"text_heads": 7}, "text_width 768 is no multiple of text_heads 7"),
        ({"fusion_layer": 12}, "fusion_layer 12"),
        ({"vocab_size": 0}, "vocab_size has to be a whole number"),
        ({"embed_dim": "256"}, "embed_dim has to be a whole number"),
        ({"stem_width": -1}, "stem_width has to be a whole number from 0 up"),
        ({"image_size": 240, "patch_size": 24, "stem_width": 8}, "patch_size 24 has to be a power of 2"),
    ],
)
def test_sizes_that_contradict_one_another_are_refused(change: dict[str, int], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        replace(AlbefConfig(), **change)


@pytest.mark.parametrize("name", ["visual_encoder.pos_embed", "vision_proj.weight"])
def test_a_checkpoint_of_another_model_is_told_by_what_it_lacks(name: str) -> None:
    shapes = {key: shape for key, shape in shapes_of(AlbefConfig()).items() if key != name}
    with pytest.raises(UsageError, match=f"not an ALBEF checkpoint: {name} is not there"):
        infer_config(shapes, {})
