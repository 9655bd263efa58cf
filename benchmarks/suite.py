"""Time the suite on full-size ALBEF with random weights and real photographs.

    python -m benchmarks.suite COCO_ROOT --sample 600

Measured in one process, in turn: the whole behavior run; the bare batched forward of the same unique pictures and
texts, each once; and the reading of the same texts in batches that are padded to any length. Then a sample of the texts
one by one, each with its picture, as in a test of its own. The loops of other evaluation code are counted on the same
tests (`benchmarks.peers`), and timed by these measurements. Then, in processes of their own, the peak memory with few
and with many photographs, and the import of the plugin. The figures go to benchmarks/results.json, from where
`python -m benchmarks.table` writes the table of docs/explanation/speed.md. It takes about 45 minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Container, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from itertools import chain, pairwise
from pathlib import Path

import pytest
import torch
from PIL import Image

from benchmarks.albef_checkpoint import random_albef
from benchmarks.peers import by_data_sets, by_pairs
from vlcheck.behaviors.suite import BehaviorTest, fitting
from vlcheck.behaviors.trials import Trials
from vlcheck.cases import CaseSource
from vlcheck.cases.picture import Picture
from vlcheck.datasets.registry import open_source
from vlcheck.errors import NotApplicable
from vlcheck.evaluation.calibration import ahead
from vlcheck.evaluation.config import EvaluationConfig
from vlcheck.evaluation.preview import Foresight, foresee
from vlcheck.evaluation.session import open_session
from vlcheck.metrics.query import Query
from vlcheck.models.original.albef.adapter import Albef, load
from vlcheck.models.original.albef.config import AlbefConfig
from vlcheck.plugin.collect import collect
from vlcheck.policy.policy import METRICS
from vlcheck.policy.toml_file import load_policy
from vlcheck.scoring.batches import ends_of_batches
from vlcheck.scoring.plan import Plan, make_plan
from vlcheck.scoring.scorer import TEXTS_PER_PICTURE
from vlcheck.suite.shipped import policy_path

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).with_name("results.json")
IMAGE_GFLOP = 46.0  # of the image encoder
KEYS_GFLOP = 3.6  # of the keys and values of a picture in the layers that fuse, once a call for all texts about it
TEXT_GFLOP = 3.2  # of a text of 12 tokens, apart from these
BATCH = 16
QUIET = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # of modules that this process has imported already
NO_CACHE = ["-p", "no:cacheprovider"]
PATH = "VLCHECK_BENCHMARK_CHECKPOINT"


@cache
def loaded() -> Albef:
    """The model, once for every part of the benchmark that runs in this process."""
    return load(os.environ[PATH])


def factory(device: str, dtype: str) -> Albef:
    """What --vl-model names, so that no run has to load the weights again."""
    return loaded()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("coco", type=Path)
    parser.add_argument("--images", type=int, default=50, help="photographs a behavior")
    parser.add_argument("--rounds", type=int, default=5, help="how often run and bare forward are timed in turn")
    parser.add_argument("--sample", type=int, help="time only so many texts one by one, drawn at random")
    parser.add_argument("--few", type=int, default=20, help="photographs a behavior for the lower memory figure")
    parser.add_argument("--many", type=int, default=109, help="and for the higher one")
    parser.add_argument("--to", type=Path, default=RESULTS, help="where the figures are written")
    parser.add_argument("--work", type=Path, help="where the checkpoint is made, or is from the last time")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ[PATH] = str(checkpoint(chosen.work or Path(scratch), chosen.coco))
        figures = speed(chosen.coco, chosen.images, chosen.rounds, chosen.sample)
        figures["import_ms"] = import_time()
        figures["memory"] = {str(n): peak_memory(chosen.coco, n) for n in (chosen.few, chosen.many)}
        figures["machine"] = machine()
    chosen.to.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=2))


def checkpoint(folder: Path, coco: Path) -> Path:
    """Write the random full-size ALBEF, with a vocabulary that holds the captions' words."""
    path = folder / "checkpoint.pth"
    if not path.exists():
        cases = open_source(f"coco:{coco}").cases
        words = [text for case in cases for text in (case.caption, case.target, *case.candidates)]
        path = random_albef(folder, AlbefConfig(), [*words, "left right"])
    return path


