"""The part of a node that one copy of the model takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vlcheck.errors import UsageError, argument

USUAL_CORES = 4


@dataclass(frozen=True)
class NodePart:
    """The part of a node for each copy.

    Attributes:
        cores: number of cores; 0 for a model that runs on a GPU.
        gpus: number of GPUs; 0 for a model that runs on cores.
    """

    cores: int
    gpus: int = 0

    def copies(self, resources: Mapping[str, float]) -> int:
        """Return how many copies a node has room for.

        Args:
            resources: number of each kind of resource, as Ray names them.

        Example:
            >>> NodePart(cores=4).copies({"CPU": 10.0}), NodePart(cores=0, gpus=1).copies({"CPU": 10.0})
            (2, 0)
        """
        wanted = {"CPU": self.cores, "GPU": self.gpus}
        return min(int(resources.get(name, 0) // n) for name, n in wanted.items() if n)

    def __str__(self) -> str:
        return f"{self.gpus} GPU" if self.gpus else f"{self.cores} core{'s' if self.cores > 1 else ''}"


def part_for(device: str, threads: str) -> NodePart:
    """Return the part for each copy of a model.

    Args:
        device: the model's device, "cpu" or "cuda".
        threads: the value of OMP_NUM_THREADS, the cores for each copy; "" for USUAL_CORES.

    Raises:
        UsageError: the device is another one, such as the second GPU of a machine: Ray gives each copy its own.
    """
    if device not in ("", "cpu", "cuda"):
        raise UsageError(
            f"{argument('device', device)}: does not go with {argument('engine', 'ray')}, which gives each copy of the"
            " model its own device. Accepted: cpu, or cuda for a GPU each."
        )
    if device == "cuda":
        return NodePart(cores=0, gpus=1)
    return NodePart(cores=int(threads) if threads.isdecimal() and int(threads) else USUAL_CORES)
