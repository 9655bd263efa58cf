"""Folders of a checkpoint that tests change."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor

from vlcheck.models.loading.load import load_model

WHOLE = "model.safetensors"
QUERY = "text_model.encoder.layers.0.self_attn.q_proj.weight"
PROJECTED = "text_projection.weight"
Change = Callable[[Path], object]


def kept(folder: Path) -> dict[str, Tensor]:
    return load_file(folder / WHOLE)


def write(path: Path, weights: Mapping[str, Tensor]) -> None:
    save_file({name: weight.contiguous() for name, weight in weights.items()}, path, metadata={"format": "pt"})


def say(path: Path, **more: object) -> None:
    path.write_text(json.dumps((json.loads(path.read_text()) if path.exists() else {}) | more))


def moved(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights after more training."""
    return {name: weight + 0.05 for name, weight in weights.items()}


def write_shards(folder: Path, weights: Mapping[str, Tensor], stem: str = "model", suffix: str = "safetensors") -> None:
    names = sorted(weights)
    shards = {f"{stem}-0000{n}-of-00002.{suffix}": names[n - 1 :: 2] for n in (1, 2)}
    for file, own in shards.items():
        held = {name: weights[name] for name in own}
        write(folder / file, held) if suffix == "safetensors" else torch.save(held, folder / file)
    places = {name: file for file, own in shards.items() for name in own}
    say(folder / f"{stem}.{suffix}.index.json", metadata={}, weight_map=places)


def scores(folder: Path) -> Any:
    model: Any = load_model(str(folder))
    picture = Image.fromarray(np.arange(48 * 64 * 3, dtype=np.uint8).reshape(48, 64, 3))
    return model.itm(model.encode([picture]), ["a red bus on the street"], [["a cat", "a dog"]])
