"""Files of weights beside those that are read: they say the same, or are refused."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from pathlib import Path

import torch
from torch import Tensor

from vlcheck.errors import UsageError
from vlcheck.models.loading.checkpoint import SUFFIXES, as_bytes, is_pointer, read_tensors
from vlcheck.models.loading.misfits import is_index, reason

# Files with the state of a training run, which no score depends on.
_TRAINING = re.compile(
    r"(optimizer|(lr_)?scheduler|scaler|sampler|dl_state_dict|training_args|rng_state|random_states)([_-]\d+(-of-\d+)?)*"
    r"\.(pt|pth|bin|safetensors)"
)
# Beginnings of the names of files that a library may read as the weights of the model.
_MODEL = ("model", "pytorch_model", "consolidated")


def check_copies(
    folder: Path, name: str, weights: Mapping[str, Tensor], used: Collection[Path], reader: str = "transformers"
) -> None:
    """Refuse a file in a folder that holds other weights than those that are read.

    Args:
        folder: the folder.
        name: name of the file that is read, or of the index of several.
        weights: the weights that are read.
        used: files that are read.
        reader: the library that reads them.

    Raises:
        UsageError: there is such a file.
    """
    read, known = _Read(name, weights, reader), {path.resolve() for path in used}
    for path in sorted(folder.iterdir()):
        if path.resolve() not in known and _may_hold_weights(path):
            _check_copy(path, read)


def _may_hold_weights(path: Path) -> bool:
    return path.suffix in SUFFIXES and path.is_file() and not _TRAINING.fullmatch(path.name) and not is_pointer(path)


def _check_copy(path: Path, read: _Read) -> None:
    """Refuse a weight file that is not read, unless all its weights are in the files that it reads."""
    cure = f"{read.reader} reads {read.name}: keep in the folder what is to be scored, and move the other away."
    try:
        beside = read_tensors(path)
    except UsageError as error:
        if not path.name.startswith(_MODEL):
            return
        raise UsageError(f"{error} It lies beside the weights, and is not read; {cure}") from error
    strangers = [name for name, tensor in beside.items() if not read.has(name, tensor)]
    if not strangers:
        return
    if all(read.has_rounded(name, beside[name]) for name in strangers):
        raise UsageError(
            f"{path}: is not read, and holds the same weights, more precise: {read.reader} reads {read.formats} from"
            f" {read.name}. Keep in the folder what is to be scored, and move the other away."
        )
    why = reason(beside.keys(), (), [name for name in strangers if name not in read.weights])
    raise UsageError(
        f"{path}: is not read, and holds other weights, e.g. {strangers[0]}. {f'{why} ' if why else ''}"
        f"{cure if read.reader.isupper() else cure.capitalize()}"
    )


class _Read:
    """The weights that are read. They are found by name, or by content, since other formats use other names.

    Args:
        name: name of their file, or of the index of several.
        weights: tensors by name.
        reader: the library that reads them.
    """

    def __init__(self, name: str, weights: Mapping[str, Tensor], reader: str) -> None:
        self.name, self.weights, self.reader = name, weights, reader
        self._kinds = sorted({weight.dtype for weight in weights.values() if weight.is_floating_point()}, key=str)
        self._digests: dict[torch.dtype, set[bytes]] = {}

    @property
    def formats(self) -> str:
        return " and ".join(str(kind).removeprefix("torch.") for kind in self._kinds)

    def has(self, name: str, tensor: Tensor) -> bool:
        """Return True if a tensor equals a weight that is converted to the tensor's number format."""
        if name in self.weights:
            return _rounds_to(self.weights[name], tensor)
        if is_index(name):
            return True
        known = self._known(tensor.dtype)
        return _digest(tensor) in known or {_digest(part) for part in _parts(tensor)} <= known

    def has_rounded(self, name: str, tensor: Tensor) -> bool:
        """Return True if a tensor, rounded to the weights' number format, is one of the weights."""
        return tensor.is_floating_point() and any(self.has(name, tensor.to(kind)) for kind in self._kinds)

    def _known(self, kind: torch.dtype) -> set[bytes]:
        """Return the digests of all weights, converted to a number format. They are computed once."""
        if kind not in self._digests:
            self._digests[kind] = {
                _digest(layout.to(kind))
                for weight in self.weights.values()
                if weight.is_floating_point() == kind.is_floating_point
                for layout in _layouts(weight)
            }
        return self._digests[kind]


def _rounds_to(weight: Tensor, other: Tensor) -> bool:
    """Return True if a weight, converted to the number format of another tensor, equals it."""
    return weight.shape == other.shape and torch.equal(as_bytes(weight.to(other.dtype)), as_bytes(other))


def _layouts(weight: Tensor) -> tuple[Tensor, ...]:
    """Return a weight and, if it is a matrix, its transpose, which other libraries store."""
    return (weight, weight.T) if weight.ndim == 2 else (weight,)


def _parts(tensor: Tensor) -> tuple[Tensor, ...]:
    """Return the three thirds of a tensor that may hold query, key and value; else the tensor."""
    return tensor.chunk(3) if tensor.ndim and len(tensor) % 3 == 0 else (tensor,)


def _digest(tensor: Tensor) -> bytes:
    content = hashlib.sha256(f"{tuple(tensor.shape)} {tensor.dtype}".encode())
    content.update(as_bytes(tensor).numpy().data)
    return content.digest()
