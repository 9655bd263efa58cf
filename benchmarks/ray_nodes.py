"""Time the engine of Ray on nodes of one core: two against one, against two local processes, and against map_batches.

    python -m benchmarks.ray_nodes COCO_ROOT [--work FOLDER]

A small ALBEF with random weights answers the same plan in turn: on one node of a real cluster on this machine, on two
nodes, by two processes of the local engine (as -n 2), and by Ray Data's `map_batches` on two nodes. Copies of the model
are loaded by a small plan before, and the time is that of the next plan; map_batches makes its actors anew for each
plan, so that its time has their start and the load of the model in it. Where nodes share a core, two of them cannot be
faster than one. Therefore a model that only waits, as a process waits for its GPU, is asked on one and on two nodes,
too. A stopped measurement goes on where it was if its folder is named. The figures go to benchmarks/ray_nodes.json. It
takes five minutes of one core.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.albef_checkpoint import random_albef
from benchmarks.suite import foreseen, machine
from tests.scoring.counting import CountingModel, Features
from tests.scoring.ray.clusters import cluster_of
from vlcheck.models.original.albef.adapter import load
from vlcheck.models.original.albef.config import AlbefConfig
from vlcheck.scoring.cached import CachedScorer
from vlcheck.scoring.engines.engine import Engine
from vlcheck.scoring.engines.registry import open_engine
from vlcheck.scoring.plan import Plan, make_plan
from vlcheck.scoring.scorer import Scorer
from vlcheck.scoring.store import ScoreStore

RESULTS = Path(__file__).with_name("ray_nodes.json")
SMALL = AlbefConfig(
    vision_width=384,
    vision_depth=6,
    vision_heads=6,
    text_width=384,
    text_depth=6,
    text_heads=6,
    intermediate_size=1536,
    fusion_layer=3,
)
BATCH, WARM = 4, 4  # pictures of a chunk; chunks of the small plan, two for each copy
WAIT = 0.5  # seconds for each chunk of the model that only waits
PATIENCE = 600.0
Timing = dict[str, float]  # seconds of the clock, and of this process's core
Round = dict[str, Timing]  # of each way


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("coco", type=Path)
    parser.add_argument("--pictures", type=int, default=48, help="pictures of the timed plan")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", type=Path, help="where the checkpoint, the plan and the rounds are kept")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--map-batches", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "RAY_worker_niceness": "0", "RAY_USAGE_STATS_ENABLED": "0"}
    if chosen.worker:
        work(Work(chosen.work), chosen.worker)
    elif chosen.map_batches:
        map_batches(Work(chosen.work), chosen.map_batches)
    else:
        with tempfile.TemporaryDirectory() as scratch:
            measure(Work.prepared(chosen.work or Path(scratch), chosen.coco, chosen.pictures), chosen.rounds)


class Work:
    """A folder with a checkpoint, two plans that have no picture in common, and the rounds that were timed.

    Attributes:
        folder: the folder.
        warm: a small plan, by which models are loaded.
        plan: the plan that is timed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.warm, self.plan = pickle.loads((folder / "plans").read_bytes())

    @classmethod
    def prepared(cls, folder: Path, coco: Path, pictures: int) -> Work:
        """Write what is missing in the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        data = f"coco:{coco}:8"
        if not (folder / "plans").exists():
            chunks = make_plan(foreseen(data).queries, batch_size=BATCH).chunks[: WARM + pictures // BATCH]
            words = [query.text for chunk in chunks for query in chunk.queries]
            words += [word for chunk in chunks for query in chunk.queries for word in query.words]
            random_albef(folder, SMALL, words)
            (folder / "plans").write_bytes(pickle.dumps((Plan(chunks[:WARM]), Plan(chunks[WARM:]))))
        return cls(folder)

    def model(self) -> Any:
        return load(str(self.folder / "checkpoint.pth"))

    def rounds(self) -> list[Round]:
        """The rounds that were timed, of which the last one may lack ways."""
        path = self.folder / "rounds.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []

    def keep(self, rounds: list[Round]) -> None:
        (self.folder / "rounds.json").write_text(json.dumps(rounds), encoding="utf-8")


class Waiting(CountingModel):
    """A model that takes the same time for each chunk, and no core in it."""

    def encode(self, images: Sequence[Image.Image]) -> Features:
        time.sleep(WAIT)
        return super().encode(images)


def measure(work: Work, rounds: int) -> None:
    """Time each way in turn, and write the figures."""
    with ExitStack() as held:
        one, two = (OnCluster(nodes, work, held) for nodes in (1, 2))
        ways: dict[str, Callable[[], Timing]] = {
            "one node": partial(one.timed, work.model),
            "two nodes": partial(two.timed, work.model),
            "two processes": partial(in_processes, work),
            "one node, waiting": partial(one.timed, one.waiting),
            "two nodes, waiting": partial(two.timed, two.waiting),
            "map_batches": two.timed_map_batches,  # the last one, since it ends the copies
        }
        found = list(timed_rounds(ways, work, rounds))
    figures = {
        "pictures": work.plan.n_pictures,
        "texts": work.plan.texts,
        "chunks": len(work.plan.chunks),
        "seconds": {name: [one[name]["seconds"] for one in found] for name in ways},
        "two_over_one": ratio(found, "two nodes", "one node"),
        "two_over_local": ratio(found, "two nodes", "two processes"),
        "map_batches_over_two": ratio(found, "map_batches", "two nodes"),
        "two_over_one_waiting": ratio(found, "two nodes, waiting", "one node, waiting"),
        "run_cpu_ms_a_chunk": 1e3 * statistics.median(one["two nodes"]["cpu"] for one in found) / len(work.plan.chunks),
        "usable_cores": len(os.sched_getaffinity(0)),
        "load": os.getloadavg()[0],
        "machine": machine(),
    }
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=2))


def timed_rounds(ways: dict[str, Callable[[], Timing]], work: Work, rounds: int) -> Iterator[Round]:
    """Time what was not timed before, and keep each figure at once."""
    found = work.rounds()
    found += [{} for _ in range(rounds - len(found))]
    for one in found[:rounds]:
        for name in [name for name in ways if name not in one]:
            one[name] = ways[name]()
            work.keep(found)
            print(name, one[name], file=sys.stderr, flush=True)
        yield one


def ratio(rounds: list[Round], one: str, other: str) -> float:
    return statistics.median(found[one]["seconds"] / found[other]["seconds"] for found in rounds)


class OnCluster:
    """An engine of a cluster, whose copies stay from round to round."""

    def __init__(self, nodes: int, work: Work, held: ExitStack) -> None:
        self._nodes, self._work = nodes, work
        self._address = held.enter_context(cluster_of(nodes)).address
        folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
        self._engine = open_engine(f"ray:{self._address}", folder)
        self._ready = False
        held.callback(self._engine.close)
        self._journal = folder / "journal"
        self.waiting = partial(Waiting, self._journal)

    def _all_ready(self) -> None:
        """Ask until each node has a copy that answers."""
        self._journal.unlink(missing_ok=True)
        while not (self._ready or (self._journal.exists() and len(self.waiting().workers()) == self._nodes)):
            with scorer_of(self.waiting) as scorer:
                self._engine.run(self._work.warm, scorer)
        self._ready = True

    def timed(self, make: Callable[[], Any]) -> Timing:
        self._all_ready()
        with scorer_of(make) as scorer:
            self._engine.run(self._work.warm, scorer)
            return timed(self._engine, self._work.plan, scorer)

    def timed_map_batches(self) -> Timing:
        self._engine.close()  # its copies have the cores; the next run starts others
        self._ready = False
        run = process(self._work, "--map-batches", self._address, output=subprocess.PIPE)
        said, _ = run.communicate()
        return {"seconds": float(said.split()[-1])}


@contextmanager
def scorer_of(make: Callable[[], Any], store: Path | None = None) -> Iterator[CachedScorer]:
    """A scorer of a model, with an empty store unless one is named."""
    model = make()
    with tempfile.TemporaryDirectory() as folder:
        path = store or Path(folder) / "scores.sqlite"
        with ScoreStore(path, model.fingerprint, run="benchmark") as opened:
            yield CachedScorer(Scorer(model, batch_size=BATCH, load=make), opened)


def timed(engine: Engine, plan: Plan, scorer: CachedScorer) -> Timing:
    began, cpu = time.perf_counter(), time.process_time()
    engine.run(plan, scorer)
    found = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}
    if missing := scorer.missing(chain.from_iterable(chunk.queries for chunk in plan.chunks)):
        raise SystemExit(f"{len(missing)} questions have no answer")
    return found


def in_processes(work: Work) -> Timing:
    """The time from the signal to begin until both processes have nothing left."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        workers = [process(work, "--worker", name) for _ in range(2)]
        wait_for(lambda: len([*folder.glob("*.ready")]) == len(workers))
        began = time.perf_counter()
        (folder / "go").touch()
        if any(worker.wait() for worker in workers):
            raise SystemExit("a worker failed")
        return {"seconds": time.perf_counter() - began}


