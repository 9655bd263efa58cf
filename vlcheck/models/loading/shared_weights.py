"""Weights that the processes of a run on one machine hold in memory once, in a file that all of them map."""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate, chain
from pathlib import Path

import torch
from filelock import FileLock
from torch import Tensor, nn

from vlcheck._util.hashing import digest
from vlcheck.models.loading.checkpoint import as_bytes
from vlcheck.models.loading.networks import networks_of
from vlcheck.models.protocol import VisionLanguageModel

FEWEST = 64 << 20  # bytes of weights that are worth a file
_SPARE = 2  # times the weights that the disk has to have free
_ALIGNED = 64  # bytes, as PyTorch aligns its own memory


def share_weights(model: VisionLanguageModel, folder: Path, *, fewest: int = FEWEST) -> int:
    """Let the weights of a model on the CPU be mapped from a file, so that processes that do so hold them once.

    The file is the run's own. A checkpoint may be written anew while it is in use, which would change the numbers of a
    process that maps it, or end the process; and it may hold them in another precision. The first process writes the
    file, the others compare their weights with it. A process that changes a weight has a copy of its own from then on.

    Args:
        model: the model, loaded as in every other process.
        folder: a folder that the processes share. It has the file until it is deleted.
        fewest: bytes of weights below which nothing is shared.

    Returns:
        The number of bytes that are shared; 0 if there are few weights, little room on the disk, or no such mapping.
    """
    weights = _Layout.of(dict.fromkeys(_weights(networks_of(model))))
    if os.name != "posix" or weights.size < fewest:
        return 0
    path = folder / f"weights-{digest(model.fingerprint, str(weights.size))}"
    with FileLock(path.with_suffix(".lock")):
        if not path.exists() and not _written(path, weights):
            return 0
    shared = sum(weights.map_from(path))
    _return_memory()
    return shared


@dataclass(frozen=True)
class _Layout:
    """Weights, and the place of each in a file.

    Attributes:
        weights: the weights.
        starts: for each the offset of its first byte.
        size: bytes of the file.
    """

    weights: Sequence[Tensor]
    starts: Sequence[int]
    size: int

    @classmethod
    def of(cls, weights: Mapping[Tensor, None]) -> _Layout:
        """Return the layout of weights, each of which begins at a multiple of _ALIGNED bytes."""
        *starts, size = accumulate((-(-weight.nbytes // _ALIGNED) * _ALIGNED for weight in weights), initial=0)
        return cls(tuple(weights), starts, size)

    def map_from(self, path: Path) -> Iterator[int]:
        """Put mapped weights in the place of equal ones; yield the bytes of each."""
        # Private: what a model writes into its weights changes neither the file nor another process.
        try:
            held = torch.from_file(str(path), shared=False, size=self.size, dtype=torch.uint8)
        except RuntimeError:  # e.g. a limit on addresses, as `ulimit -v` sets it
            return
        for weight, start in zip(self.weights, self.starts, strict=True):
            mapped = held[start : start + weight.nbytes].view(weight.dtype).view(weight.shape)
            if torch.equal(as_bytes(mapped), as_bytes(weight.data)):
                weight.data = mapped
                yield weight.nbytes


def _written(path: Path, layout: _Layout) -> bool:
    """Write the weights to a file; return False if there is no room for it beside what else the run writes."""
    draft = path.with_suffix(".draft")
    if shutil.disk_usage(path.parent).free < _SPARE * layout.size:
        return False
    try:
        with draft.open("wb") as file:
            for weight, start in zip(layout.weights, layout.starts, strict=True):
                file.seek(start)
                file.write(as_bytes(weight.data).numpy().data)
            file.truncate(layout.size)
        draft.replace(path)
    except OSError:  # a disk that fills up meanwhile: each process keeps its own weights
        draft.unlink(missing_ok=True)
        return False
    return True


def _weights(networks: Iterable[nn.Module]) -> Iterator[Tensor]:
    """Yield the weights of networks that are plain arrays in the memory of the CPU."""
    for weight in chain.from_iterable(network.parameters() for network in networks):
        plain = type(weight.data) is Tensor and weight.layout is torch.strided and weight.is_contiguous()
        if plain and weight.device.type == "cpu" and weight.nbytes:
            yield weight


def _return_memory() -> None:
    """Return to the system what the weights took before; the C library keeps freed memory for later, if not told."""
    with suppress(OSError, AttributeError):  # a C library without this function
        ctypes.CDLL(None).malloc_trim(0)
