"""Want of memory: the errors that say so, how much is free, and how what is not used any more is let go."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType

_SAID = (  # by RuntimeErrors that are of no class of their own
    "DefaultCPUAllocator: ",
    "std::bad_alloc",
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "MPS backend out of memory",
)
_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")
_LIMITS = (  # of a container: the most, and what is used of it
    ("memory.max", "memory.current"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
)


def lacks_memory(error: BaseException | None) -> bool:
    """Return True if an error says that there is no memory, of Python, numpy, or torch on a CPU or a GPU.

    PyTorch raises errors of a class of its own for some devices, and plain RuntimeErrors for others.
    """
    torch = _torch()
    if isinstance(error, MemoryError) or (torch and isinstance(error, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(said in str(error) for said in _SAID)


def let_go() -> None:
    """Free the memory of objects that refer to one another, and the blocks that torch holds of a GPU's memory.

    Free blocks of many sizes may leave no room for one large block.
    """
    gc.collect()
    torch = _torch()
    if torch and torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def free_memory(device: str) -> int | None:
    """Return how many bytes are free on a device: of a CPU, also within the container; None if nothing says so.

    Args:
        device: a device as torch names it, e.g. "cpu" or "cuda:1".
    """
    if device.startswith("cuda"):
        import torch

        free: int = torch.cuda.mem_get_info(device)[0]
        return free
    return min(_free_of_cpu(), default=None) if device == "cpu" else None


def _free_of_cpu() -> Iterator[int]:
    with suppress(OSError, ValueError, IndexError):
        yield 1024 * int(_MEMINFO.read_text(encoding="ascii").partition("MemAvailable:")[2].split()[0])
    for most, used in _LIMITS:
        with suppress(OSError, ValueError):  # there is no such limit, or it is "max"
            yield max(0, _number(_CGROUP / most) - _number(_CGROUP / used))


def _number(path: Path) -> int:
    return int(path.read_text(encoding="ascii"))


def _torch() -> ModuleType | None:
    return sys.modules.get("torch")
