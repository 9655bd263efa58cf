"""Tells errors for want of memory from others."""

from __future__ import annotations

import torch


def lacks_memory(error: BaseException | None) -> bool:
    """Return True if an error says that there is no memory; for a CPU, torch raises an ordinary RuntimeError."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)
