"""Folders of a model's original code: one checkpoint, its configs, and weights that must fit the network exactly."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from vlcheck._util import foreign_files
from vlcheck._util.paths import expanded, is_folder
from vlcheck.errors import UsageError
from vlcheck.models.loading.checkpoint import SUFFIXES
from vlcheck.models.loading.extents import LARGEST_SIZE, shortened
from vlcheck.models.loading.misfits import check_formats, reason, some


def named_path(said: str, accepted: str) -> Path:
    """Return the path that follows a family's name in a spec.

    Args:
        said: the path as text.
        accepted: the message to raise if it is empty.

    Raises:
        UsageError: the path is empty, which would mean the current folder.
    """
    if not said:
        raise UsageError(accepted)
    return expanded(said)


def find_checkpoint(folder: Path) -> Path:
    """Return the only checkpoint of a folder, whatever its name.

    Raises:
        UsageError: there is no such folder, or it holds no checkpoint, or several.
    """
    if not is_folder(folder):
        raise UsageError(f"{folder}: no such folder; name the one that the checkpoint is in.")
    found = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES and path.is_file())
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise UsageError(f"{folder}: has to hold one checkpoint ({', '.join(SUFFIXES)}); it holds: {names}.")
    return found[0]


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Put a file's name before the message of any UsageError that is raised inside."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error


def read_optional_json(path: Path) -> dict[str, object]:
    """Read a config file; {} if there is none. Raises UsageError if it is no JSON object."""
    if not os.path.lexists(path):
        return {}
    content = foreign_files.read_json(path)
    if not isinstance(content, dict):
        raise UsageError(f"{path}: has to hold a JSON object.")
    return content


def read_needed_json(path: Path, purpose: str) -> dict[str, object]:
    """Read a config file that has to exist.

    Args:
        path: the file.
        purpose: end of the message's sentence if it does not exist.

    Raises:
        UsageError: there is no such file, or it is no JSON object.
    """
    if not os.path.lexists(path):
        raise UsageError(f"{path}: no such file; {purpose}.")
    return read_optional_json(path)


def check_size(name: str, value: object, least: int = 1) -> None:
    """Refuse a value that is no size.

    Args:
        name: the size's name, for the message.
        value: the value.
        least: the smallest accepted size.

    Raises:
        UsageError: it is not a whole number from `least` to LARGEST_SIZE.
    """
    if not is_size(value, least):
        most = f" and {LARGEST_SIZE} at most" if type(value) is int and value > LARGEST_SIZE else ""
        raise UsageError(f"{name} has to be a whole number from {least} up{most}, not {shortened(value)}.")


def is_size(value: object, least: int = 1) -> bool:
    """Return True if a value is a whole number from `least` to LARGEST_SIZE; JSON's true and false are not."""
    return type(value) is int and least <= value <= LARGEST_SIZE


def check_multiple(whole: str, value: int, part: str, divisor: int) -> None:
    """Refuse a size that is no multiple of another.

    Args:
        whole: name of the size.
        value: the size.
        part: name of the other size.
        divisor: the other size, at least 1.

    Raises:
        UsageError: it is no multiple.
    """
    if value % divisor:
        raise UsageError(f"{whole} {value} is no multiple of {part} {divisor}.")


def check_weights(family: str, expected: Mapping[str, Sequence[int]], weights: Mapping[str, Tensor]) -> None:
    """Refuse weights that are not exactly those of a network: names, shapes and number formats.

    Args:
        family: the family's name with its article, e.g. "an ALBEF".
        expected: shape of each weight of the network, by name.
        weights: the weights, by name.

    Raises:
        UsageError: weights are missing, unknown, of another shape, or quantized.
    """
    misshapen = [
        f"{name} has shape {tuple(weights[name].shape)} in place of {tuple(shape)}"
        for name, shape in expected.items()
        if name in weights and tuple(weights[name].shape) != tuple(shape)
    ]
    missing, strangers = expected.keys() - weights.keys(), weights.keys() - expected.keys()
    faults = (("it lacks ", missing), ("it has unknown ", strangers), ("", misshapen))
    complaints = [f"{what}{some(names)}" for what, names in faults if names]
    if complaints:
        why = reason(weights.keys(), missing, strangers)
        raise UsageError(f"not {family} checkpoint of these sizes: {'; '.join(complaints)}. {why}".rstrip())
    check_formats({name: weight.dtype for name, weight in weights.items()})


def fingerprint(network: nn.Module, *settings: object) -> str:
    """Hash everything that decides a score: weights, their dtype, the device's type, and further settings.

    It takes half a second for the 0.9 GB of the full-size ALBEF.

    Args:
        network: the network.
        settings: values whose `repr` shows all of their content.

    Returns:
        A SHA-256 in hexadecimal digits.
    """
    weight = next(network.parameters())
    content = hashlib.sha256(repr([*settings, weight.dtype, weight.device.type]).encode())
    for name, tensor in network.state_dict().items():
        content.update(f"{name} {tuple(tensor.shape)}".encode())
        content.update(tensor.cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return content.hexdigest()
