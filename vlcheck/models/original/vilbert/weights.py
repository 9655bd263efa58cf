"""Reads the weights that the original code of ViLBERT saves."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from vlcheck.errors import UsageError
from vlcheck.models.loading.checkpoint import read_checkpoint
from vlcheck.models.loading.layout import check_weights, naming
from vlcheck.models.loading.misfits import check_names, some

_WORDS = "bert.embeddings.word_embeddings.weight"
_DECODER = "cls.predictions.decoder.weight"
_UNUSED = re.compile(r"bert\.encoder\.c_layer\.\d+\.biOutput\.q_dense[12]\.(weight|bias)$")  # no forward reads them
_OLD_ENDS = {"gamma": "weight", "beta": "bias"}  # what the first BERT for PyTorch called LayerNorm's weights


def read_weights(path: Path, shapes: Mapping[str, torch.Size]) -> dict[str, Tensor]:
    """Read the weights of the network, in float32, copied into memory.

    Args:
        path: the checkpoint.
        shapes: shape of each weight of the network, by name.

    Raises:
        UsageError: the file cannot be read, or a weight is missing, unknown or of another shape.
    """
    weights = read_checkpoint(path).weights
    with naming(path):
        current = _current_names(weights)
        check_names(current, _WORDS)
        return _checked(current, shapes)


def _current_names(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    counts = Counter(_current_name(name) for name in weights)
    if twice := [name for name, times in counts.items() if times > 1]:
        raise UsageError(f"it holds {some(twice)} under an old name and a new one.")
    return {_current_name(name): weight for name, weight in weights.items()}


def _current_name(name: str) -> str:
    """Return a weight's name without DataParallel's prefix, and with LayerNorm's current names."""
    return re.sub(r"(?<=\.)(gamma|beta)$", lambda old: _OLD_ENDS[old[0]], name.removeprefix("module."))


def _checked(weights: Mapping[str, Tensor], shapes: Mapping[str, torch.Size]) -> dict[str, Tensor]:
    """Return the network's weights, after a check that the file has all of them and no unknown one."""
    used = {name: weight for name, weight in weights.items() if not _UNUSED.match(name)}
    check_weights("a ViLBERT", {**shapes, _DECODER: shapes[_WORDS]}, used)
    if not torch.allclose(used[_DECODER], used[_WORDS], rtol=0, atol=0, equal_nan=True):
        raise UsageError(f"{_DECODER} differs from {_WORDS}: in ViLBERT they are one weight.")
    return {name: used[name].to(torch.float32, copy=True) for name in shapes}  # read from the mapped file here
