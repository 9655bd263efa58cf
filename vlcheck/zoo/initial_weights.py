"""Weights that a training begins with instead of random ones."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load
from torch import Tensor

from vlcheck._util.foreign_files import read_bytes
from vlcheck.errors import UsageError, argument, marked, printable
from vlcheck.models.original.albef.network import AlbefNetwork

_LARGEST = 1 << 28  # bytes of the largest accepted file
_ACCEPTED = "accepted: the .safetensors file that `vlcheck train` wrote of a network of the same size"


@dataclass(frozen=True)
class Base:
    """Initial weights, and the checksum of the file that they were read from.

    File and checksum come from a single read, so that they cannot differ.

    Attributes:
        path: the file.
        name: the name on the model card.
        sha256: SHA-256 of the file.
        weights: tensors by name, float32.
    """

    path: Path
    name: str
    sha256: str
    weights: Mapping[str, Tensor]

    def put_into(self, network: AlbefNetwork) -> None:
        """Load the weights into a network. Raises UsageError if its size differs."""
        try:
            network.load_state_dict(self.weights)
        except RuntimeError as error:
            message = f"{argument('base', self.path)}: not the weights of a network of this size; {_ACCEPTED}."
            raise UsageError(message) from error


def read_base(path: Path, variant: str = "") -> Base:
    """Read weights that `write_model` wrote.

    Args:
        path: a safetensors file.
        variant: name of the variant; "" for a file of the user.

    Raises:
        UsageError: the file cannot be read, or its weights are not finite.
    """
    try:
        content = read_bytes(path, _LARGEST)
    except UsageError as error:
        raise UsageError(f"{argument('base', marked(error).rstrip('.'))}; {_ACCEPTED}.") from error
    try:
        weights = {key: weight.float() for key, weight in load(content).items()}
    except Exception as error:  # damaged files raise errors of any kind
        raise UsageError(f"{argument('base', path)}: damaged, or not a safetensors file; {_ACCEPTED}.") from error
    for key in not_finite(weights):
        raise UsageError(f"{argument('base', path)}: {key} holds numbers that are not finite; {_ACCEPTED}.")
    name = variant or f"`--base {printable(path.name)}`"
    return Base(path, name, hashlib.sha256(content).hexdigest(), weights)


def not_finite(weights: Mapping[str, Tensor]) -> list[str]:
    """Return the names of weights that hold infinity or NaN."""
    return [key for key, weight in weights.items() if not torch.isfinite(weight).all()]