def speed(coco: Path, images: int, rounds: int, sample: int | None) -> dict[str, object]:
    """Time the run, the bare forward and one by one."""
    data = f"coco:{coco}:{images}"
    foresight = foreseen(data)
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "scores.sqlite"
        run(data, f"--vl-store={store}")
        steps = asked(data, store)
    pictures = rendered(chain(*steps))
    shown = pictures.keys() | others_shown(foresight.queries, pictures.keys())
    plan = plan_of(chain(*steps), pictures.keys())
    whole, floor, plain = [], [], []
    for _ in range(rounds):
        whole.append(timed(partial(run, data)))
        floor.append(bare(plan, pictures, ends_of_batches))
        plain.append(bare(plan, pictures, full_batches))
    alone = one_by_one(plan, pictures, sample)
    t, seconds = plan.texts / plan.n_pictures, statistics.median(whole)
    picture, text = (
        statistics.median(getattr(one, part) for one in floor) / count
        for part, count in (("pictures", plan.n_pictures), ("texts", plan.texts))
    )
    pairs, sets = by_pairs(foresight.prospects, shown), by_data_sets(foresight.prospects, shown)
    return {
        "images_per_behavior": images,
        "verdicts": len(foresight.prospects),
        "planned": sizes(foresight.queries, shown),
        "steps": [sizes(step, pictures.keys()) for step in steps],
        "pictures": plan.n_pictures,
        "texts": plan.texts,
        "texts_per_picture": t,
        "run_seconds": whole,
        "bare_seconds": [one.seconds for one in floor],
        "run_over_bare": statistics.median(a / b.seconds for a, b in zip(whole, floor, strict=True)),
        "unsorted_over_sorted": statistics.median(a.texts / b.texts for a, b in zip(plain, floor, strict=True)),
        "seconds_a_picture": picture,
        "seconds_a_text": text,
        "one_by_one_texts": len(alone),
        "one_by_one_seconds_each": statistics.mean(alone),
        "one_by_one_over_run": statistics.mean(alone) * plan.texts / seconds,
        "most_by_arithmetic": (IMAGE_GFLOP + KEYS_GFLOP + TEXT_GFLOP) / ((IMAGE_GFLOP + KEYS_GFLOP) / t + TEXT_GFLOP),
        "peers": {
            "one pair a forward": [pairs.pictures, pairs.texts, pairs.texts * statistics.mean(alone)],
            "batches a data set": [sets.pictures, sets.texts, sets.seconds(picture, text)],
        },
    }


def foreseen(data: str) -> Foresight:
    """Return all that the suite may ask before further photographs are drawn."""
    source = open_source(data)
    return foresee(tests_of(source), ahead(Trials(source), {}), load_policy(policy_path()), METRICS)


def tests_of(source: CaseSource) -> list[BehaviorTest]:
    return list(fitting(collect(ROOT / "behavior_tests").tests, source))


def asked(data: str, store: Path) -> list[list[Query]]:
    """Return the queries that a run has asked, step by step, and that the model could read, from the kept answers."""
    source, model = open_source(data), loaded()
    config = EvaluationConfig(store=store, images=False, batch_size=BATCH)
    trials, policy = Trials.for_model(source, model), load_policy(policy_path())
    with tempfile.TemporaryDirectory() as folder, open_session(config, model, trials, policy, Path(folder)) as session:
        rounds = session.model.rounds((test.behavior, test.metric) for test in tests_of(source))
        return [[query for query in one.queries if one.scorer.answer(query).values] for one in rounds]


def plan_of(queries: Iterable[Query], shown: Container[str]) -> Plan:
    """Return the plan of the queries about pictures that can be shown."""
    return make_plan((query for query in queries if query.picture.key in shown), batch_size=BATCH)


def sizes(queries: Iterable[Query], shown: Container[str]) -> list[int]:
    """Return the numbers of pictures and texts of some queries."""
    plan = plan_of(queries, shown)
    return [plan.n_pictures, plan.texts]


def rendered(queries: Iterable[Query]) -> dict[str, Image.Image]:
    """The pixels of every picture that can be shown."""
    unique = {query.picture.key: query.picture for query in queries}
    drawn = ((key, draw(picture)) for key, picture in unique.items())
    return {key: image for key, image in drawn if image}


def others_shown(queries: Iterable[Query], known: Container[str]) -> set[str]:
    """The keys of further pictures that can be shown."""
    unique = {query.picture.key: query.picture for query in queries if query.picture.key not in known}
    return {key for key, picture in unique.items() if draw(picture)}


def draw(picture: Picture) -> Image.Image | None:
    """The pixels of a picture; None if an edit does not apply to it."""
    with suppress(NotApplicable):
        return picture.render()
    return None


