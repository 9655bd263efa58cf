"""The weights in a TorchScript archive, read without running the code in it, and without the compiler of TorchScript.

An archive is a zip file. ROOT/data.pkl is a pickle of the tree of modules, each an object with its attributes, of a
class of the archive's own code; ROOT/data/N are the numbers of the tensors. Here each class becomes a plain holder of
attributes, and a name of anything else than a tensor's parts is refused.
"""

from __future__ import annotations

import io
import math
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vlcheck.errors import UsageError

_OF_CODE = "__torch__"  # packages of the archive's own classes
_TREE = "/data.pkl"
_KINDS = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "BoolStorage": torch.bool,
}
_LISTS = ("build_intlist", "build_doublelist", "build_boollist", "build_tensorlist")  # of torch.jit._pickle
_DEEPEST = 64  # modules in modules


def is_torchscript(path: Path) -> bool:
    """Return True if a file is a TorchScript archive."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    return any(name.endswith(_TREE) for name in names) and any(f"/code/{_OF_CODE}" in name for name in names)


def read_torchscript(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a TorchScript archive, by their names in the tree of modules. No code of it is run.

    Args:
        path: the archive; see `is_torchscript`.

    Raises:
        UsageError: the archive is damaged, or its tree names more than modules and tensors.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return dict(_named(_Tree(archive, path.stat().st_size).load()))
    except pickle.UnpicklingError as error:
        raise UsageError(f"{path}: a TorchScript archive with more than modules and tensors in it: {error}.") from error
    except Exception as error:  # damaged bytes may be decoded as any instruction of pickle
        raise UsageError(f"{path}: a damaged TorchScript archive; fetch it again.") from error


class _Module:
    """A module of the archive: its attributes, and none of its code."""

    def __init__(self) -> None:
        self.held: Mapping[str, object] = {}

    def __setstate__(self, state: object) -> None:
        self.held = state if isinstance(state, dict) else {}


class _Tree(pickle.Unpickler):
    """Reads the tree of modules.

    Args:
        archive: the zip file.
        size: its size in bytes, more than which no tensor holds.
    """

    def __init__(self, archive: zipfile.ZipFile, size: int) -> None:
        self.root = next(name for name in archive.namelist() if name.endswith(_TREE)).removesuffix(_TREE)
        self.archive, self.size = archive, size
        super().__init__(io.BytesIO(self.stored(_TREE)))

    def stored(self, name: str) -> bytes:
        """Return the content of a file of the archive, which torch never compresses."""
        entry = self.archive.getinfo(f"{self.root}{name}")
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > self.size:
            raise pickle.UnpicklingError(f"{name} is compressed")
        return self.archive.read(entry)

    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] == _OF_CODE:
            return _Module
        known: dict[tuple[str, str], Any] = {
            ("torch._utils", "_rebuild_tensor_v2"): _tensor,
            ("collections", "OrderedDict"): OrderedDict,
            ("torch.jit._pickle", "restore_type_tag"): lambda value, _tag: value,
            **{("torch.jit._pickle", kind): list for kind in _LISTS},
            **{("torch", kind): dtype for kind, dtype in _KINDS.items()},
        }
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"it names {module}.{name}")
        return known[module, name]

    def persistent_load(self, pid: Any) -> Callable[[], Tensor]:
        """Return a reader of the numbers that a tensor refers to, (numbers,)."""
        _, kind, key, _device, _count = pid
        return lambda: torch.frombuffer(bytearray(self.stored(f"/data/{key}")), dtype=kind)


def _tensor(read: Callable[[], Tensor], start: int, shape: Sequence[int], strides: Sequence[int], *_: object) -> Tensor:
    """Return a tensor that is made of the numbers of the archive.

    Args:
        read: returns the numbers.
        start: index of the first of them.
        shape: the tensor's shape.
        strides: its strides.
    """
    numbers = read()
    if math.prod(shape) > len(numbers):
        raise pickle.UnpicklingError("a tensor is said to be larger than what is stored")
    return numbers.as_strided(tuple(shape), tuple(strides), start).clone()


def _named(module: object, place: str = "", depth: int = 0) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors of a module and of the modules in it, each with its name."""
    if depth > _DEEPEST:
        raise pickle.UnpicklingError("modules hold one another in a circle")
    for name, value in module.held.items() if isinstance(module, _Module) else ():
        if isinstance(value, Tensor):
            yield place + name, value
        elif isinstance(value, _Module):
            yield from _named(value, f"{place}{name}.", depth + 1)
