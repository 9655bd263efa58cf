"""Reads checkpoints of ViLT's original code into ViltNetwork."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor
from transformers.models.vilt.configuration_vilt import ViltConfig

from vlcheck._util.paths import expanded
from vlcheck.errors import UsageError
from vlcheck.models.loading.checkpoint import read_checkpoint
from vlcheck.models.loading.extents import filled_from
from vlcheck.models.loading.layout import check_size, check_weights, find_checkpoint, naming, read_optional_json
from vlcheck.models.loading.misfits import check_names
from vlcheck.models.original.vilt.network import ViltNetwork

__all__ = ["ViltNetwork", "vilt_from_original"]

HEADS = MappingProxyType({"mlm": "mlm_score", "itm": "itm_score"})  # a checkpoint may come without one of them
_HEAD_WIDTH = 64  # of ViT-B: shapes of weights do not show the number of heads
_OWN_INDEX = "text_embeddings.position_ids"  # a buffer of older transformers
# ViltNetwork's names and the original's, replaced one after the other. The original joins query, key and value.
_RENAMED = (
    ("vilt.embeddings.cls_token", "transformer.cls_token"),
    ("vilt.embeddings.position_embeddings", "transformer.pos_embed"),
    ("vilt.embeddings.patch_embeddings.projection.", "transformer.patch_embed.proj."),
    ("vilt.embeddings.", ""),
    ("vilt.encoder.layer.", "transformer.blocks."),
    (".layernorm_before.", ".norm1."),
    (".attention.attention.query.", ".attn.qkv."),
    (".attention.attention.key.", ".attn.qkv."),
    (".attention.attention.value.", ".attn.qkv."),
    (".attention.output.dense.", ".attn.proj."),
    (".layernorm_after.", ".norm2."),
    (".intermediate.dense.", ".mlp.fc1."),
    (".output.dense.", ".mlp.fc2."),
    ("vilt.layernorm.", "transformer.norm."),
    ("vilt.pooler.", "pooler."),
    ("mlm_score.decoder.bias", "mlm_score.bias"),
    ("itm_score.", "itm_score.fc."),
)
# ViltConfig's name of a size -> its name in the original's config.
_STATED = {
    "hidden_size": "hidden_size",
    "num_hidden_layers": "num_layers",
    "num_attention_heads": "num_heads",
    "image_size": "image_size",
    "patch_size": "patch_size",
    "vocab_size": "vocab_size",
    "max_position_embeddings": "max_text_len",
    "mlp_ratio": "mlp_ratio",  # the only one that ViltConfig does not have
}
# ViltConfig's name of a size -> the weight and the axis whose length it is.
_FOUND = {
    "vocab_size": ("text_embeddings.word_embeddings.weight", 0),
    "hidden_size": ("text_embeddings.word_embeddings.weight", 1),
    "max_position_embeddings": ("text_embeddings.position_embeddings.weight", 0),
    "patch_size": ("transformer.patch_embed.proj.weight", 3),
    "intermediate_size": ("transformer.blocks.0.mlp.fc1.weight", 0),
}


def vilt_from_original(folder: str | Path) -> ViltNetwork:
    """Load a checkpoint of the original code, pre-trained for masked words and matching (`vilt_200k_mlm_itm.ckpt`).

    If the checkpoint lacks one of the two heads, the network lacks it too.

    Args:
        folder: a folder with one checkpoint and optionally the original's `config.json`. Shapes of weights do not show
            `num_heads`: without the file, each head is taken to be 64 wide.

    Returns:
        The network in float32, in eval mode, without gradients.

    Raises:
        UsageError: there is not exactly one checkpoint, it cannot be read, or a weight is missing, unknown or of
            another shape than the sizes ask for.
    """
    folder = expanded(folder)
    path = find_checkpoint(folder)
    weights = {name: weight for name, weight in read_checkpoint(path).weights.items() if name != _OWN_INDEX}
    stated = _stated_sizes(folder / "config.json")
    with naming(path), filled_from(path):
        check_names(weights, "transformer.cls_token")
        return _load(_config(weights, stated), weights)


def sizes_of(config: ViltConfig) -> dict[str, Any]:
    """Return all sizes of a network that are read from its checkpoint, by ViltConfig's names."""
    return {name: getattr(config, name) for name in sorted((_STATED.keys() | _FOUND.keys()) - {"mlp_ratio"})}