def run(data: str, *more: str) -> None:
    """The whole behavior run, but for the loading of the model."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = [f"--vl-model={__spec__.name}:factory", f"--vl-data={data}", f"--vl-batch-size={BATCH}"]
        results = f"--vl-results={folder}/results.jsonl"
        pytest.main(
            [
                str(ROOT / "behavior_tests"),
                *arguments,
                results,
                "-q",
                "--tb=no",
                "-p",
                "no:cacheprovider",
                *more,
                *QUIET,
            ]
        )


@dataclass
class Floor:
    """Seconds of the bare forward: of encoding the pictures, and of reading the texts."""

    pictures: float = 0.0
    texts: float = 0.0

    @property
    def seconds(self) -> float:
        return self.pictures + self.texts


def bare(plan: Plan, pictures: dict[str, Image.Image], cut: Callable[[Sequence[int], int], list[int]]) -> Floor:
    """Time the forward passes alone: each picture encoded once, each text read once, in the same batches."""
    model, floor = loaded(), Floor()
    for chunk in plan.chunks:
        keys = [picture.key for picture in chunk.pictures]
        began = time.perf_counter()
        encoded = model.encode([pictures[key] for key in keys])
        floor.pictures += time.perf_counter() - began
        for metric in ("mlm", "itm"):
            texts = {(query.picture.key, query.text): query.words for query in chunk.queries if query.metric == metric}
            ordered = sorted(texts, key=lambda pair: len(pair[1]))
            ends = cut([len(said) for _, said in ordered], BATCH * TEXTS_PER_PICTURE)
            for start, end in pairwise([0, *ends]):
                batch = ordered[start:end]
                chosen, said = encoded[[keys.index(key) for key, _ in batch]], [text for _, text in batch]
                began = time.perf_counter()
                if metric == "mlm":
                    model.mlm(chosen, said, [texts[pair] for pair in batch])
                else:
                    model.itm(chosen, said)
                floor.texts += time.perf_counter() - began
    return floor


def full_batches(lengths: Sequence[int], most: int) -> list[int]:
    """Cut texts into batches that are as large as may be, whatever is padded."""
    return [*range(most, len(lengths), most), len(lengths)] if lengths else []


def one_by_one(plan: Plan, pictures: dict[str, Image.Image], sample: int | None) -> list[float]:
    """Seconds for each text, or for a seeded sample of them, its picture encoded for it alone."""
    texts = {(query.metric, query.picture.key, query.text): query for chunk in plan.chunks for query in chunk.queries}
    chosen = random.Random(0).sample(sorted(texts), min(sample or len(texts), len(texts)))
    model = loaded()

    def ask(query: Query) -> None:
        encoded = model.encode([pictures[query.picture.key]])
        if query.metric == "mlm":
            model.mlm(encoded, [query.text], [query.words])
        else:
            model.itm(encoded, [query.text])

    return [timed(partial(ask, texts[key])) for key in chosen]


def peak_memory(coco: Path, images: int) -> float:
    """Peak resident memory in MB of a run in a process of its own.

    Linux's VmHWM begins anew with the program; getrusage's ru_maxrss would begin with this process's peak.
    """
    code = (
        "import re, sys, pathlib, pytest; pytest.main(sys.argv[1:]);"
        "print('peak', re.search(r'VmHWM:\\s+(\\d+) kB', pathlib.Path('/proc/self/status').read_text())[1])"
    )
    with tempfile.TemporaryDirectory() as folder:
        arguments = [f"--vl-model=albef:{os.environ[PATH]}", f"--vl-data=coco:{coco}:{images}", "-q", "--tb=no"]
        command = [sys.executable, "-c", code, str(ROOT / "behavior_tests"), *arguments]
        command += [f"--vl-results={folder}/results.jsonl", "-p", "no:cacheprovider"]
        said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    return int(said.rpartition("peak ")[2]) / 1024


def import_time() -> float:
    """Median milliseconds that `import vlcheck.plugin` adds to pytest's start, of 21 processes."""
    code = "import pytest, time; t = time.perf_counter(); import vlcheck.plugin; print(time.perf_counter() - t)"
    times = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        for _ in range(21)
    ]
    return 1000 * statistics.median(times)


def machine() -> dict[str, object]:
    """What it was measured on."""
    return {"cores": len(os.sched_getaffinity(0)), "python": platform.python_version(), "torch": torch.__version__}


def timed(job: Callable[[], object]) -> float:
    """Seconds that a job takes."""
    began = time.perf_counter()
    job()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
