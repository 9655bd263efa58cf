"""The weights in a file that open_clip or OpenAI wrote, under the names that open_clip's networks have."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from vlcheck.models.loading.checkpoint import read_checkpoint
from vlcheck.models.loading.torchscript import is_torchscript, read_torchscript

# Numbers that OpenAI's archives hold beside the weights, and masks that the network computes itself.
_BESIDE = ("input_resolution", "context_length", "vocab_size")
_MASK = "attn_mask"
_PARALLEL = "module."


def read_weights(path: Path) -> Mapping[str, Tensor]:
    """Read the weights of a file: a TorchScript archive, a checkpoint of a training run, or a state dict.

    Args:
        path: the file; its suffix is one of `vlcheck.models.loading.checkpoint.SUFFIXES`.

    Raises:
        UsageError: there is no such file, it is damaged, or it is a pickle that runs code.
    """
    archive = path.is_file() and is_torchscript(path)
    held = read_torchscript(path) if archive else read_checkpoint(path).weights
    if held and all(name.startswith(_PARALLEL) for name in held):
        held = {name.removeprefix(_PARALLEL): weight for name, weight in held.items()}
    return {name: weight for name, weight in held.items() if not _is_beside(name)}


def _is_beside(name: str) -> bool:
    return name in _BESIDE or name.rpartition(".")[2] == _MASK
