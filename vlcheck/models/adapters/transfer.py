"""The way of pixels from the processor's memory to a GPU's."""

from __future__ import annotations

import torch
from torch import Tensor


def moved(tensor: Tensor, device: torch.device) -> Tensor:
    """Return a tensor on a device. CUDA reads it from pages that stay in memory, and this process does not wait.

    Args:
        tensor: the tensor, on any device.
        device: the device.
    """
    if device.type == "cuda" and tensor.device.type == "cpu":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)