def work(work: Work, folder: Path) -> None:
    """Be one of the two processes."""
    with scorer_of(work.model, folder / "scores.sqlite") as scorer:
        engine = open_engine("local", folder / "leases", processes=2)
        engine.run(work.warm, scorer)
        (folder / f"{os.getpid()}.ready").touch()
        wait_for((folder / "go").exists)
        engine.run(work.plan, scorer)


def map_batches(work: Work, address: str) -> None:
    """Print the seconds in which Ray Data answers the plan, its actors started and loaded."""
    import ray
    import ray.data

    from vlcheck.scoring.engines.ray.pictures import pickled
    from vlcheck.scoring.engines.ray.talk import orders_of

    ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    ray.data.DataContext.get_current().enable_progress_bars = False
    with scorer_of(work.model) as scorer:
        orders = orders_of(scorer)
        chunks = [{"chunk": pickled(chunk)} for chunk in work.plan.chunks]
        began = time.perf_counter()
        answers = ray.data.from_items(chunks, override_num_blocks=len(chunks)).map_batches(
            Asked, fn_constructor_args=(orders,), batch_size=1, compute=ray.data.ActorPoolStrategy(size=2), num_cpus=1
        )
        found = sum(1 for _ in answers.iter_rows())
        print("seconds", time.perf_counter() - began)
    if found != len(chunks):
        raise SystemExit(f"{found} answers to {len(chunks)} chunks")


class Asked:
    """A copy of the model, as map_batches calls it."""

    def __init__(self, orders: bytes) -> None:
        from vlcheck.scoring.engines.ray.copy_of_model import CopyOfModel

        self._copy = CopyOfModel(1)
        if fault := self._copy.load(0, orders):
            raise RuntimeError(fault)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        return {"answers": [self._copy.score(0, bytes(chunk)) for chunk in batch["chunk"]]}


def process(work: Work, *options: str, output: int | None = None) -> subprocess.Popen[str]:
    own = [sys.executable, "-m", "benchmarks.ray_nodes", os.devnull, f"--work={work.folder}"]
    return subprocess.Popen([*own, *options], stdout=output, text=True)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("waited in vain")
        time.sleep(0.02)


if __name__ == "__main__":
    main()
