"""The result of reading a COCO folder, which the processes of a run share: the first one reads, the others open it."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from vlcheck._util import temporary
from vlcheck.cases.indexed import CaseIndex, Outline
from vlcheck.cases.offer import Missing
from vlcheck.errors import UsageError

_READ, _PHOTOGRAPHS = "read", "photographs"  # files


@dataclass(frozen=True)
class ReadCoco:
    """The result of reading a COCO folder, but for the photographs, which are packed into a file.

    Attributes:
        categories: the names of its categories.
        left_out: the number of things that were left out, by reason.
        missing: files that would add cases.
        index: the index of the cases.
        ends: the place at which each photograph ends in the file: (n,), int64.
    """

    categories: tuple[str, ...]
    left_out: Mapping[str, int]
    missing: tuple[Missing, ...]
    index: CaseIndex
    ends: NDArray[np.int64]


Read = Callable[[BinaryIO], ReadCoco]
"""Reads a folder, and packs its photographs into a file."""


def read_into_memory(read: Read) -> tuple[ReadCoco, memoryview]:
    """Read a folder; return the packed photographs beside the rest."""
    file = BytesIO()
    return read(file), file.getbuffer()


def read_once(folder: Path, read: Read) -> tuple[ReadCoco, memoryview]:
    """Return what `read_into_memory` returns, from a folder; if it keeps nothing yet, read, while other processes wait.

    Args:
        folder: the folder; it is made if it is missing.
        read: reads the annotation files.

    Raises:
        UsageError: If nothing can be kept in the folder.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "lock"):
            if not (folder / _READ).exists():
                _keep(folder, read)
        return _opened(folder)
    except OSError as error:
        raise UsageError(
            f"{temporary.where()}: {folder}: the cases cannot be kept there ({error.strerror})."
        ) from error


class _Stored(msgspec.Struct, array_like=True):
    categories: tuple[str, ...]
    left_out: dict[str, int]
    missing: tuple[tuple[str, frozenset[str]], ...]
    names: tuple[str, ...]
    outlines: tuple[Outline, ...]
    image: bytes
    outline: bytes
    ends: bytes


def _keep(folder: Path, read: Read) -> None:
    with (folder / _PHOTOGRAPHS).open("wb") as file:
        found = read(file)
    index = found.index
    stored = _Stored(
        categories=found.categories,
        left_out=dict(found.left_out),
        missing=tuple((one.files, one.kinds) for one in found.missing),
        names=tuple(index.names),
        outlines=tuple(index.outlines),
        image=index.image.tobytes(),
        outline=index.outline.tobytes(),
        ends=found.ends.tobytes(),
    )
    draft = folder / "draft"
    draft.write_bytes(msgspec.msgpack.encode(stored))
    draft.replace(folder / _READ)  # at last: a process that dies before leaves no half of it


def _opened(folder: Path) -> tuple[ReadCoco, memoryview]:
    stored = msgspec.msgpack.decode((folder / _READ).read_bytes(), type=_Stored)
    image, outline = np.frombuffer(stored.image, np.int32), np.frombuffer(stored.outline, np.int32)
    index = CaseIndex(stored.names, stored.outlines, image, outline)
    missing = tuple(Missing(*one) for one in stored.missing)
    ends = np.frombuffer(stored.ends, np.int64)
    return ReadCoco(stored.categories, stored.left_out, missing, index, ends), _mapped(folder / _PHOTOGRAPHS)


def _mapped(path: Path) -> memoryview:
    """Return the content of a file, of which only what is used is read into memory."""
    if not path.stat().st_size:
        return memoryview(b"")
    with path.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
