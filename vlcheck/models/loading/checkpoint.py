"""Checkpoint files: PyTorch's are read without running code in them; safetensors."""

from __future__ import annotations

import pickle
import re
import struct
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from vlcheck._util.foreign_files import fault, parse_json
from vlcheck._util.paths import is_folder
from vlcheck.errors import UsageError, printable

SUFFIXES = (".pth", ".pt", ".th", ".bin", ".ckpt", ".safetensors")
_LARGEST_HEADER = 100_000_000  # bytes, the limit of safetensors itself
_WRAPPERS = ("model", "model_state_dict", "state_dict")
_POINTER = b"version https://git-lfs"
_ZIP, _PICKLE = b"PK", b"\x80"


@dataclass(frozen=True)
class Checkpoint:
    """The content of a checkpoint.

    Attributes:
        weights: tensors by name, on the CPU; those of a PyTorch file may be mapped from disk.
        config: the config that is stored beside the weights; else empty.
        wrapper: the key of the weights in the file; "" if they are the file's whole content.
    """

    weights: Mapping[str, torch.Tensor]
    config: Mapping[str, object] = field(default_factory=dict)
    wrapper: str = ""


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint: a state dict, or one in a dict such as `{"model": state_dict, "config": ...}`.

    Args:
        path: a file with one of SUFFIXES.

    Raises:
        UsageError: the file does not exist, is truncated, is not a checkpoint, or is a pickle that runs code.
    """
    if is_folder(path):
        raise UsageError(f"{path}: is a folder; name the checkpoint in it ({', '.join(SUFFIXES)}).")
    if why := fault(path):
        raise UsageError(f"{path}: no such checkpoint ({why}).")
    if path.suffix not in SUFFIXES:
        raise UsageError(f"{path}: not a checkpoint by its name; accepted: {', '.join(SUFFIXES)}.")
    if is_pointer(path):
        raise UsageError(f"{path}: a pointer of Git LFS, not the file itself; fetch it: git lfs pull.")
    checkpoint = _unwrapped(path, content := _read(path))
    _check_claims(path, checkpoint.weights)
    if checkpoint.wrapper:
        _check_only(path, checkpoint, content)
    return checkpoint


def read_tensors(path: Path) -> Mapping[str, torch.Tensor]:
    """Read the tensors of a file that need not be a checkpoint.

    Args:
        path: a file with one of SUFFIXES.

    Returns:
        The weights of a checkpoint; otherwise all tensors by their place in the file; {} for a format without tensors.

    Raises:
        UsageError: the file is truncated, or is a pickle that runs code.
    """
    if not path.stat().st_size or (path.suffix != ".safetensors" and not _is_torch(path)):
        return {}
    content = _read(path)
    try:
        return _unwrapped(path, content).weights
    except UsageError:
        return dict(_tensors(content))


def is_pointer(path: Path) -> bool:
    """Return True if a file is a pointer of Git LFS: a small text in place of a file that was not fetched."""
    with path.open("rb") as file:
        return file.read(len(_POINTER)) == _POINTER


def _read(path: Path) -> object:
    return _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)


def _is_torch(path: Path) -> bool:
    """Return True if a file begins as PyTorch's files do."""
    with path.open("rb") as file:
        return file.read(2).startswith((_ZIP, _PICKLE))


def _read_safetensors(path: Path) -> object:
    try:
        parse_json(_header(path))
        return load_file(path)
    except (SafetensorError, OSError, ValueError, struct.error) as error:
        raise UsageError(f"{path}: truncated or not a safetensors file ({error}).") from error


