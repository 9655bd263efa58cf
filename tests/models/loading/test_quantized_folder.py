"""Adapters and quantized weights in a folder are read as they are meant, or refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.models.loading.changed_folders import QUERY, WHOLE, kept, say, scores, write
from vlcheck.errors import UsageError
from vlcheck.models.loading.folder import check_files
from vlcheck.models.loading.load import load_model
from vlcheck.models.loading.quantized import check_quantization


def lora(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    head = QUERY.removesuffix(".weight")
    width = len(weights[QUERY])
    return {f"{head}.lora_A.weight": torch.ones(2, width), f"{head}.lora_B.weight": torch.ones(width, 2)}


@pytest.mark.parametrize("lacks", [(), (QUERY,)])
@pytest.mark.parametrize("name", ["adapter_model.safetensors", "adapter_model.bin", None])
def test_an_adapter_beside_its_base_is_refused(folder: Path, name: str | None, lacks: tuple[str, ...]) -> None:
    """Also where the base is not whole: with peft installed, transformers does not report what it lacks."""
    whole = kept(folder)
    write(folder / WHOLE, {name: weight for name, weight in whole.items() if name not in lacks})
    say(folder / "adapter_config.json", peft_type="LORA", base_model_name_or_path="some/base", r=2)
    if name:
        held = {f"base_model.model.{one}": weight for one, weight in lora(whole).items()}
        write(folder / name, held) if name.endswith(".safetensors") else torch.save(held, folder / name)
    with pytest.raises(
        UsageError, match=r"adapter_config\.json: an adapter of some/base[.,] .* name \S+\+ADAPTER for both"
    ):
        check_files(folder, {})


@pytest.mark.parametrize(("more", "kind"), [("lora_A.weight", "an adapter"), ("weight_scale_inv", "quantized weights")])
def test_what_belongs_to_other_than_plain_weights_is_refused(folder: Path, more: str, kind: str) -> None:
    write(folder / WHOLE, kept(folder) | {QUERY.removesuffix("weight") + more: torch.ones(2, 2)})
    with pytest.raises(UsageError, match=rf"does not read, \S+{more}\. \S+{more}: these belong to {kind}"):
        load_model(str(folder))


@pytest.mark.parametrize("kind", [torch.float8_e4m3fn, torch.int8])
def test_weights_in_a_format_that_says_nothing_without_a_scale_are_refused(folder: Path, kind: torch.dtype) -> None:
    plain = kept(folder)
    write(folder / WHOLE, plain | {QUERY: torch.ones_like(plain[QUERY]).to(kind)})
    said = str(kind).removeprefix("torch.")
    with pytest.raises(
        UsageError,
        match=rf"{QUERY}: these are {said}, so quantized, and no scale is read\. Accepted: float16, bfloat16",
    ):
        load_model(str(folder))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            {"quantization_config": {"quant_method": "mine"}},
            r"config\.json: .* quant_method 'mine' cannot be read\. Unkn",
        ),
        ({"quantization_config": "x"}, r"config\.json: \"quantization_config\" is 'x'; it has to be an object"),
        ({"quantization_config": [1]}, r'"quantization_config" is \[1\]; it has to be an object'),
        (
            {"compression_config": {"quant_method": "compressed-tensors"}},
            '"compression_config" is not read; accepted: "quantization_config" in its place',
        ),
        ({"quantization_config": {"bits": 4}}, r"quant_method None cannot be read"),
        ({"text_config": {"quantization_config": {"quant_method": "mine"}}}, "quant_method 'mine' cannot be read"),
        (
            {"vision_config": {"quantization_config": {"quant_method": "fp8"}}},
            r'config\.json: "quantization_config" in "vision_config" is not read; it belongs at the top',
        ),
    ],
)
def test_a_way_of_quantizing_that_would_be_skipped_is_refused(said: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        check_quantization(said, "config.json")


def test_an_unknown_way_of_quantizing_is_refused_before_anything_is_loaded(folder: Path) -> None:
    say(folder / "config.json", quantization_config={"quant_method": "mine"})
    with pytest.raises(UsageError, match=r"config\.json: .* quant_method 'mine' cannot be read"):
        load_model(str(folder))


def test_what_is_said_of_quantized_weights_is_followed(folder: Path) -> None:
    """In eight bits, whose scales stand beside them: about the scores of the weights before."""
    plain, right = kept(folder), scores(folder)
    scale = plain[QUERY].abs().max() / 448
    write(
        folder / WHOLE,
        plain | {QUERY: (plain[QUERY] / scale).to(torch.float8_e4m3fn), f"{QUERY}_scale_inv": scale[None, None]},
    )
    said = {"quant_method": "fp8", "weight_block_size": [128, 128], "activation_scheme": "dynamic", "dequantize": True}
    say(folder / "config.json", quantization_config=said)
    np.testing.assert_allclose(scores(folder), right, atol=0.02)
    write(folder / WHOLE, {name.removesuffix("_inv"): weight for name, weight in kept(folder).items()})
    with pytest.raises(UsageError, match=rf"does not read, {QUERY}_scale\."):
        load_model(str(folder))
    write(folder / WHOLE, {name: weight for name, weight in kept(folder).items() if name != f"{QUERY}_scale"})
    with pytest.raises(UsageError, match=rf"{QUERY}: these are float8_e4m3fn, so quantized, and no scale is read"):
        load_model(str(folder))


@pytest.mark.parametrize("name", ["quantize_config.json", "quant_config.json", "hf_quant_config.json"])
def test_another_tool_s_word_for_quantized_weights_is_refused(folder: Path, name: str) -> None:
    say(folder / name, bits=4)
    with pytest.raises(UsageError, match=rf"{name}: says that the weights are quantized"):
        check_files(folder, {})
