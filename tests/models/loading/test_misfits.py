"""A file of a model's original code says by its names and formats why it is no plain checkpoint."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from benchmarks.albef_checkpoint import random_state_dict
from tests.models.conftest import TINY
from vlcheck.errors import UsageError
from vlcheck.models.loading.load import load_model
from vlcheck.models.loading.misfits import check_formats, check_names, reason, scaled
from vlcheck.models.original.albef.config import original_configs

Weights = dict[str, Tensor]
QUERY = "text_encoder.bert.encoder.layer.0.attention.self.query.weight"
ANCHOR = "visual_encoder.cls_token"


def load_albef(folder: Path, weights: Weights) -> object:
    for name, said in zip(("config.json", "config_bert.json"), original_configs(TINY), strict=True):
        (folder / name).write_text(json.dumps(said))
    torch.save({"model": weights}, folder / "checkpoint.pth")
    return load_model(f"albef:{folder}/checkpoint.pth")


def prefixed(prefix: str) -> Callable[[Weights], Weights]:
    return lambda weights: {prefix + name: weight for name, weight in weights.items()}


def with_more(*names: str) -> Callable[[Weights], Weights]:
    return lambda weights: weights | {name: torch.zeros(2, 2) for name in names}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            prefixed("module."),
            r"begin with 'module\.', which torch's DataParallel puts there: save model\.module\.state",
        ),
        (prefixed("_orig_mod."), r"begin with '_orig_mod\.', which torch\.compile puts there"),
        (
            prefixed("module._orig_mod."),
            r"which torch's DataParallel and torch\.compile put there: save model\.module\._orig_mod\.state_dict",
        ),
        (prefixed("base_model.model."), "peft puts there: merge the adapter"),
        (
            prefixed("model."),
            r"begin with 'model\.', which a module around the model \(such as Lightning's\) puts there",
        ),
        (prefixed("albef."), r"begin with 'albef\.'"),
        (with_more(QUERY.replace("weight", "lora_A")), "lora_A: these belong to an adapter"),
        (with_more(QUERY + "_scale"), "query.weight_scale: these belong to quantized weights"),
        (lambda weights: weights | {QUERY: weights[QUERY].to(torch.int8)}, rf"{QUERY}: these are int8, so quantized"),
        (
            lambda weights: weights | {QUERY: weights[QUERY].to(torch.float8_e4m3fn)},
            rf"{QUERY}: these are float8_e4m3fn, so quantized",
        ),
        (
            with_more("text_decoder.bert.embeddings.LayerNorm.bias"),
            r"fine-tuned for writing \(answers or captions\): name",
        ),
        (with_more("cls_head.0.weight"), r"fine-tuned for classifying pairs \(NLVR2 or SNLI-VE\)"),
    ],
)
def test_an_albef_that_is_no_plain_checkpoint_is_told_why(
    change: Callable[[Weights], Weights], said: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=rf"checkpoint\.pth: .*{said}"):
        load_albef(tmp_path, change(random_state_dict(TINY)))


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("an adapter", "lora_A.weight lora_A lora_A.default.weight lora_down.weight lora_magnitude_vector hada_w1_a"),
        ("an adapter", "lokr_w2 ia3_l oft_R.weight vera_lambda_b base_layer.weight modules_to_save.default.weight"),
        (
            "quantized weights",
            "weight_scale weight_scale_inv weight_scale_2 SCB weight_format qweight qzeros scales g_idx",
        ),
        ("quantized weights", "weight.absmax weight.quant_map weight.quant_state.bitsandbytes__nf4 weight_packed"),
        ("quantized weights", "weight._data weight._scale input_scale weight_zero_point codebooks W_q weight_qdata"),
    ],
)
def test_what_belongs_to_other_than_plain_weights_is_known_by_its_name(kind: str, names: str) -> None:
    for name in names.split():
        said = reason([ANCHOR], (), [f"layer.0.query.{name}"])
        assert said.startswith(f"layer.0.query.{name}: these belong to {kind}"), name


@pytest.mark.parametrize(
    "name", ["logit_scale", "layer_scale.lambda", "visual.proj", "rank_output.bias", "blocks.0.scale"]
)
def test_other_names_tell_no_kind(name: str) -> None:
    assert reason([ANCHOR, name], (), [name]) == ""


@pytest.mark.parametrize("kind", [torch.float8_e5m2, torch.int8, torch.uint8, torch.int64, torch.bool])
def test_other_formats_are_refused(kind: torch.dtype) -> None:
    said = str(kind).removeprefix("torch.")
    with pytest.raises(
        UsageError,
        match=rf"{QUERY}: these are {said}, so quantized, and no scale is read\. Accepted: float16, bfloat16, float",
    ):
        check_formats({QUERY: kind, ANCHOR: torch.float32})


@pytest.mark.parametrize("part", ["weight_scale_inv", "weight.absmax", "SCB", "weight.quant_state.bitsandbytes__nf4"])
def test_a_weight_with_its_scale_beside_it_is_told_from_others(part: str) -> None:
    assert scaled(["a.weight", "b.weight", f"a.{part}"]) == {"a.weight", f"a.{part}"}


def test_names_of_a_whole_network_give_no_reason() -> None:
    assert check_names(random_state_dict(TINY), ANCHOR) is None


def test_a_part_of_the_names_with_a_prefix_is_no_wrapper() -> None:
    assert check_names([ANCHOR, f"module.{ANCHOR}"], ANCHOR) is None


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_floats_of_sixteen_bits_and_more_are_plain(kind: torch.dtype) -> None:
    assert check_formats({QUERY: kind}) is None


def test_indices_are_whole_numbers() -> None:
    assert check_formats({"embeddings.position_ids": torch.int64, "a.seen": torch.bool}, whole={"seen"}) is None
