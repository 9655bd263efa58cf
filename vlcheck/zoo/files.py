"""Writes a trained network as the original code lays its checkpoints out, so that `albef:PATH` reads it."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from vlcheck.errors import UsageError
from vlcheck.models.albef_config import original_configs
from vlcheck.models.albef_network import AlbefNetwork
from vlcheck.models.albef_text import VOCABULARY
from vlcheck.zoo.lessons import vocabulary


def write_model(folder: Path, name: str, network: AlbefNetwork) -> Path:
    """Write weights in half precision, vocabulary and sizes.

    Args:
        folder: made where it is missing.
        name: of the weights' file, without its suffix.
        network: trained on scenes.

    Returns:
        The path of the weights.

    Raises:
        UsageError: where something cannot be written.
    """
    weights = {key: weight.to(torch.float16).contiguous().clone() for key, weight in network.state_dict().items()}
    config, bert = original_configs(network.config)
    path = folder / f"{name}.safetensors"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / VOCABULARY).write_text("\n".join(vocabulary()) + "\n", encoding="utf-8")
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        (folder / "config_bert.json").write_text(json.dumps(bert, indent=2) + "\n", encoding="utf-8")
        save_file(weights, path)
    except OSError as error:
        raise UsageError(f"--to {folder}: cannot be written ({error.strerror or error}).") from error
    return path
