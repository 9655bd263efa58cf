"""The device and the precision that a model is loaded with."""

from __future__ import annotations

import importlib
import importlib.util
import re

from vlcheck._util.gpus import no_gpu
from vlcheck.errors import UsageError, argument, nearest
from vlcheck.models.loading.factories import Loader

DTYPES = ("bfloat16", "float16", "float32", "float64")
DEVICES = "cpu, cuda, cuda:N, mps"
AUTO = "auto"  # spreads a model over all devices


def demand_dtype(dtype: str) -> None:
    """Raise UsageError if there is no such precision."""
    if dtype not in DTYPES:
        raise UsageError(f"{argument('dtype', repr(dtype))}: no such dtype. {nearest(dtype, DTYPES)}")


def demand_device(device: str) -> None:
    """Raise UsageError if there is no such device on this machine."""
    if device == AUTO:
        _check_accelerate()
        return
    kind, _, number = device.partition(":")
    if not re.fullmatch(r"(cpu|cuda|mps)(:[0-9]{1,4})?", device):
        raise UsageError(f"{argument('device', repr(device))}: no such device. Accepted: {DEVICES}, {AUTO}.")
    if device == "cpu":
        return
    import torch  # not at the top: specs are checked, and models without torch loaded, without importing it

    there = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": torch.mps.device_count()}[kind]
    if kind == "cuda" and not there:
        raise no_gpu(device)
    if int(number or 0) >= there:
        raise UsageError(
            f"{argument('device', repr(device))}: this machine has {there} such devices; cpu is always accepted."
        )


def _check_accelerate() -> None:
    if importlib.util.find_spec("accelerate") is None:
        raise UsageError(
            f"{argument('device', AUTO)}: needs the package accelerate. Install it, or name one of {DEVICES}."
        )


def spreads(loader: Loader) -> bool:
    """Return True if a family can be spread over several devices."""
    family = getattr(getattr(loader, "func", loader), "__self__", None)
    return bool(getattr(family, "spreads", False))


def round_nothing() -> None:
    """Let float32 be float32 on a GPU: PyTorch lets convolutions round to the 10 bits of TF32 unless it is told."""
    import torch  # as in demand_device

    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
