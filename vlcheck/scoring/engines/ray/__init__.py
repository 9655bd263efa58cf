"""The engine of a Ray cluster: copies of the model on its nodes are asked, chunk by chunk.

The run talks to the cluster through a process of its own, the driver. Ray ends its client where a cluster goes away: so
it is not the run that ends, but a process that the run can miss.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from vlcheck.errors import UsageError, argument

if TYPE_CHECKING:
    from vlcheck.scoring.engines.ray.engine import RayEngine


def make_ray(*, folder: Path, device: str, address: str) -> RayEngine:
    """Return the engine.

    Args:
        folder: a folder of the run.
        device: the device of the model.
        address: the address of the cluster; "" for that of RAY_ADDRESS, or else one of this machine alone.

    Raises:
        UsageError: Ray is not installed, or the device cannot be that of a copy of the model.
    """
    if find_spec("ray") is None:
        raise UsageError(f"{argument('engine', 'ray')}: needs the package ray. Install it: pip install 'vlcheck[ray]'")
    from vlcheck.scoring.engines.ray.engine import RayEngine
    from vlcheck.scoring.engines.ray.node_part import part_for

    return RayEngine(address, part_for(device, os.environ.get("OMP_NUM_THREADS", "")), folder)
