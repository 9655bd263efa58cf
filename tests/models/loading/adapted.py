"""Scores of checkpoints with an adapter, and changes of an adapter's files, for tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from vlcheck.models.loading.load import load_model

TEXTS = ["a red bus", "the dog is left of the cat"]
FOILS = [["a cat", "a photo of a dog"], ["the cat is left of the dog"]]
FILE, CONFIG = "adapter_model.safetensors", "adapter_config.json"


def scores(spec: object, photographs: list[Image.Image], dtype: str = "float64") -> np.ndarray:
    model: Any = load_model(str(spec), dtype=dtype)
    return np.array(model.itm(model.encode(photographs[:2]), TEXTS, FOILS))


def rewrite(own: Path, change: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]) -> None:
    save_file(change(load_file(own / FILE)), own / FILE)
