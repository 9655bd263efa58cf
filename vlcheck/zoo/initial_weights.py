"""Weights that a training begins with, in place of those by lot."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load
from torch import Tensor

from vlcheck._util.foreign_files import read_bytes
from vlcheck.errors import UsageError, printable
from vlcheck.models.original.albef.network import AlbefNetwork

_LARGEST = 1 << 28  # bytes
_ACCEPTED = "accepted: the .safetensors file that `vlcheck train` wrote of a network of the same size"


@dataclass(frozen=True)
class Base:
    """Weights that were read once, so that they are those of the checksum.

    Attributes:
        path: where they were.
        name: as the card of what is made from them has it.
        sha256: of the file.
        weights: tensors by name, float32.
    """

    path: Path
    name: str
    sha256: str
    weights: Mapping[str, Tensor]

    def put_into(self, network: AlbefNetwork) -> None:
        """Let a network begin with them. Raises UsageError where it is of another size."""
        try:
            network.load_state_dict(self.weights)
        except RuntimeError as error:
            message = f"--base {self.path}: not the weights of a network of this size; {_ACCEPTED}."
            raise UsageError(message) from error


def read_base(path: Path, variant: str = "") -> Base:
    """Read weights that `write_model` wrote.

    Args:
        path: of a safetensors file.
        variant: that they are the weights of; "" for a file that was named with --base.

    Raises:
        UsageError: they cannot be read, or are not finite.
    """
    try:
        content = read_bytes(path, _LARGEST)
    except UsageError as error:
        raise UsageError(f"--base {str(error).rstrip('.')}; {_ACCEPTED}.") from error
    try:
        weights = {key: weight.float() for key, weight in load(content).items()}
    except Exception as error:  # what damaged bytes raise is of any kind
        raise UsageError(f"--base {path}: damaged, or not a safetensors file; {_ACCEPTED}.") from error
    for key in not_finite(weights):
        raise UsageError(f"--base {path}: {key} holds numbers that are not finite; {_ACCEPTED}.")
    name = variant or f"`--base {printable(path.name)}`"
    return Base(path, name, hashlib.sha256(content).hexdigest(), weights)


def not_finite(weights: Mapping[str, Tensor]) -> list[str]:
    """The names of those that hold infinity or NaN."""
    return [key for key, weight in weights.items() if not torch.isfinite(weight).all()]
