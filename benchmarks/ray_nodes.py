"""Time the engine of Ray on nodes of one core: two against one, against two local processes, and against map_batches.

    python -m benchmarks.ray_nodes COCO_ROOT

Full-size ALBEF with random weights answers the same plan in turn: on one node of a real cluster on this machine, on two
nodes, by two processes of the local engine (as -n 2), and by Ray Data's `map_batches` on two nodes. Copies of the model
are loaded by a small plan before, and the time is that of the next plan; map_batches makes its actors anew for each
plan, so that its time has their start and the load of the model in it. The figures go to benchmarks/ray_nodes.json. On
two quiet cores it takes about eight minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace

from benchmarks.suite import asked, checkpoint, machine
from vlcheck.models.original.albef.adapter import load
from vlcheck.scoring.cached import CachedScorer
from vlcheck.scoring.engines.engine import Engine
from vlcheck.scoring.engines.registry import open_engine
from vlcheck.scoring.plan import Plan, make_plan
from vlcheck.scoring.scorer import Scorer
from vlcheck.scoring.store import ScoreStore

RESULTS = Path(__file__).with_name("ray_nodes.json")
BATCH, WARM = 4, 2  # pictures of a chunk; chunks of the small plan
PATIENCE = 600.0
MEMORY = 200_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("coco", type=Path)
    parser.add_argument("--pictures", type=int, default=48, help="pictures of the timed plan")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--map-batches", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "RAY_worker_niceness": "0", "RAY_USAGE_STATS_ENABLED": "0"}
    if chosen.worker:
        work(chosen.worker, chosen)
    elif chosen.map_batches:
        map_batches(chosen.map_batches, chosen)
    else:
        measure(chosen)


def measure(chosen: argparse.Namespace) -> None:
    """Time each way in turn, and write the figures."""
    with tempfile.TemporaryDirectory() as scratch, cluster_of(1) as one, cluster_of(2) as two:
        os.environ["VLCHECK_BENCHMARK_CHECKPOINT"] = str(checkpoint(Path(scratch), chosen.coco))
        ways: dict[str, Callable[[], dict[str, float]]] = {
            "one node": partial(on_cluster, one.address, chosen),
            "two nodes": partial(on_cluster, two.address, chosen),
            "two processes": partial(in_processes, chosen),
            "map_batches": partial(by_map_batches, two.address, chosen),
        }
        rounds = [{name: way() for name, way in ways.items()} for _ in range(chosen.rounds)]
    warm, plan = plans(chosen)
    del warm
    figures = {
        "pictures": plan.n_pictures,
        "texts": plan.texts,
        "chunks": len(plan.chunks),
        "seconds": {name: [one[name]["seconds"] for one in rounds] for name in ways},
        "two_over_one": ratio(rounds, "two nodes", "one node"),
        "two_over_local": ratio(rounds, "two nodes", "two processes"),
        "map_batches_over_two": ratio(rounds, "map_batches", "two nodes"),
        "run_cpu_ms_a_chunk": 1e3 * statistics.median(one["two nodes"]["cpu"] for one in rounds) / len(plan.chunks),
        "load": os.getloadavg()[0],
        "machine": machine(),
    }
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=2))


def ratio(rounds: list[dict[str, dict[str, float]]], one: str, other: str) -> float:
    return statistics.median(found[one]["seconds"] / found[other]["seconds"] for found in rounds)


@contextmanager
def cluster_of(nodes: int) -> Iterator[SimpleNamespace]:
    """Start a cluster whose nodes have a core each."""
    from ray.cluster_utils import Cluster

    options = {"num_cpus": 1, "object_store_memory": MEMORY}
    cluster = Cluster(initialize_head=True, head_node_args={**options, "include_dashboard": False})
    try:
        for _ in range(1, nodes):
            cluster.add_node(**options)
        yield cluster
    finally:
        cluster.shutdown()


def plans(chosen: argparse.Namespace) -> tuple[Plan, Plan]:
    """A small plan, by which models are loaded, and the one that is timed; they have no picture in common."""
    whole = make_plan(asked(f"coco:{chosen.coco}:8"), batch_size=BATCH)
    chunks = whole.chunks[: WARM + chosen.pictures // BATCH]
    return Plan(chunks[:WARM]), Plan(chunks[WARM:])


@contextmanager
def scorer_of(folder: Path) -> Iterator[CachedScorer]:
    """A scorer of the model, with an empty store."""
    again = partial(load, os.environ["VLCHECK_BENCHMARK_CHECKPOINT"])
    model = again()
    with ScoreStore(folder / "scores.sqlite", model.fingerprint, run="benchmark") as store:
        yield CachedScorer(Scorer(model, batch_size=BATCH, load=again), store)


def timed(engine: Engine, plan: Plan, scorer: CachedScorer) -> dict[str, float]:
    began, cpu = time.perf_counter(), time.process_time()
    engine.run(plan, scorer)
    return {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}


def on_cluster(address: str, chosen: argparse.Namespace) -> dict[str, float]:
    warm, plan = plans(chosen)
    with tempfile.TemporaryDirectory() as folder, scorer_of(Path(folder)) as scorer:
        engine = open_engine(f"ray:{address}", Path(folder))
        try:
            engine.run(warm, scorer)
            return timed(engine, plan, scorer)
        finally:
            engine.close()


def in_processes(chosen: argparse.Namespace) -> dict[str, float]:
    """The time from the signal to begin until both processes have nothing left."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        workers = [process(chosen, "--worker", name) for _ in range(2)]
        wait_for(lambda: len([*folder.glob("*.ready")]) == len(workers))
        began = time.perf_counter()
        (folder / "go").touch()
        if any(worker.wait() for worker in workers):
            raise SystemExit("a worker failed")
        return {"seconds": time.perf_counter() - began}


def work(folder: Path, chosen: argparse.Namespace) -> None:
    """Be one of the two processes."""
    warm, plan = plans(chosen)
    with scorer_of(folder) as scorer:
        engine = open_engine("local", folder / "leases", processes=2)
        engine.run(warm, scorer)
        (folder / f"{os.getpid()}.ready").touch()
        wait_for((folder / "go").exists)
        engine.run(plan, scorer)


def by_map_batches(address: str, chosen: argparse.Namespace) -> dict[str, float]:
    run = process(chosen, "--map-batches", address, output=subprocess.PIPE)
    said, _ = run.communicate()
    return {"seconds": float(said.split()[-1])}


def map_batches(address: str, chosen: argparse.Namespace) -> None:
    """Print the seconds in which Ray Data answers the plan, its actors started and loaded."""
    import ray
    import ray.data

    from vlcheck.scoring.engines.ray.pictures import pickled
    from vlcheck.scoring.engines.ray.talk import orders_of

    _, plan = plans(chosen)
    ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    ray.data.DataContext.get_current().enable_progress_bars = False
    with tempfile.TemporaryDirectory() as folder, scorer_of(Path(folder)) as scorer:
        orders = orders_of(scorer)
        chunks = [{"chunk": pickled(chunk)} for chunk in plan.chunks]
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

    def __call__(self, batch: dict) -> dict:
        return {"answers": [self._copy.score(0, bytes(chunk)) for chunk in batch["chunk"]]}


def process(chosen: argparse.Namespace, *options: str, output: int | None = None) -> subprocess.Popen[str]:
    own = [sys.executable, "-m", "benchmarks.ray_nodes", str(chosen.coco), f"--pictures={chosen.pictures}"]
    return subprocess.Popen([*own, *options], stdout=output, text=True)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("waited in vain")
        time.sleep(0.02)


if __name__ == "__main__":
    main()
