"""The result of reading a COCO folder, which the processes of a run share: the first one reads, the others open it."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from vlcheck.cases.indexed import CaseIndex, Outline
from vlcheck.cases.offer import Missing
from vlcheck.datasets.coco.packed import mapped

_INDEX, _CONTENT = "index", "photographs"  # files


@dataclass(frozen=True)
class KeptCoco:
    """The result of reading a COCO folder.

    Attributes:
        categories: the names of its categories.
        left_out: the number of things that were left out, by reason.
        missing: files that would add cases.
        index: the index of the cases.
        content: the packed photographs.
        ends: where each of them ends: (n,), int64.
    """

    categories: tuple[str, ...]
    left_out: Mapping[str, int]
    missing: tuple[Missing, ...]
    index: CaseIndex
    content: bytes | mmap.mmap
    ends: NDArray[np.int64]


class _Stored(msgspec.Struct, array_like=True):
    """All but the photographs, as it is stored."""

    categories: tuple[str, ...]
    left_out: dict[str, int]
    missing: tuple[tuple[str, frozenset[str]], ...]
    names: tuple[str, ...]
    outlines: tuple[Outline, ...]
    image: bytes
    outline: bytes
    ends: bytes


def shared_coco(folder: Path, read: Callable[[], KeptCoco]) -> KeptCoco:
    """Return what a folder keeps; if it keeps nothing yet, read and keep it. Other processes wait meanwhile.

    Args:
        folder: the folder; it is made if it is missing.
        read: reads the annotation files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        if not (folder / _INDEX).exists():
            _keep(folder, read())
    return _opened(folder)


def _keep(folder: Path, read: KeptCoco) -> None:
    (folder / _CONTENT).write_bytes(read.content)
    index = read.index
    stored = _Stored(
        categories=read.categories,
        left_out=dict(read.left_out),
        missing=tuple((one.files, one.kinds) for one in read.missing),
        names=tuple(index.names),
        outlines=tuple(index.outlines),
        image=index.image.tobytes(),
        outline=index.outline.tobytes(),
        ends=read.ends.tobytes(),
    )
    draft = folder / "draft"
    draft.write_bytes(msgspec.msgpack.encode(stored))
    draft.replace(folder / _INDEX)  # at last: a process that dies before leaves no half of it


def _opened(folder: Path) -> KeptCoco:
    stored = msgspec.msgpack.decode((folder / _INDEX).read_bytes(), type=_Stored)
    index = CaseIndex(
        stored.names,
        stored.outlines,
        np.frombuffer(stored.image, np.int32),
        np.frombuffer(stored.outline, np.int32),
    )
    missing = tuple(Missing(*one) for one in stored.missing)
    ends = np.frombuffer(stored.ends, np.int64)
    return KeptCoco(stored.categories, stored.left_out, missing, index, mapped(folder / _CONTENT), ends)
