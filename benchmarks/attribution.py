"""Time each attribution method against one forward pass, and see by how much it misses the sum that it promises.

    python -m benchmarks.attribution [--full]

Pairs of drawn scenes and their captions, on the embedded model; with --full also on a full-size ALBEF with random
weights, some ten minutes. Forward and method are timed in turn on the same batch. The figures go to
benchmarks/attribution.json; `python -m benchmarks.table` writes the tables of docs/explanation/attribution.md and of
docs/howto/explain.md.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import torch

from benchmarks.albef_checkpoint import random_albef
from benchmarks.suite import machine, timed
from vlcheck.cases import Case
from vlcheck.datasets.registry import open_source
from vlcheck.errors import NotApplicable
from vlcheck.explain.attribution.attribute import attribute
from vlcheck.explain.attribution.objective import objective
from vlcheck.explain.attribution.registry import SHIPPED
from vlcheck.models.differentiable import Differentiable, PairInputs, differentiable
from vlcheck.models.loading.load import load_model
from vlcheck.models.original.albef.config import AlbefConfig

RESULTS = Path(__file__).with_name("attribution.json")
CHECKED = 50  # scenes of which the sums are checked
PAIRS = {"`tiny`": 16, "full-size ALBEF": 1}  # pairs in a batch
SLOW = ("ig-black", "ig-blurred")  # they cost as much as ig


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="a full-size ALBEF, too")
    parser.add_argument("--rounds", type=int, default=3, help="how often both are timed in turn")
    chosen = parser.parse_args()
    cases = [*open_source(f"scenes:{CHECKED}").cases]
    tiny = differentiable(load_model("tiny"))
    kept = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {"seconds": {}}
    small, large = PAIRS
    seconds = {name: kept["seconds"][name] for name in PAIRS if name in kept["seconds"]}
    seconds |= {small: measured(tiny, cases[: PAIRS[small]], chosen.rounds)}
    if chosen.full:
        seconds |= {large: measured(full_size(cases), cases[: PAIRS[large]], chosen.rounds, SLOW)}
    figures = {"machine": machine(), "pairs": PAIRS, "seconds": seconds, "errors": errors(tiny, cases[:CHECKED])}
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def full_size(cases: list[Case]) -> Differentiable:
    """A full-size ALBEF with random weights."""
    with tempfile.TemporaryDirectory() as folder:
        path = random_albef(Path(folder), AlbefConfig(), [case.caption for case in cases])
        return differentiable(load_model(f"albef:{path}"))


def measured(
    model: Differentiable, cases: list[Case], rounds: int, without: Collection[str] = ()
) -> Mapping[str, list[list[float]]]:
    """Seconds of a forward pass and of each method that applies, of each round."""
    inputs = model.inputs([case.image.open() for case in cases], [case.caption for case in cases])
    found: dict[str, list[list[float]]] = {}
    for name in [name for name in SHIPPED if name not in without]:
        explain = explaining(model, name, inputs)
        try:
            explain()  # the first call of a method is slower
        except NotApplicable as reason:
            print(f"{model.name}, {name}: {reason}", flush=True)
            continue
        found[name] = [[timed(lambda: forward(model, inputs)), timed(explain)] for _ in range(rounds)]
        print(f"{model.name}, {name}: {found[name]}", flush=True)
    return found


@torch.inference_mode()
def forward(model: Differentiable, inputs: PairInputs) -> None:
    objective(model, inputs)


def explaining(model: Differentiable, name: str, inputs: PairInputs) -> Callable[[], object]:
    """Return a function that explains a batch by a method."""
    return lambda: SHIPPED[name].maps(model, inputs)


def errors(model: Differentiable, cases: list[Case]) -> Mapping[str, list[float]]:
    """The relative errors of the sums, of each method that promises one, for the match logit.

    The log-probability of a word that is sure with or without the picture hardly changes along a path: an error that is
    relative to the change says nothing there.
    """
    images, found = [case.image.open() for case in cases], {}
    for name, method in SHIPPED.items():
        try:
            maps = attribute(model, method, images, [case.caption for case in cases])
        except NotApplicable:
            continue
        if maps[0].error is not None:
            found[name] = [one.error for one in maps]
    return found


if __name__ == "__main__":
    main()
