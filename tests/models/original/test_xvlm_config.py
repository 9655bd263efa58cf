from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import ROOT
from vlcheck.errors import UsageError
from vlcheck.models.original.xvlm.config import XvlmConfig, read_config

REFERENCE = ROOT / "tests" / "data" / "xvlm"
FILES = ("config.json", "config_swin.json", "config_bert.json")
SIZES = XvlmConfig(128, 4, 8, (2, 2, 2, 2), (2, 2, 4, 4), 48, 4, 4, 96, 2, 128, 40, 16)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        shutil.copyfile(REFERENCE / name, tmp_path / name)
    return tmp_path


def change(path: Path, *, drop: str = "", **said: object) -> None:
    content = json.loads(path.read_text()) | said
    content.pop(drop, None)
    path.write_text(json.dumps(content))


def test_the_reference_is_described_by_its_files(folder: Path) -> None:
    assert read_config(folder, {}) == SIZES


def test_what_follows_from_the_sizes_is_told() -> None:
    assert (SIZES.token_size, SIZES.grid, SIZES.vision_width) == (32, 4, 64)
    assert (XvlmConfig().token_size, XvlmConfig().grid, XvlmConfig().vision_width) == (32, 7, 1024)


def test_the_file_wins_over_the_checkpoint(folder: Path) -> None:
    said = {"embed_dim": 99, "image_res": 128, "patch_size": 32}
    assert read_config(folder, said).embed_dim == 16
    (folder / "config.json").unlink()
    assert read_config(folder, said).embed_dim == 99


def test_files_are_looked_for_beside_the_checkpoint_under_the_names_they_are_given(folder: Path) -> None:
    change(folder / "config.json", vision_config="configs/config_swinB_224.json", text_config="/data/bert.json")
    (folder / "config_swin.json").rename(folder / "config_swinB_224.json")
    (folder / "config_bert.json").rename(folder / "bert.json")
    assert read_config(folder, {}) == SIZES


@pytest.mark.parametrize("name", FILES[1:])
def test_a_missing_file_is_named(name: str, folder: Path) -> None:
    (folder / name).unlink()
    with pytest.raises(UsageError, match=rf"{name}: no such file"):
        read_config(folder, {})


@pytest.mark.parametrize(
    ("name", "size"),
    [("config.json", "embed_dim"), ("config_swin.json", "num_heads"), ("config_bert.json", "fusion_layer")],
)
def test_a_missing_size_is_named(name: str, size: str, folder: Path) -> None:
    change(folder / name, drop=size)
    with pytest.raises(UsageError, match=rf"{name}: does not say {size}\."):
        read_config(folder, {})


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(("content", "complaint"), [("{", "not JSON"), ("[]", "JSON object")])
def test_a_broken_file_is_named(name: str, content: str, complaint: str, folder: Path) -> None:
    (folder / name).write_text(content)
    with pytest.raises(UsageError, match=rf"{name}: .*{complaint}"):
        read_config(folder, {})


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("config.json", "use_clip_vit", True),
        ("config.json", "use_swin", False),
        ("config.json", "use_roberta", True),
        ("config.json", "image_res", 256),
        ("config.json", "patch_size", 16),
        ("config_bert.json", "hidden_act", "relu"),
        ("config_bert.json", "layer_norm_eps", 1e-5),
        ("config_bert.json", "position_embedding_type", "relative_key"),
    ],
)
def test_what_no_weight_would_show_is_refused(name: str, option: str, value: object, folder: Path) -> None:
    change(folder / name, **{option: value})
    with pytest.raises(UsageError, match=rf"{name}: {option} is {value!r}; only"):
        read_config(folder, {})


def test_a_size_that_is_none_is_refused_with_its_folder(folder: Path) -> None:
    change(folder / "config_swin.json", window_size="4")
    with pytest.raises(UsageError, match=rf"{folder.name}: window_size has to be a whole number from 1 up, not '4'"):
        read_config(folder, {})


@pytest.mark.parametrize(
    ("sizes", "complaint"),
    [
        ({"image_size": 112}, "image_size 112 is no multiple of an image token's side of 32"),
        ({"window_size": 3}, "stage 0's side of 32 is no multiple of window_size 3"),
        ({"window_size": 16, "image_size": 160}, "stage 0's side of 40 is no multiple of window_size 16"),
        ({"vision_heads": (2, 3, 4, 4)}, "stage 1's width of 16 is no multiple of its vision_heads 3"),
        ({"vision_heads": (2, 2, 4)}, "differ in length"),
        ({"vision_depths": ()}, "vision_depths has to be whole numbers, one for each stage"),
        ({"vision_depths": 2}, "vision_depths has to be whole numbers, one for each stage"),
        ({"vision_depths": (2, 2, 0, 2)}, "vision_depths has to be whole numbers"),
        ({"text_heads": 7}, "text_width 48 is no multiple of text_heads 7"),
        ({"text_heads": (4,)}, "text_heads has to be a whole number"),
        ({"fusion_layer": 4}, "fusion_layer 4 has to be under text_depth 4"),
        ({"vocab_size": 0}, "vocab_size has to be a whole number"),
        ({"embed_dim": True}, "embed_dim has to be a whole number"),
    ],
)
def test_sizes_that_contradict_one_another_are_refused(sizes: dict[str, int], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        replace(SIZES, **sizes)
