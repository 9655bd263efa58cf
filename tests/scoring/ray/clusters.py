"""Real clusters of Ray on this machine, and models that take their time."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from PIL import Image

from tests.scoring.counting import CountingModel, Features

PATIENCE = 90.0
MEMORY = 80_000_000  # bytes of a node for what is on its way


@contextmanager
def cluster_of(nodes: int) -> Iterator:
    """Start a cluster whose nodes have one core each; the first is its head."""
    from ray.cluster_utils import Cluster

    os.environ |= {"RAY_worker_niceness": "0", "RAY_USAGE_STATS_ENABLED": "0"}
    options = {"num_cpus": 1, "object_store_memory": MEMORY, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=options)
    try:
        for _ in range(1, nodes):
            cluster.add_node(num_cpus=1, object_store_memory=MEMORY)
        yield cluster
    finally:
        cluster.shutdown()


def kill(node) -> None:
    """End a node with SIGKILL: its raylet, its workers, and the head's processes if it is the head."""
    pids = [one.process.pid for started in node.all_processes.values() for one in started]
    for pid in [*pids, *chain.from_iterable(map(below, pids))]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def below(pid: int) -> list[int]:
    """The processes that descend from a process."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parents[int(entry.name)] = int(entry.joinpath("stat").read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
    found, new = [], [pid]
    while new:
        new = [child for child, parent in parents.items() if parent in new]
        found += new
    return found


def until(condition, patience: float = PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


class Slow(CountingModel):
    """Encodes a batch in a fifth of a second."""

    def encode(self, images: Sequence[Image.Image]) -> Features:
        time.sleep(0.2)
        return super().encode(images)


class Deadly(CountingModel):
    """Its process ends at a picture of another size than the others have."""

    def encode(self, images: Sequence[Image.Image]) -> Features:
        if any(image.width == 40 for image in images):
            os._exit(1)
        return super().encode(images)


class Other(CountingModel):
    fingerprint = "counting-2"


def unloadable() -> CountingModel:
    raise RuntimeError("these weights are for another network")


def loads_once(journal: Path) -> CountingModel:
    """Return the model to the first process that asks for it; end any other one."""
    try:
        journal.with_suffix(".first").touch(exist_ok=False)
    except FileExistsError:
        os._exit(1)
    return Slow(journal)