def _header(path: Path) -> str:
    """Return the header of a safetensors file: JSON that describes its tensors."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        return file.read(min(length, _LARGEST_HEADER)).decode("utf-8")


def _check_claims(path: Path, weights: Mapping[str, torch.Tensor]) -> None:
    """Refuse a tensor that is larger than its file: it repeats numbers, and a copy of it might fill the memory.

    Raises:
        UsageError: there is such a tensor, or one that is not a plain array of numbers.
    """
    held = path.stat().st_size
    for name, weight in weights.items():
        if weight.layout is not torch.strided or weight.device.type != "cpu":
            raise UsageError(f"{path}: {printable(name)} is not a plain array of numbers on the CPU.")
        if weight.numel() * weight.element_size() > held:
            raise UsageError(
                f"{path}: {printable(name)} is said to be {tuple(weight.shape)}, more than the file holds."
            )


def _check_stored(path: Path) -> None:
    """Refuse a compressed PyTorch file, which may expand to any size. Raises UsageError and BadZipFile."""
    with zipfile.ZipFile(path) as file:
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in file.infolist()):
            raise UsageError(f"{path}: is compressed, and torch.save never compresses a file; save it again.")


def _read_torch(path: Path) -> object:
    if not _is_torch(path):
        raise UsageError(f"{path}: not a PyTorch checkpoint{'' if path.stat().st_size else ' but an empty file'}.")
    try:
        if zipped := zipfile.is_zipfile(path):
            _check_stored(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about a pickle's protocol; faults that matter are raised
            return torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
    except pickle.UnpicklingError as error:
        raise UsageError(f"{path}: {_refusal(str(error))}") from error
    except UsageError:
        raise
    except Exception as error:  # damaged bytes may be decoded as any instruction of pickle
        raise UsageError(f"{path}: truncated or damaged, or not a PyTorch checkpoint; fetch it again.") from error


def _refusal(message: str) -> str:
    """Return the reason why PyTorch refused to read weights, given its message."""
    cure = "vlcheck never does that. Ask its author for a .safetensors file, or for a checkpoint of tensors alone."
    wanted = re.search(r"GLOBAL (\S+)", message)
    if wanted:
        return f"a pickle that wants to run code ({wanted[1]}) when it is read; {cure}"
    return f"damaged, or a pickle that may run code when it is read; {cure}"


def _unwrapped(path: Path, content: object) -> Checkpoint:
    """Find the state dict in a file's content. Raises UsageError if there is none."""
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


def _check_only(path: Path, checkpoint: Checkpoint, content: object) -> None:
    """Refuse a second state dict of the same network with other weights, for example a moving average."""
    weights = checkpoint.weights
    for place, held in _mappings(content):
        if held is weights:
            continue
        own = {
            str(name).removeprefix("module."): value for name, value in held.items() if isinstance(value, torch.Tensor)
        }
        shared = [name for name, weight in weights.items() if name in own and own[name].shape == weight.shape]
        same = all(_same(weights[name], own[name]) for name in shared)
        if same or 2 * len(shared) < len(weights) or place.startswith("optimizer"):
            continue
        raise UsageError(
            f"{path}: holds two sets of weights, under {checkpoint.wrapper!r} and under {place!r}: keep only the one"
            " that is to be scored."
        )


def _same(weight: torch.Tensor, other: torch.Tensor) -> bool:
    return weight is other or torch.equal(as_bytes(weight), as_bytes(other.to(weight.dtype)))


def as_bytes(tensor: torch.Tensor) -> torch.Tensor:
    """Return the bytes of a tensor, (n,), uint8, to compare or hash it in any number format."""
    return tensor.contiguous().flatten().view(torch.uint8)


def _mappings(content: object, place: str = "") -> Iterator[tuple[str, Mapping[object, object]]]:
    """Yield all mappings in a file's content, at any depth, each with its place."""
    if isinstance(content, Mapping):
        yield place, content
        for key, value in content.items():
            yield from _mappings(value, f"{place}.{key}" if place else str(key))


def _tensors(content: object, place: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    """Yield all tensors in a file's content, at any depth, each with its place."""
    if isinstance(content, torch.Tensor):
        yield place or "a tensor without a name", content
    elif isinstance(content, Mapping | list | tuple):
        items = content.items() if isinstance(content, Mapping) else enumerate(content)
        for key, value in items:
            yield from _tensors(value, f"{place}.{key}" if place else str(key))
