"""Kill nodes of a real Ray cluster at random moments of a run, and check that no answer is missing or differs.

    python -m benchmarks.ray_kills [--rounds 50] [--seed 0]

The head of the cluster lives as long as the program, and its copy of the model with it. In each round a second node
joins, the embedded model answers the same plan anew, and the second node is ended with SIGKILL: its raylet, and all of
its processes. In every other round its copy has answered questions before the plan begins, so that the kill hits a copy
at work; in the others it may also hit one that is starting, or that loads the model. Ends with 1 where an answer is
missing, is an error, or differs from that of one process by more than 1e-5, or where more pictures were asked twice
than a copy has at a time. 50 rounds take about ten minutes of a core.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from PIL import Image

from tests.scoring.counting import photograph
from tests.scoring.ray.clusters import MEMORY, cluster_of, kill
from vlcheck.cases.picture import Picture
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.query import Query
from vlcheck.models.loading.load import load_model
from vlcheck.scoring.cached import CachedScorer
from vlcheck.scoring.engines.engine import Engine
from vlcheck.scoring.engines.ray.fleet import AHEAD
from vlcheck.scoring.engines.registry import open_engine
from vlcheck.scoring.plan import Plan, make_plan
from vlcheck.scoring.scorer import Scorer
from vlcheck.scoring.store import ScoreStore

PICTURES, BATCH = 32, 2
WAIT = 0.1  # seconds that a copy takes for a picture, beside the network
SHORTEST = WAIT * PICTURES / 2  # seconds that two copies take for the plan
STARTING = 8.0  # seconds in which a new copy starts, and loads the model
PATIENCE = 600.0  # for a new copy
TOLERANCE = 1e-5
_TEXTS = ("a red ball", "a blue cube"), ("a [MASK] ball", "a [MASK] cube")


@dataclass(frozen=True)
class Round:
    """The outcome of a run whose second node was killed.

    Attributes:
        missing: queries without an answer.
        errors: queries whose answer is an error.
        apart: the largest difference of a score from that of one process.
        twice: pictures that were asked about twice.
        at_work: whether the copy on the node had been asked about a picture of the plan.
    """

    missing: int
    errors: int
    apart: float
    twice: int
    at_work: bool

    @property
    def held(self) -> bool:
        """True if every answer is there and right, and no more was lost than a copy has at a time."""
        return not (self.missing or self.errors) and self.apart <= TOLERANCE and self.twice <= AHEAD * BATCH


class Journaled:
    """The embedded model, which takes its time, and writes down which process encodes how many pictures."""

    def __init__(self, journal: Path) -> None:
        self._model, self._journal = load_model("tiny"), journal

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def encode(self, images: Sequence[Image.Image]) -> Any:
        with self._journal.open("a", encoding="utf-8") as journal:
            journal.write(f"{os.getpid()} {len(images)}\n")
        time.sleep(WAIT * len(images))
        return self._model.encode(images)


class Place:
    """A folder with pictures and a journal, the plan, its right answers, and an engine on the cluster."""

    def __init__(self, folder: Path, cluster: Any) -> None:
        self._folder, self._cluster = folder, cluster
        self._journal, self._seeds, self._stores = folder / "journal", count(), count()
        self._model = Journaled(self._journal)
        self._plan = self._next_plan(PICTURES)
        self._right, _ = self._answers(open_engine("alone", folder), self._plan)
        self.engine = open_engine(f"ray:{cluster.address}", folder)

    def _next_plan(self, pictures: int) -> Plan:
        """Return a plan about pictures that no other plan has."""
        seen = [photograph(self._folder, next(self._seeds), size=(96, 96)) for _ in range(pictures)]
        return make_plan([query for picture in seen for query in _questions(picture)], batch_size=BATCH)

    def _answers(self, engine: Engine, plan: Plan) -> tuple[dict[str, Answer], dict[int, int]]:
        """Return all answers to a plan, by their queries, and the number of pictures that each process encoded."""
        self._journal.unlink(missing_ok=True)
        path = self._folder / f"{next(self._stores)}.sqlite"
        with ScoreStore(path, self._model.fingerprint) as store:
            load = partial(Journaled, self._journal)
            engine.run(plan, CachedScorer(Scorer(self._model, batch_size=BATCH, load=load), store))
            return store.get_many(query for chunk in plan.chunks for query in chunk.queries), self._encoded()

    def _encoded(self) -> dict[int, int]:
        found: dict[int, int] = {}
        for line in self._journal.read_text(encoding="utf-8").splitlines() if self._journal.exists() else ():
            process, pictures = map(int, line.split())
            found[process] = found.get(process, 0) + pictures
        return found

    def round(self, chance: random.Random, *, at_work: bool) -> Round:
        """Let a node join, answer the plan, and kill the node at a moment that is drawn by lot."""
        node = self._cluster.add_node(num_cpus=1, object_store_memory=MEMORY)
        if at_work:
            self._until_two_answer()
        else:
            time.sleep(chance.uniform(0, STARTING))
        with later(chance.uniform(0, SHORTEST), partial(kill, node)):
            found, encoded = self._answers(self.engine, self._plan)
        self._cluster.remove_node(node, allow_graceful=False)
        return self._judged(found, encoded)

    def _until_two_answer(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while len(self._answers(self.engine, self._next_plan(2 * BATCH))[1]) < 2:
            if time.monotonic() > deadline:
                raise SystemExit("the copy on the second node never answered")

    def _judged(self, found: dict[str, Answer], encoded: dict[int, int]) -> Round:
        pairs = [(found[key].values, answer.values) for key, answer in self._right.items() if key in found]
        return Round(
            missing=len(self._right.keys() - found.keys()),
            errors=sum(bool(answer.error) for answer in found.values()),
            apart=max((abs(a - b) for one, other in pairs for a, b in zip(one, other, strict=False)), default=0.0),
            twice=sum(encoded.values()) - PICTURES,
            at_work=len(encoded) > 1,
        )


def _questions(picture: Picture) -> Iterator[Query]:
    whole, masked = _TEXTS
    yield from (Query("itm", picture, text) for text in whole)
    yield from (Query("mlm", picture, text, ("red", "blue")) for text in masked)


@contextmanager
def later(seconds: float, work: Callable[[], object]) -> Iterator[None]:
    """Do some work beside a block, so many seconds after it began; wait for it."""
    timer = threading.Timer(seconds, work)
    timer.start()
    try:
        yield
    finally:
        timer.join()


def kills(rounds: int, seed: int) -> Iterator[Round]:
    """Kill a node in each of so many rounds, and yield what came of it."""
    chance = random.Random(seed)
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as folder, cluster_of(1) as cluster:
        place = Place(Path(folder), cluster)
        try:
            for number in range(rounds):
                yield place.round(chance, at_work=number % 2 == 0)
        finally:
            place.engine.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    said = parser.parse_args()
    found = []
    for number, one in enumerate(kills(said.rounds, said.seed)):
        found.append(one)
        print(f"{number}: {one}", file=sys.stdout if not one.held else sys.stderr, flush=True)
    faults = sum(not one.held for one in found)
    at_work, twice = sum(one.at_work for one in found), max((one.twice for one in found), default=0)
    print(
        f"{len(found)} nodes killed, {at_work} of them while their copy answered the plan; {faults} faults; at most"
        f" {twice} pictures asked twice, largest difference {max((one.apart for one in found), default=0.0):.1e}"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
