"""The GPUs and the processor of a machine, shared out among the workers of pytest-xdist."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from vlcheck._util.gpus import VISIBLE, no_gpu
from vlcheck._util.numbers import counted

THREADS = "OMP_NUM_THREADS"
CUDA = "cuda"  # of all values of --vl-device the one for which workers get a GPU each; cuda:1 names one for all
_END = ("", "-1")  # CUDA sees no GPU that is named after one of these


def count_gpus() -> int:
    """Return how many GPUs PyTorch can use in this process; it asks the driver, and starts nothing on a GPU."""
    import torch  # not imported in runs of other projects, or without a GPU

    return torch.cuda.device_count()


def name_gpus(environment: Mapping[str, str], count: int) -> tuple[str, ...]:
    """Return the GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them, in its order.

    Args:
        environment: the process's environment; its own CUDA_VISIBLE_DEVICES may hold numbers or ids of GPUs.
        count: the number of GPUs that can be used.

    Example:
        >>> name_gpus({"CUDA_VISIBLE_DEVICES": "3,GPU-8a"}, 2), name_gpus({}, 2)
        (('3', 'GPU-8a'), ('0', '1'))
    """
    if VISIBLE not in environment:
        return tuple(map(str, range(count)))
    names = [name.strip() for name in environment[VISIBLE].split(",")]
    end = next((place for place, name in enumerate(names) if name in _END), len(names))
    return tuple(names[: min(end, count)])


def demand_gpus(environment: Mapping[str, str], count: int) -> tuple[str, ...]:
    """Return the names of the GPUs as `name_gpus` does.

    Args:
        environment: the process's environment.
        count: the number of GPUs that can be used.

    Raises:
        UsageError: there is none.
    """
    names = name_gpus(environment, count)
    if not names:
        raise no_gpu(CUDA, environment)
    return names


def workers_of(device: str) -> int | None:
    """Return the number of workers of -n auto: that of the GPUs on `cuda`; None on another device, or without a GPU.

    Args:
        device: the value of --vl-device.
    """
    return len(name_gpus(os.environ, count_gpus())) or None if device == CUDA else None


def share_gpus(environments: Sequence[dict[str, str]], names: Sequence[str]) -> str:
    """Give each worker one GPU: with more workers than GPUs, several share one.

    Args:
        environments: those of the workers, which are changed.
        names: the GPUs, as `name_gpus` returns them; at least one.

    Returns:
        A sentence about GPUs that are shared; "" for none.
    """
    for place, environment in enumerate(environments):
        environment[VISIBLE] = names[place % len(names)]
    if len(environments) <= len(names):
        return ""
    return (
        f"{counted(len(environments), 'worker')} share {counted(len(names), 'GPU')}: each holds the whole model in the"
        f" GPU's memory, and they wait for each other; -n {len(names)} has one worker a GPU"
    )


def threads_each(workers: int) -> int:
    """Return the number of threads of each worker: the cores that this process may use, divided, at least 1.

    Args:
        workers: the number of workers.
    """
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, usable // workers)
