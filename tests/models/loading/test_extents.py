"""Sizes of a config that its weights cannot fill are refused before anything is made of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from torch import nn

from tests.conftest import ROOT
from tests.models import checkpoints
from vlcheck.errors import UsageError
from vlcheck.models.loading.extents import check_sides, check_sizes, filled_by
from vlcheck.models.loading.load import load_model

DATA = ROOT / "tests" / "data"
ORIGINALS = {
    "albef": ("albef:{}/checkpoint_29.pth", "config_bert.json", "num_hidden_layers", "hidden_size"),
    "vilbert": ("vilbert:{},regions={}", "config.json", "num_hidden_layers", "hidden_size"),
    "vilt": ("vilt-original:{}", "config.json", "num_layers", "vocab_size"),
    "xvlm": ("xvlm:{}", "config_bert.json", "num_hidden_layers", "vocab_size"),
}


def test_a_network_of_a_million_layers_is_stopped() -> None:
    with pytest.raises(UsageError, match="sizes for which the checkpoint is too small by far"), filled_by(1_000, 10):
        nn.ModuleList(nn.Linear(1, 1) for _ in range(10**6))
    nn.ModuleList(nn.Linear(1, 1) for _ in range(2_000))  # which counts no more


@pytest.mark.parametrize(("make", "sizes"), [(nn.Linear, (10**5, 10**5)), (nn.Embedding, (10**12, 4))])
def test_a_weight_that_is_too_large_is_stopped(make: type[nn.Module], sizes: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="too small by far"), filled_by(1_000, 10), torch.device("meta"):
        make(*sizes)


@pytest.mark.parametrize("key", ["hidden_size", "num_hidden_layers", "vocab_size", "num_labels", "depths"])
@pytest.mark.parametrize("value", [10**9, 10**12, 10**400])
def test_absurd_numbers_are_named(key: str, value: int) -> None:
    for said in ({key: value}, {"text_config": {key: value}}, {"a": [{key: [2, value]}]}):
        with pytest.raises(UsageError, match=rf'c\.json: "{key}" is 1000.*; at most 16777216 is accepted'):
            check_sizes(said, Path("c.json"))
    check_sizes({"rope_theta": 10**9, "max_position_embeddings": 10_485_760, "vocab_size": 262_144}, Path("c.json"))


@pytest.mark.parametrize(
    "size",
    [{"height": 10**6, "width": 4}, {"shortest_edge": 10**5}, {"shortest_edge": 4, "longest_edge": 10**9}, 10**5],
)
def test_absurd_pictures_are_named(size: object) -> None:
    for said in ({"size": size}, {"image_processor": {"crop_size": size}}):
        with pytest.raises(UsageError, match=r"p\.json: .* at most \d+ is accepted"):
            check_sides(said, Path("p.json"))
    check_sides({"size": {"shortest_edge": 65_536, "longest_edge": 16_777_216}}, Path("p.json"))  # Qwen3-VL's, areas
    check_sides({"video_processor": {"size": {"longest_edge": 1 << 27}}}, Path("p.json"))  # larger than any picture


@pytest.mark.parametrize("value", [10**6, 10**9, 0, -1, True, "8", None])
@pytest.mark.parametrize("key", ["hidden_size", "num_hidden_layers", "vocab_size", "num_attention_heads"])
def test_transformers_builds_nothing_absurd(tmp_path: Path, key: str, value: object) -> None:
    folder = checkpoints.bert(tmp_path / "bert")
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(UsageError, match=r"model=.*bert"):
        load_model(str(folder))


@pytest.mark.parametrize("value", [10**6, 10**9, 0, -1, True, "8"])
@pytest.mark.parametrize("name", ORIGINALS)
def test_originals_build_nothing_absurd(tmp_path: Path, name: str, value: object) -> None:
    spec, config, depth, width = ORIGINALS[name]
    folder = shutil.copytree(DATA / name, tmp_path / name)
    path = folder / config
    before = json.loads(path.read_text())
    for key in (depth, width):
        path.write_text(json.dumps({**before, key: value}))
        with pytest.raises(UsageError, match=r"model=.*") as caught:
            load_model(spec.format(folder, folder))
        assert "vocab.txt" not in str(caught.value)  # for which it looks when the network is there
