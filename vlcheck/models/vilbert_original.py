"""What the original code of ViLBERT saves: which file, and by which names of weights."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

import torch
from torch import Tensor

from vlcheck.errors import UsageError
from vlcheck.models.checkpoint import SUFFIXES, read_checkpoint

_WORDS = "bert.embeddings.word_embeddings.weight"
_DECODER = "cls.predictions.decoder.weight"
_UNUSED = re.compile(r"bert\.encoder\.c_layer\.\d+\.biOutput\.q_dense[12]\.(weight|bias)$")  # no forward reads them
_OLD_ENDS = {"gamma": "weight", "beta": "bias"}  # of LayerNorm, as the first BERT for PyTorch called them


def find_checkpoint(folder: Path) -> Path:
    """The one checkpoint in a folder.

    Raises:
        UsageError: no folder, no checkpoint in it, or several.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; name the one that the checkpoint is in.")
    found = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES)
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise UsageError(f"{folder}: has to hold one checkpoint ({', '.join(SUFFIXES)}); found: {names}.")
    return found[0]


def read_weights(path: Path, shapes: Mapping[str, torch.Size]) -> dict[str, Tensor]:
    """Read the weights that the network has, in float32, in memory of their own.

    Args:
        path: the checkpoint.
        shapes: of all weights of the network, by name.

    Raises:
        UsageError: the file cannot be read, or a weight is missing, is unknown or has another shape.
    """
    weights = read_checkpoint(path).weights
    try:
        return _checked(_current_names(weights), shapes)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error


def _current_names(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    counts = Counter(_current_name(name) for name in weights)
    if twice := [name for name, times in counts.items() if times > 1]:
        raise UsageError(f"it holds {_some(twice)} under an old name and a new one.")
    return {_current_name(name): weight for name, weight in weights.items()}


def _current_name(name: str) -> str:
    """Without what DataParallel puts before it, and LayerNorm's weights by their names of today."""
    return re.sub(r"(?<=\.)(gamma|beta)$", lambda old: _OLD_ENDS[old[0]], name.removeprefix("module."))


def _checked(weights: Mapping[str, Tensor], shapes: Mapping[str, torch.Size]) -> dict[str, Tensor]:
    """All of the network's weights, and nothing that it would do without."""
    expected = {**shapes, _DECODER: shapes[_WORDS]}
    used = {name: weight for name, weight in weights.items() if not _UNUSED.match(name)}
    complaints = {
        "lacks": [*(expected.keys() - used.keys())],
        "has unknown": [*(used.keys() - expected.keys())],
        "misshapes": [
            f"{name} {tuple(used[name].shape)} in place of {tuple(shape)}"
            for name, shape in expected.items()
            if name in used and used[name].shape != shape
        ],
    }
    if any(complaints.values()):
        told = " and ".join(f"{what} {_some(names)}" for what, names in complaints.items() if names)
        raise UsageError(f"not a ViLBERT checkpoint of these sizes: it {told}.")
    if not torch.allclose(used[_DECODER], used[_WORDS], rtol=0, atol=0, equal_nan=True):
        raise UsageError(f"{_DECODER} differs from {_WORDS}: in ViLBERT they are one weight.")
    return {name: used[name].to(torch.float32, copy=True) for name in shapes}  # what is mapped from disk is read here


def _some(names: Collection[str]) -> str:
    shown = ", ".join(sorted(names)[:3])
    return f"{len(names)} weights ({shown}, ...)" if len(names) > 3 else shown