def _stated_sizes(path: Path) -> dict[str, int]:
    """Return the sizes in the original's config, by ViltConfig's names; {} if there is no config."""
    content = read_optional_json(path)
    said: dict[str, Any] = {
        name: content[original] for name, original in _STATED.items() if content.get(original) is not None
    }
    with naming(path):
        for name, value in said.items():
            check_size(_STATED[name], value)
    return said


def _config(weights: Mapping[str, Tensor], stated: Mapping[str, int]) -> ViltConfig:
    """Infer the sizes from the weights; stated sizes take precedence."""
    found = {name: _size(weights, *place) for name, place in _FOUND.items()}
    side = math.isqrt(_size(weights, "transformer.pos_embed", 1) - 1)
    found["image_size"] = max(side, 1) * found["patch_size"]
    blocks = {match[1] for name in weights if (match := re.match(r"transformer\.blocks\.(\d+)\.", name))}
    found["num_hidden_layers"] = len(blocks)
    sizes: dict[str, Any] = found | dict(stated)
    if ratio := sizes.pop("mlp_ratio", 0):
        sizes["intermediate_size"] = ratio * sizes["hidden_size"]
    heads = sizes.setdefault("num_attention_heads", sizes["hidden_size"] // _HEAD_WIDTH)
    if not heads or sizes["hidden_size"] % heads:
        raise UsageError(
            f"hidden_size {sizes['hidden_size']} is not divided by {heads} attention heads: put a config.json with the"
            " right num_heads beside the checkpoint."
        )
    return ViltConfig(**sizes)


def _size(weights: Mapping[str, Tensor], name: str, axis: int) -> int:
    if name not in weights:
        raise UsageError(f"not a ViLT checkpoint: it lacks {name}.")
    shape = tuple(weights[name].shape)
    if axis >= len(shape) or not shape[axis]:
        raise UsageError(f"not a ViLT checkpoint: {name} has shape {shape}.")
    return shape[axis]


def _load(config: ViltConfig, weights: Mapping[str, Tensor]) -> ViltNetwork:
    with torch.device("meta"):  # only names and shapes: no memory is used, and no random number is drawn
        network = ViltNetwork(config)
    absent = [head for head in HEADS.values() if not any(name.startswith(f"{head}.") for name in weights)]
    if len(absent) < len(HEADS):  # without any it is no checkpoint for scoring, and lacks both
        for head in absent:
            setattr(network, head, None)
    expected = network.state_dict()
    parts: dict[str, list[str]] = defaultdict(list)
    for name in expected:
        parts[_original_name(name)].append(name)
    shapes = {name: _joined_shape([expected[part] for part in names]) for name, names in parts.items()}
    check_weights("a ViLT", shapes, weights)
    network.load_state_dict(
        {
            name: part.to(torch.float32, copy=True)  # what is mapped from the file is read here
            for original, names in parts.items()
            for name, part in zip(names, weights[original].chunk(len(names)), strict=True)
        },
        assign=True,
    )
    _fill_buffers(network)
    return network.eval().requires_grad_(requires_grad=False)


def _original_name(name: str) -> str:
    return reduce(lambda renamed, pair: renamed.replace(*pair), _RENAMED, name)


def _joined_shape(parts: Sequence[Tensor]) -> tuple[int, ...]:
    """Return the shape of weights that are joined along the first axis."""
    return (sum(len(part) for part in parts), *parts[0].shape[1:])


def _fill_buffers(network: ViltNetwork) -> None:
    """Create the buffers that no state dict holds, as transformers' constructor does outside the meta device."""
    text = network.vilt.embeddings.text_embeddings
    positions = torch.arange(network.config.max_position_embeddings)[None]
    text.register_buffer("position_ids", positions, persistent=False)
    text.register_buffer("token_type_ids", torch.zeros_like(positions), persistent=False)
