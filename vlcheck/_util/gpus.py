"""GPUs as the environment names them, and the one message about a GPU that is not there."""

from __future__ import annotations

import os
from collections.abc import Mapping

from vlcheck.errors import UsageError, argument

VISIBLE = "CUDA_VISIBLE_DEVICES"


def no_gpu(device: str, environment: Mapping[str, str] = os.environ) -> UsageError:
    """Return the error of a machine without a GPU that PyTorch can use.

    Args:
        device: the device that was asked for.
        environment: the process's environment.
    """
    why = f"{VISIBLE} is {environment[VISIBLE]!r}" if VISIBLE in environment else "PyTorch finds none"
    named = argument("device", device)
    return UsageError(f"{named}: this machine has no GPU that can be used ({why}); cpu is always accepted.")
