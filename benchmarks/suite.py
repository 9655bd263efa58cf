"""Time the suite on full-size ALBEF with random weights and real photographs.

    python -m benchmarks.suite COCO_ROOT

Measured in one process, in turn: the whole behavior run; the bare batched forward of the same unique pictures and
texts; and the same texts one by one, each encoded and scored as in a test of its own. Then, in processes of their own,
the peak memory with few and with many photographs, and the import of the plugin. The figures go to
benchmarks/results.json, from where `python -m benchmarks.table` writes the table of docs/explanation/speed.md.
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
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pytest
import torch
from PIL import Image

from benchmarks.albef_checkpoint import random_albef
from vlcheck.behaviors.suite import fitting
from vlcheck.behaviors.trials import Trials
from vlcheck.datasets.registry import open_source
from vlcheck.errors import NotApplicable
from vlcheck.evaluation.calibration import ahead
from vlcheck.evaluation.preview import foresee
from vlcheck.metrics.query import Query
from vlcheck.models.original.albef.adapter import Albef, load
from vlcheck.models.original.albef.config import AlbefConfig
from vlcheck.plugin.collect import collect
from vlcheck.policy.policy import METRICS
from vlcheck.policy.toml_file import load_policy
from vlcheck.scoring.plan import Plan, make_plan
from vlcheck.suite.shipped import policy_path

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).with_name("results.json")
IMAGE_GFLOP, PAIR_GFLOP = 46.0, 6.8
BATCH = 16
QUIET = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # of modules that this process has imported already
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
    parser.add_argument("--rounds", type=int, default=3, help="how often run and bare forward are timed in turn")
    parser.add_argument("--sample", type=int, help="time only so many texts one by one, drawn at random")
    parser.add_argument("--few", type=int, default=20, help="photographs a behavior for the lower memory figure")
    parser.add_argument("--many", type=int, default=109, help="and for the higher one")
    parser.add_argument("--work", type=Path, help="where the checkpoint is made, or is from the last time")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ[PATH] = str(checkpoint(chosen.work or Path(scratch), chosen.coco))
        figures = speed(chosen.coco, chosen.images, chosen.rounds, chosen.sample)
        figures["import_ms"] = import_time()
        figures["memory"] = {str(n): peak_memory(chosen.coco, n) for n in (chosen.few, chosen.many)}
        figures["machine"] = machine()
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
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
    queries = asked(data)
    pictures = rendered(queries)
    plan = make_plan((query for query in queries if query.picture.key in pictures), batch_size=BATCH)
    turns = [(timed(lambda: run(data)), timed(lambda: bare(plan, pictures))) for _ in range(rounds)]
    alone = one_by_one(plan, pictures, sample)
    t = plan.texts / plan.n_pictures
    whole = statistics.median(run_seconds for run_seconds, _ in turns)
    return {
        "images_per_behavior": images,
        "pictures": plan.n_pictures,
        "texts": plan.texts,
        "texts_per_picture": t,
        "run_seconds": [run_seconds for run_seconds, _ in turns],
        "bare_seconds": [bare_seconds for _, bare_seconds in turns],
        "run_over_bare": statistics.median(a / b for a, b in turns),
        "one_by_one_texts": len(alone),
        "one_by_one_seconds_each": statistics.mean(alone),
        "one_by_one_over_run": statistics.mean(alone) * plan.texts / whole,
        "most_by_arithmetic": (IMAGE_GFLOP + PAIR_GFLOP) / (IMAGE_GFLOP / t + PAIR_GFLOP),
    }


def asked(data: str) -> list[Query]:
    """Every query of the suite."""
    source = open_source(data)
    chosen = fitting(collect(ROOT / "behavior_tests").tests, source)
    return list(foresee(chosen, ahead(Trials(source), {}), load_policy(policy_path()), METRICS).queries)


def rendered(queries: Sequence[Query]) -> dict[str, Image.Image]:
    """The pixels of every picture that can be shown."""
    shown: dict[str, Image.Image] = {}
    refused: set[str] = set()
    for picture in (query.picture for query in queries):
        if picture.key not in shown and picture.key not in refused:
            try:
                shown[picture.key] = picture.render()
            except NotApplicable:
                refused.add(picture.key)
    return shown


def run(data: str) -> None:
    """The whole behavior run, but for the loading of the model."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = [f"--vl-model={__spec__.name}:factory", f"--vl-data={data}", f"--vl-batch-size={BATCH}"]
        results = f"--vl-results={folder}/results.jsonl"
        pytest.main(
            [str(ROOT / "behavior_tests"), *arguments, results, "-q", "--tb=no", "-p", "no:cacheprovider", *QUIET]
        )


def bare(plan: Plan, pictures: dict[str, Image.Image]) -> None:
    """The forward passes alone: each picture encoded once, each text asked once, in the same batches."""
    model = loaded()
    for chunk in plan.chunks:
        keys = [picture.key for picture in chunk.pictures]
        encoded = model.encode([pictures[key] for key in keys])
        for metric in ("mlm", "itm"):
            texts = {(query.picture.key, query.text): query.words for query in chunk.queries if query.metric == metric}
            if not texts:
                continue
            ordered = sorted(texts, key=lambda pair: len(pair[1]))
            chosen = encoded[[keys.index(key) for key, _ in ordered]]
            said = [text for _, text in ordered]
            if metric == "mlm":
                model.mlm(chosen, said, [texts[pair] for pair in ordered])
            else:
                model.itm(chosen, said)


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

    return [timed(lambda query=texts[key]: ask(query)) for key in chosen]


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
    return {"cores": os.cpu_count(), "python": platform.python_version(), "torch": torch.__version__}


def timed(job: Callable[[], object]) -> float:
    """Seconds that a job takes."""
    began = time.perf_counter()
    job()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
