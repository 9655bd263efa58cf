"""Reads checkpoints: PyTorch's files without running their code, and safetensors."""

from __future__ import annotations

import pickle
import re
import struct
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from vlcheck.errors import UsageError

SUFFIXES = (".pth", ".pt", ".th", ".bin", ".ckpt", ".safetensors")
_WRAPPERS = ("model", "model_state_dict", "state_dict")
_POINTER = b"version https://git-lfs"
_ZIP, _PICKLE = b"PK", b"\x80"
# What torch.load raises on damaged bytes, which may decode to any pickle instruction.
_DAMAGED = (RuntimeError, EOFError, LookupError, ValueError, TypeError, AttributeError, OSError, struct.error)


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint holds.

    Attributes:
        weights: tensors by name, on the CPU; those of a PyTorch file may be mapped from disk, unread.
        config: what a wrapped checkpoint says of itself, else empty.
        wrapper: the key under which the weights stand, "" where they are the file's content.
    """

    weights: Mapping[str, torch.Tensor]
    config: Mapping[str, object] = field(default_factory=dict)
    wrapper: str = ""


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a flat state dict, or one wrapped as `{"model": state_dict, "config": ...}`, or under another of _WRAPPERS.

    Args:
        path: a file of one of SUFFIXES.

    Raises:
        UsageError: no such file, truncated, not a checkpoint, or a pickle that runs code.
    """
    if path.is_dir():
        raise UsageError(f"{path}: is a folder; name the checkpoint in it ({', '.join(SUFFIXES)}).")
    if not path.is_file():
        raise UsageError(f"{path}: no such checkpoint.")
    if path.suffix not in SUFFIXES:
        raise UsageError(f"{path}: not a checkpoint by its name; accepted: {', '.join(SUFFIXES)}.")
    if is_pointer(path):
        raise UsageError(f"{path}: a pointer of Git LFS, not the file itself; fetch it: git lfs pull.")
    content = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)
    return _unwrapped(path, content)


def is_pointer(path: Path) -> bool:
    """Whether a file is what Git LFS puts in the place of one that was not fetched."""
    with path.open("rb") as file:
        return file.read(len(_POINTER)) == _POINTER


def _read_safetensors(path: Path) -> object:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise UsageError(f"{path}: truncated or not a safetensors file ({error}).") from error


def _read_torch(path: Path) -> object:
    with path.open("rb") as file:
        start = file.read(2)
    if not start.startswith((_ZIP, _PICKLE)):
        raise UsageError(f"{path}: not a PyTorch checkpoint{' but an empty file' if not start else ''}.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of a pickle's protocol: what matters is raised
            return torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError as error:
        raise UsageError(f"{path}: {_refusal(str(error))}") from error
    except _DAMAGED as error:
        raise UsageError(f"{path}: truncated or damaged, or not a PyTorch checkpoint; fetch it again.") from error


def _refusal(message: str) -> str:
    """Why PyTorch would not unpickle weights alone."""
    cure = "vlcheck never does that. Ask its author for a .safetensors file, or for a checkpoint of tensors alone."
    wanted = re.search(r"GLOBAL (\S+)", message)
    if wanted:
        return f"a pickle that wants to run code ({wanted[1]}) when it is read; {cure}"
    return f"damaged, or a pickle that may run code when it is read; {cure}"


def _unwrapped(path: Path, content: object) -> Checkpoint:
    outer = content if isinstance(content, Mapping) else {}
    wrapper = next((key for key in _WRAPPERS if isinstance(outer.get(key), Mapping)), "")
    weights = outer[wrapper] if wrapper else content
    if not isinstance(weights, Mapping) or not weights:
        raise UsageError(f"{path}: holds no state dict, but {type(weights).__name__}.")
    for name, value in weights.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            raise UsageError(f"{path}: not a state dict: {name!r} is no tensor but {type(value).__name__}.")
    config = outer.get("config") if wrapper else None
    return Checkpoint(weights, config if isinstance(config, Mapping) else {}, wrapper)
