"""Measure what it brings to render the pictures of the next chunk beside the model.

    python -m benchmarks.prefetch COCO_ROOT [--rounds 5]

Photographs and two edits of each are asked about, by two models that take as long for a batch as its pictures take to
be rendered: one leaves the processor idle meanwhile, as a model on a GPU does; the other one computes on all cores. The
figure is the time with rendering ahead over the time without, in pairs in turn. It takes two minutes. The figures go to
benchmarks/prefetch.json.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.suite import machine, timed
from vlcheck.cases.picture import Picture
from vlcheck.datasets.registry import open_source
from vlcheck.metrics.query import Query
from vlcheck.models.adapters.features import Features
from vlcheck.perturb import Grayscale, Mirror
from vlcheck.scoring.cached import CachedScorer
from vlcheck.scoring.plan import Plan, make_plan
from vlcheck.scoring.scorer import Scorer
from vlcheck.scoring.store import ScoreStore

RESULTS = Path(__file__).with_name("prefetch.json")
BATCH, PHOTOGRAPHS = 16, 60
_SIDE = 512  # of the matrices that are multiplied


class Idle:
    """A model that waits for some seconds a picture, and needs no processor meanwhile."""

    name, mask, metrics, kinds = "idle", "[MASK]", frozenset({"itm"}), {"itm": "match-head"}

    def __init__(self, seconds: float) -> None:
        self.fingerprint, self.seconds = f"{self.name} {seconds}", seconds

    def encode(self, images: Sequence[Image.Image]) -> Features:
        self.compute(self.seconds * len(images))
        return Features.of(torch.zeros(len(images)))

    def itm(self, encoded: Features, texts: Sequence[str], foils: object = None) -> np.ndarray:
        return np.full(len(texts), 0.5)

    def compute(self, seconds: float) -> None:
        time.sleep(seconds)


class Busy(Idle):
    """A model that computes as much as the processor does in some seconds, on all cores, if nothing else runs."""

    name = "busy"

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.factors = torch.rand(_SIDE, _SIDE)
        self.each = timed(lambda: [self.factors @ self.factors for _ in range(50)]) / 50

    def compute(self, seconds: float) -> None:
        for _ in range(round(seconds / self.each)):
            self.factors @ self.factors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("coco", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    said = parser.parse_args()
    torch.set_num_threads(os.cpu_count() or 1)
    plan = planned(said.coco)
    seconds = timed(lambda: run(plan, Idle(0.0), ahead=False)) / plan.n_pictures  # of rendering and keeping a picture
    figures: dict[str, Any] = {"seconds_a_picture": seconds, "pictures": plan.n_pictures}
    for model in (Idle(seconds), Busy(seconds)):
        pairs = [[timed(partial(run, plan, model, ahead=ahead)) for ahead in (True, False)] for _ in range(said.rounds)]
        figures[model.name] = {"ratio": statistics.median(a / b for a, b in pairs), "seconds": pairs}
    RESULTS.write_text(json.dumps({"machine": machine(), **figures}, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=2))


def planned(coco: Path) -> Plan:
    """Plan one text about each photograph, and about its edits."""
    images = list({case.image.key: case.image for case in open_source(f"coco:{coco}").cases}.values())[:PHOTOGRAPHS]
    pictures = [Picture(image, edits) for image in images for edits in ((), (Grayscale(),), (Mirror(),))]
    return make_plan([Query("itm", picture, "a photo") for picture in pictures], batch_size=BATCH)


def run(plan: Plan, model: Idle, *, ahead: bool) -> None:
    """Answer a plan with a new store."""
    with tempfile.TemporaryDirectory() as folder, ScoreStore(Path(folder) / "scores", model.fingerprint) as store:
        CachedScorer(Scorer(model, batch_size=BATCH), store, ahead=ahead).run(plan)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
