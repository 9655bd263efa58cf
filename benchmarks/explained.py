"""Measure what `--vl-explain gradcam:K` adds to a run of full-size ALBEF with random weights on photographs.

    python -m benchmarks.explained [COCO_ROOT]

Each run has a process of its own, with one thread. The first asks everything and keeps the scores; those that follow
take them and explain K cases, so that K = 0 is the cost of such a run without a map. Measured are the CPU seconds and
the peak memory of the processes. If fewer photographs than 50 are asked about, the seconds of a run on 50 follow by
counting the pictures and texts of both. The figures go to benchmarks/explained.json, from where `python -m
benchmarks.table` writes them into docs/explanation/speed.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch

from benchmarks.memory import peak
from benchmarks.suite import IMAGE_GFLOP, PAIR_GFLOP, ROOT, checkpoint, machine
from vlcheck import evaluate
from vlcheck.behaviors.suite import asked, fitting
from vlcheck.behaviors.trials import Trials
from vlcheck.datasets.registry import open_source
from vlcheck.evaluation.calibration import ahead
from vlcheck.evaluation.preview import foresee
from vlcheck.metrics.registry import OF_PICTURES
from vlcheck.plugin.collect import collect
from vlcheck.policy.toml_file import load_policy
from vlcheck.scoring.plan import make_plan
from vlcheck.suite.shipped import policy_path

RESULTS = Path(__file__).with_name("explained.json")
METHOD, CASES = "gradcam", (0, 20, 5, 60)
AIM = 50  # photographs a behavior


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("coco", type=Path, nargs="?", default=os.environ.get("VLCHECK_COCO"))
    parser.add_argument("--images", type=int, default=AIM, help="photographs a behavior")
    parser.add_argument("--child", nargs=3, metavar=("CHECKPOINT", "STORE", "K"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    data = f"coco:{chosen.coco}:{chosen.images}"
    if chosen.child:
        print(json.dumps(spent(data, *chosen.child)))
        return
    with tempfile.TemporaryDirectory() as folder:
        for figures in measured(Path(folder), chosen.coco, chosen.images):
            RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(RESULTS.read_text("utf-8"))


def measured(folder: Path, coco: Path, images: int) -> Iterator[Mapping[str, object]]:
    """Yield the figures so far after each run."""
    path, store = checkpoint(folder, coco), folder / "scores.sqlite"
    kept: dict[str, Mapping[str, float]] = {}
    work = {str(n): work_of(f"coco:{coco}:{n}") for n in dict.fromkeys([images, AIM])}
    figures = {"method": METHOD, "images": images, "machine": machine(), "work": work, "kept": kept}
    figures["whole"] = child(coco, images, path, store, 0)
    for count in CASES:
        kept[str(count)] = child(coco, images, path, store, count)
        yield figures


def child(coco: Path, images: int, path: Path, store: Path, count: int) -> Mapping[str, float]:
    """Return the seconds and the peak memory of a process that runs the suite and explains some cases."""
    said = ["--images", str(images), "--child", str(path), str(store), str(count)]
    command = [sys.executable, "-m", "benchmarks.explained", str(coco), *said]
    found = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    print(count, found, flush=True)
    figures: Mapping[str, float] = json.loads(found.splitlines()[-1])
    return figures


def spent(data: str, path: str, store: str, count: str) -> dict[str, float]:
    """The CPU seconds and the peak memory of this process, in MB, after a run."""
    torch.set_num_threads(1)
    explain = f"{METHOD}:{count}" if int(count) else None
    found = evaluate(
        f"albef:{path}",
        data,
        suite=ROOT / "behavior_tests",
        explain=explain,
        store=store,
        images=False,
        progress=False,
    )
    views = len(found.lines.explanations)
    return {"seconds": time.process_time(), "peak": peak(), "views": views}


def work_of(data: str) -> float:
    """The operations of a run's forward passes, in GFLOP."""
    source = open_source(data)
    tests = fitting(asked(collect(ROOT / "behavior_tests").tests), source)
    trials = ahead(Trials(source), {})
    plan = make_plan(foresee(tests, trials, load_policy(policy_path()), OF_PICTURES).queries)
    return IMAGE_GFLOP * plan.n_pictures + PAIR_GFLOP * plan.texts


if __name__ == "__main__":
    main()
