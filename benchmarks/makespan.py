"""Simulate how long a cluster takes for a million photographs, with nodes that are slow and nodes that fail.

    python -m benchmarks.makespan

Two ways to share the work are simulated on the same nodes: one run whose batches go to whichever copy of the model is
free (`--vl-engine ray`), and parts of equal size that are fixed before (`--vl-shard I/N`), as many as nodes, or four
times as many, which the scheduler begins as nodes become free. A node that fails comes back after a while, loads the
model, and asks its batch again. The figures go to benchmarks/makespan.json, from where `python -m benchmarks.table`
writes the table of docs/explanation/million-images.md. It takes a minute of one core.
"""

from __future__ import annotations

import heapq
import json
import random
import statistics
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).with_name("makespan.json")
NODES = (1, 8, 64, 256)
SEEDS = range(5)
HOUR = 3600.0


@dataclass(frozen=True)
class Work:
    """The cost of a photograph, measured for full-size ALBEF on two cores and all tests on 109 photographs of COCO."""

    photographs: int = 1_000_000
    pictures: float = 1260 / 109  # of a photograph: its edits, each encoded once
    texts: float = 7144 / 109  # about them
    picture_seconds: float = 0.25
    text_seconds: float = 0.025
    batch: int = 16  # pictures

    @property
    def photograph_seconds(self) -> float:
        return self.pictures * self.picture_seconds + self.texts * self.text_seconds

    @property
    def batches(self) -> int:
        return round(self.photographs * self.pictures / self.batch)

    @property
    def batch_seconds(self) -> float:
        return self.photographs * self.photograph_seconds / self.batches


@dataclass(frozen=True)
class Nodes:
    """The simulated differences and failures of nodes."""

    slow: float = 0.05  # share of nodes that are slow
    slowness: float = 2.0  # times as long on these
    spread: float = 0.10  # of the times of all nodes, as the sigma of a log-normal distribution
    between_failures: float = 24 * HOUR  # mean, exponential, for each node
    absent: float = 10 * 60.0  # seconds until a node is back
    load: float = 60.0  # seconds until a copy of the model is loaded

    def paces(self, n: int, draw: random.Random) -> list[float]:
        """Return the time that each of n nodes takes, as a multiple of the planned time."""
        slow = [draw.random() < self.slow for _ in range(n)]
        return [draw.lognormvariate(0, self.spread) * (self.slowness if one else 1) for one in slow]


class Node:
    """A node that works on one piece after the other.

    Args:
        pace: how much longer than planned it takes.
        nodes: how nodes fail.
        draw: draws the failures.
    """

    def __init__(self, pace: float, nodes: Nodes, draw: random.Random) -> None:
        self._pace, self._nodes, self._draw = pace, nodes, draw
        self.free = nodes.load  # the time at which it takes the next piece
        self._fails = self._next_failure()

    def does(self, seconds: float) -> bool:
        """Work on a piece; return False if the node fails before its end."""
        end = self.free + seconds * self._pace
        if end <= self._fails:
            self.free = end
            return True
        self.free = self._fails + self._nodes.absent + self._nodes.load
        self._fails = self.free + self._next_failure()
        return False

    def _next_failure(self) -> float:
        return self._draw.expovariate(1 / self._nodes.between_failures)


def whichever_is_free(work: Work, team: list[Node]) -> float:
    """The time at which all batches are done, each by the first node that is free."""
    queue = [(node.free, place) for place, node in enumerate(team)]
    heapq.heapify(queue)
    left, end = work.batches, 0.0
    while left:
        _, place = queue[0]
        if team[place].does(work.batch_seconds):
            left -= 1
            end = max(end, team[place].free)
        heapq.heapreplace(queue, (team[place].free, place))
    return end


def in_parts(each: int) -> Callable[[Work, list[Node]], float]:
    """A way to share the work: so many parts for each node, of equal size; a part that fails goes on with its batch."""

    def makespan(work: Work, team: list[Node]) -> float:
        queue = [(node.free, place) for place, node in enumerate(team)]
        heapq.heapify(queue)
        for batches in _shared(work.batches, each * len(team)):
            _, place = queue[0]
            done = 0
            while done < batches:
                done += team[place].does(work.batch_seconds)
            heapq.heapreplace(queue, (team[place].free, place))
        return max(node.free for node in team)

    return makespan


WAYS = {"ray": whichever_is_free, "parts": in_parts(1), "four parts": in_parts(4)}


def _shared(n: int, parts: int) -> Iterator[int]:
    return (n // parts + (place < n % parts) for place in range(parts))


def simulated(work: Work, nodes: Nodes, n: int, way: Callable[[Work, list[Node]], float], seed: int) -> float:
    """The time in seconds until the last answer."""
    draw = random.Random(seed)
    return way(work, [Node(pace, nodes, random.Random(draw.random())) for pace in nodes.paces(n, draw)])


def main() -> None:
    work, nodes = Work(), Nodes()
    hours = {
        name: {n: [simulated(work, nodes, n, way, seed) / HOUR for seed in SEEDS] for n in NODES}
        for name, way in WAYS.items()
    }
    ideal = {n: work.photographs * work.photograph_seconds / n / HOUR for n in NODES}
    figures = {
        "work": asdict(work) | {"photograph_seconds": work.photograph_seconds},
        "nodes": asdict(nodes),
        "ideal_hours": ideal,
        "hours": hours,
        "over_ideal": {
            name: {n: statistics.median(times) / ideal[n] for n, times in by_nodes.items()}
            for name, by_nodes in hours.items()
        },
    }
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures["over_ideal"], indent=2))


if __name__ == "__main__":
    main()
