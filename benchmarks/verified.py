"""Hold verified runs (`--vl-dtype verified`) against runs in float32: verdicts, queries asked twice, time.

    python -m benchmarks.verified zoo [--images 60] [--seeds 5]
    python -m benchmarks.verified full COCO_ROOT [--networks ALBEF CLIP] [--images 16] [--rounds 3]

`zoo` judges every variant of the embedded model on several seeds in both ways, each without a store. `full` does so
with two full-size networks of random weights, an ALBEF and a CLIP, on photographs, and times both ways in turn, from
loaded models to verdicts. The figures go to benchmarks/verified.json, from where `python -m benchmarks.table` writes
the tables of docs/explanation/precision.md.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path

import vlcheck
from benchmarks.suite import checkpoint, machine, timed
from vlcheck.models.loading.load import load_model
from vlcheck.models.loading.two_types import EXACT, VERIFIED
from vlcheck.models.protocol import VisionLanguageModel
from vlcheck.zoo import PLANTED

RESULTS = Path(__file__).with_name("verified.json")
SPEC = "VLCHECK_BENCHMARK_MODEL"
NETWORKS = ("ALBEF", "CLIP")


@dataclass
class Compared:
    """Verified runs of a model against runs in float32.

    Attributes:
        model: the model.
        images: images a behavior.
        runs: number of pairs of runs.
        verdicts: number of verdicts in each way.
        differing: the tests whose status, violations or counted cases differ, with both.
        queries: number of queries of all verified runs.
        both: number of those that were asked in both types.
        exact_alone: number of those that were asked in float32 alone.
        log_odds: largest difference of both types in log-odds that a run saw.
        exact_seconds: time of each run in float32.
        verified_seconds: time of each verified run.
    """

    model: str
    images: int
    runs: int = 0
    verdicts: int = 0
    differing: list[str] = field(default_factory=list)
    queries: int = 0
    both: int = 0
    exact_alone: int = 0
    log_odds: float = 0.0
    exact_seconds: list[float] = field(default_factory=list)
    verified_seconds: list[float] = field(default_factory=list)

    @property
    def twice(self) -> float:
        """The share of queries that were asked in both types."""
        return self.both / self.queries

    @property
    def ratio(self) -> float:
        """The median over pairs of the verified run's time over the other one's."""
        pairs = zip(self.verified_seconds, self.exact_seconds, strict=True)
        return statistics.median(verified / exact for verified, exact in pairs)

    def add(self, spec: str, data: str) -> None:
        """Judge the model in both ways, in turn."""
        found: dict[str, vlcheck.Results] = {}
        for dtype in (VERIFIED, EXACT) if self.runs % 2 else (EXACT, VERIFIED):
            seconds = timed(lambda dtype=dtype: found.update({dtype: judged(spec, data, dtype)}))
            (self.verified_seconds if dtype == VERIFIED else self.exact_seconds).append(seconds)
        right, seen = (dict(counted(found[dtype])) for dtype in (EXACT, VERIFIED))
        self.runs += 1
        self.verdicts += len(right)
        self.differing += [
            f"{spec} on {data}, {test}: {right.get(test)} and {seen.get(test)}"
            for test in sorted(right.keys() | seen.keys())
            if right.get(test) != seen.get(test)
        ]
        (said,) = found[VERIFIED].lines.precisions.values()
        self.queries += said.queries
        self.both += said.both
        self.exact_alone += said.exact_alone
        self.log_odds = max(self.log_odds, *(one.log_odds for one in said.differences))


def judged(spec: str, data: str, dtype: str) -> vlcheck.Results:
    """Judge a model by the whole suite, without a store."""
    return vlcheck.evaluate(spec, data, dtype=dtype, images=False, progress=False)


def counted(results: vlcheck.Results) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Yield what a run counts of each verdict."""
    for one in results.verdicts:
        yield one.test, (one.status, one.n, one.violations, one.not_applicable)


@cache
def loaded(spec: str, dtype: str) -> VisionLanguageModel:
    """A model in a type, loaded once."""
    return load_model(spec, dtype=dtype)


def factory(device: str, dtype: str) -> VisionLanguageModel:
    """What the timed runs load, so that no run has to read the weights again."""
    return loaded(os.environ[SPEC], dtype)


def of_the_zoo(images: int, seeds: int, variant: str) -> Compared:
    """Judge a variant of the embedded model on several seeds."""
    compared = Compared(variant, images)
    for seed in range(seeds):
        compared.add(variant, f"scenes:{images}:{seed}")
    print(variant, compared.twice, compared.differing, flush=True)
    return compared


def of_full_size(network: str, coco: Path, images: int, rounds: int, work: Path) -> Compared:
    """Judge, and time, a full-size network with random weights on photographs."""
    spec = str(random_clip(work / "clip")) if network == "CLIP" else f"albef:{checkpoint(work, coco)}"
    os.environ[SPEC] = spec
    for dtype in (EXACT, "bfloat16"):
        loaded(spec, dtype)
    compared = Compared(f"full-size {network}, random weights", images)
    for _ in range(rounds):
        compared.add(f"{__spec__.name}:factory", f"coco:{coco}:{images}")
        print(network, compared.ratio, compared.twice, compared.differing, flush=True)
    return compared


def random_clip(folder: Path) -> Path:
    """Write a CLIP of ViT-B/32 with random weights and a small vocabulary."""
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

    from tests.models.checkpoints import bert_tokenizer, vocabulary

    if not folder.exists():
        text = {"vocab_size": len(vocabulary()), "bos_token_id": 2, "eos_token_id": 3}
        for part in (CLIPModel(CLIPConfig(text_config=text)), bert_tokenizer(), CLIPImageProcessor()):
            part.save_pretrained(folder)
    return folder


def keep(part: str, found: Compared) -> None:
    """Write figures of a model in the place of its old ones, beside those of other models."""
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    by_model = {one["model"]: one for one in (*kept.get(part, ()), asdict(found))}
    kept |= {part: list(by_model.values()), "machine": machine()}
    RESULTS.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(dest="part", required=True)
    zoo = parts.add_parser("zoo")
    zoo.add_argument("--images", type=int, default=60, help="scenes a behavior")
    zoo.add_argument("--seeds", type=int, default=5)
    zoo.add_argument("--variants", nargs="+", default=list(PLANTED))
    full = parts.add_parser("full")
    full.add_argument("coco", type=Path)
    full.add_argument("--images", type=int, default=16, help="photographs a behavior")
    full.add_argument("--networks", nargs="+", choices=NETWORKS, default=NETWORKS)
    full.add_argument("--rounds", type=int, default=3)
    full.add_argument("--work", type=Path, help="where the checkpoints are made, or are from the last time")
    chosen = parser.parse_args()
    if chosen.part == "zoo":
        for variant in chosen.variants:
            keep("zoo", of_the_zoo(chosen.images, chosen.seeds, variant))
        return
    with tempfile.TemporaryDirectory() as scratch:
        work = chosen.work or Path(scratch)
        for network in chosen.networks:
            keep("full", of_full_size(network, chosen.coco, chosen.images, chosen.rounds, work))


if __name__ == "__main__":
    main()
