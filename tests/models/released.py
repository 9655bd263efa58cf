"""Tiny checkpoints as teams release them: with an adapter of PEFT, merged, or quantized."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
import transformers
from compressed_tensors.compressors.pack_quantized.helpers import pack_to_int32
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import PreTrainedModel

from tests.models import checkpoints

WEIGHTS = "model.safetensors"
TOKENS = {"clip": "token_embedding", "llava": "embed_tokens"}
HEAD = {"clip": "visual_projection", "llava": "lm_head"}
LATE = {"clip": "fc2", "llava": "down_proj"}


def lora(**more: Any) -> Any:
    """PEFT's config of a small LoRA."""
    return peft.LoraConfig(**{"r": 4, "lora_alpha": 8, "target_modules": ["q_proj", "v_proj"], **more})


KINDS: Mapping[str, Callable[[str], Any]] = {  # kind of adapter -> its config, given the family
    "lora": lambda family: lora(target_modules=["q_proj", LATE[family]]),
    "dora": lambda family: lora(target_modules=["q_proj", LATE[family]], use_dora=True),
    "rslora": lambda family: lora(target_modules=["q_proj", LATE[family]], use_rslora=True),
    "ia3": lambda family: peft.IA3Config(target_modules=["q_proj", LATE[family]], feedforward_modules=[LATE[family]]),
    "saved whole": lambda family: lora(modules_to_save=[HEAD[family]]),
    "tokens": lambda family: lora(
        trainable_token_indices={TOKENS[family]: [5, 6, 300]} if family == "llava" else {TOKENS[family]: [5, 6, 7, 8]}
    ),
    "embedding": lambda family: lora(target_modules=["q_proj", TOKENS[family]]),
}


def whole(base: Path, **settings: Any) -> Any:
    """Load the network of a checkpoint by the class that its config names."""
    (name,) = json.loads((base / "config.json").read_text())["architectures"]
    return getattr(transformers, name).from_pretrained(base, **settings)


def adapter(base: Path, into: Path, config: Any, *, network: Any = None, seed: int = 0) -> Path:
    """Save an adapter all of whose weights change the scores."""
    adapted = attached(whole(base) if network is None else network, config)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in adapted.parameters():
            if weight.requires_grad:
                weight.add_(torch.randn(weight.shape, generator=generator) * 0.15)
    with warnings.catch_warnings(action="ignore"):
        adapted.save_pretrained(into)
    return into


def attached(network: Any, adapter: Any) -> Any:
    """Attach an adapter by PEFT alone: that of a folder, or a new one of a config."""
    with warnings.catch_warnings(action="ignore"):  # of what transformers deprecates and peft uses
        if isinstance(adapter, Path):
            return peft.PeftModel.from_pretrained(network, adapter).eval()
        return peft.get_peft_model(network, adapter)


def merged(base: Path, adapted: Path, into: Path) -> Path:
    """Save the network that an adapter and its base make as a checkpoint of its own."""
    network = attached(whole(base), adapted).merge_and_unload()
    return saved_beside(base, network, into)


def saved_beside(base: Path, network: PreTrainedModel, into: Path) -> Path:
    """Save a network with the processor of its base."""
    shutil.copytree(base, into, ignore=lambda *_: [WEIGHTS])
    network.save_pretrained(into)
    return into


def clip_with_lora(folder: Path, **settings: Any) -> tuple[Path, Path]:
    """Save a CLIP and an adapter of it."""
    base = checkpoints.clip(folder / "base")
    return base, adapter(base, folder / "lora", lora(**settings))


def say(path: Path, **more: object) -> None:
    """Change keys of a JSON file; a key whose value is None is removed."""
    said = (json.loads(path.read_text()) if path.exists() else {}) | more
    path.write_text(json.dumps({key: value for key, value in said.items() if value is not None}))


def compressed(base: Path, into: Path, bits: int, keep: tuple[str, ...] = ()) -> tuple[Path, Path]:
    """Quantize all linear layers as compressed-tensors stores them: whole numbers, and a scale for each row.

    Args:
        base: a checkpoint.
        into: the folder that is written, and with "-plain" at its end a second one.
        bits: 4 for weights that are packed, 8 for weights and activations of 8 bits.
        keep: names of linear layers that stay as they are.

    Returns:
        The quantized checkpoint, and a plain one with the numbers that the quantized weights stand for.
    """
    layers = [one for name, one in whole(base).named_modules() if isinstance(one, nn.Linear) and name not in keep]
    weights = load_file(base / WEIGHTS)
    plain, stored = dict(weights), dict(weights)
    for name in [name for name, one in weights.items() if any(_is_weight_of(layer, one) for layer in layers)]:
        scale = weights[name].abs().amax(1, keepdim=True) / (2 ** (bits - 1) - 1)
        numbers = (weights[name] / scale).round().to(torch.int8)
        plain[name] = numbers * scale
        stored |= {name: numbers, f"{name}_scale": scale}
        if bits < 8:
            del stored[name]
            stored |= {f"{name}_packed": pack_to_int32(numbers, bits), f"{name}_shape": torch.tensor(numbers.shape)}
    other = into.with_name(f"{into.name}-plain")
    for folder, held in ((into, stored), (other, plain)):
        shutil.copytree(base, folder)
        save_file(held, folder / WEIGHTS, metadata={"format": "pt"})
    say(into / "config.json", quantization_config=_compression(bits, keep))
    return into, other


def _is_weight_of(layer: nn.Linear, weight: torch.Tensor) -> bool:
    """Tell a layer's weight in the file, where it may have the name of an earlier transformers."""
    return layer.weight.shape == weight.shape and torch.equal(layer.weight, weight)


def _compression(bits: int, keep: tuple[str, ...]) -> dict[str, object]:
    numbers = {"num_bits": bits, "type": "int", "symmetric": True}
    group = {
        "targets": ["Linear"],
        "weights": {**numbers, "strategy": "channel", "dynamic": False},
        "input_activations": {**numbers, "strategy": "token", "dynamic": True} if bits == 8 else None,
    }
    return {
        "quant_method": "compressed-tensors",
        "format": "pack-quantized" if bits < 8 else "int-quantized",
        "quantization_status": "compressed",
        "ignore": [*keep],
        "config_groups": {"group_0": group},
    }


def by_torchao(base: Path, into: Path) -> Path:
    """Quantize linear layers to weights of 8 bits with torchao; skip the test where it is not installed."""
    pytest.importorskip("torchao", reason="needs torchao, of the dependency group `nightly`")
    from torchao.quantization import Int8WeightOnlyConfig
    from transformers import TorchAoConfig

    return saved_beside(base, whole(base, quantization_config=TorchAoConfig(Int8WeightOnlyConfig(version=2))), into)
