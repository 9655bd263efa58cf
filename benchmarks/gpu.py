"""Check on a GPU what processors cannot check, in at most eight minutes.

    python -m benchmarks.gpu [--device cuda] [--only CHECK ...]

Each check is a process of its own, and has a limit of seconds (LIMITS):

- parity: scores in float32 are those of the CPU to within 1e-4, of a full-size ALBEF and a CLIP with random weights;
- verified: a run with `--vl-dtype verified` has the verdicts of one in float32;
- memory: with a tenth of the memory that a batch takes, batches are halved, every question is answered, and the scores
  are those of small batches;
- workers: `-n 2` on one GPU says that it is shared, and has the verdicts of one process;
- throughput: the time of the scorer, with decoding, edits and the store, over the bare loop of the same batches.

Prints JSON: for each check whether it passed, its seconds and its figures. Ends with 0 if all passed, with 1 if not,
and with 2, in one sentence, if there is no GPU. `--device cpu` is a dry run of all checks at small sizes; in `memory`
the model itself says then that there is no room.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

from benchmarks.albef_checkpoint import random_albef
from benchmarks.suite import ROOT, machine
from tests.models.checkpoints import VISION, bert_tokenizer, save, text_sizes
from vlcheck.cases import ImageFile
from vlcheck.cases.picture import Picture
from vlcheck.metrics.query import Query
from vlcheck.models.loading.load import load_model
from vlcheck.models.original.albef.config import AlbefConfig
from vlcheck.scoring.cached import CachedScorer
from vlcheck.scoring.plan import Plan, make_plan
from vlcheck.scoring.scorer import Scorer
from vlcheck.scoring.store import ScoreStore

Figures = dict[str, Any]
LIMITS = {"parity": 90, "verified": 110, "memory": 60, "workers": 110, "throughput": 110}  # seconds; 480 in all
DRY = 5  # times these limits for a dry run
CLOSE = 1e-4  # difference of two scores in float32
OVER_BARE = 1.5  # the time of the scorer over that of the bare loop, on one GPU
SHARE = 0.1  # of the memory that a whole batch takes
TESTS, KEYWORD = ROOT / "behavior_tests" / "test_color.py", "grayscale"
TEXTS = ("a red bus on the street", "two dogs", "a cat", "a bus", "a man on a horse", "a blue car", "the sea", "a tree")
_SMALL = AlbefConfig(
    image_size=32,
    vision_width=32,
    vision_depth=2,
    vision_heads=2,
    text_width=32,
    text_depth=2,
    text_heads=2,
    intermediate_size=64,
    fusion_layer=1,
    vocab_size=400,
    max_positions=40,
    embed_dim=16,
)


class Failed(Exception):
    """A check that does not hold; the message says what was found."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--only", nargs="+", choices=[*LIMITS], default=[*LIMITS])
    parser.add_argument("--check", choices=[*LIMITS], help="in this process")
    said = parser.parse_args()
    if said.device != "cpu" and not torch.cuda.is_available():
        print("There is no GPU here that PyTorch can use: nothing was checked.", file=sys.stderr)
        return 2
    if said.check:
        print(json.dumps(CHECKS[said.check](said.device)))
        return 0
    checks = {name: apart(name, said.device) for name in said.only}
    passed = all(check["passed"] for check in checks.values())
    print(
        json.dumps({"device": named(said.device), "machine": machine(), "passed": passed, "checks": checks}, indent=2)
    )
    return 0 if passed else 1


def apart(name: str, device: str) -> Figures:
    """Run a check in a process of its own, within its limit."""
    command = [sys.executable, "-m", "benchmarks.gpu", "--check", name, "--device", device]
    began, limit = time.monotonic(), LIMITS[name] * (DRY if device == "cpu" else 1)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=ROOT, start_new_session=True) as check:
        try:
            output, errors = check.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(check.pid, signal.SIGKILL)  # its own processes, too
            return {"passed": False, "seconds": limit, "why": f"not done within {limit} s"}
    seconds = round(time.monotonic() - began, 1)
    if check.returncode:
        return {"passed": False, "seconds": seconds, "why": (errors.splitlines() or ["no message"])[-1]}
    return {"passed": True, "seconds": seconds, **json.loads(output.splitlines()[-1])}


def named(device: str) -> str:
    return device if device == "cpu" else torch.cuda.get_device_name(device)


def parity(device: str) -> Figures:
    """Compare the scores of a GPU and the CPU in float32."""
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, spec in models(Path(folder), device):
            pictures = [photograph(seed) for seed in range(8)]
            own, other = (scores(load_model(spec, device=one), pictures) for one in ("cpu", device))
            figures[name] = {metric: float(np.abs(own[metric] - other[metric]).max()) for metric in own}
    worst = max(largest for each in figures.values() for largest in each.values())
    return demanded(worst <= CLOSE, f"scores differ by {worst:.1e}, more than {CLOSE}: {figures}", {"largest": figures})


def models(folder: Path, device: str) -> Iterator[tuple[str, str]]:
    """Write checkpoints, large ones for a GPU; yield the name and the spec of each."""
    config = _SMALL if device == "cpu" else AlbefConfig()
    yield "ALBEF", f"albef:{random_albef(folder / 'albef', config, TEXTS, spread=0.05)}"
    sizes = {"image_size": 224, "patch_size": 32}
    clip = CLIPConfig(
        text_config=text_sizes(bos_token_id=2, eos_token_id=3), vision_config=VISION | sizes, projection_dim=16
    )
    yield "CLIP", str(save(folder / "clip", CLIPModel(clip), bert_tokenizer(), CLIPImageProcessor()))


def scores(model: Any, pictures: Sequence[Image.Image]) -> Mapping[str, np.ndarray]:
    """The scores of pictures with one text each, by metric."""
    encoded, texts = model.encode(pictures), [TEXTS[place % len(TEXTS)] for place in range(len(pictures))]
    found = {"itm": model.itm(encoded, texts, [[TEXTS[0], TEXTS[1]]] * len(texts))}
    if "mlm" in model.metrics:
        found["mlm"] = np.concatenate(model.mlm(encoded, ["a [MASK] here"] * len(texts), [["bus", "cat"]] * len(texts)))
    return found


def verified(device: str) -> Figures:
    """Compare the verdicts of a run in verified precision with those in float32."""
    exact, quick = run(device), run(device, "--vl-dtype=verified")
    two = device == "cpu" or quick.types == "float32 bfloat16"  # a processor may have one type alone
    why = f"verdicts differ: {exact.verdicts}, {quick.verdicts}" if two else f"it was asked in {quick.types}"
    return demanded(two and exact.verdicts == quick.verdicts, why, {"verdicts": len(exact.verdicts)})


def workers(device: str) -> Figures:
    """Compare the verdicts of two workers on one GPU with those of one process."""
    alone, two = run(device), run(device, "-n", "2")
    same, gpus = alone.verdicts == two.verdicts, torch.cuda.device_count()
    shared = device == "cpu" or gpus > 1 or "2 workers share 1 GPU" in two.output
    said = "it is not said that the workers share the GPU"
    why = said if same else f"verdicts differ: {alone.verdicts}, {two.verdicts}"
    return demanded(same and shared, why, {"verdicts": len(alone.verdicts), "gpus": gpus})


class Run(NamedTuple):
    """A run of pytest.

    Attributes:
        verdicts: how each test ends.
        types: the number types of a verified run.
        output: what it printed.
    """

    verdicts: Mapping[str, str]
    types: str
    output: str


def run(device: str, *options: str) -> Run:
    """Run tests of color on the embedded model."""
    with tempfile.TemporaryDirectory() as folder:
        results, scenes = Path(folder) / "results.jsonl", 8 if device == "cpu" else 30
        command = [
            sys.executable,
            "-m",
            "pytest",
            str(TESTS),
            "--vl-model=tiny",
            f"--vl-data=scenes:{scenes}",
            "-k",
            KEYWORD,
        ]
        command += [f"--vl-device={device}", f"--vl-results={results}", "-p", "no:cacheprovider", *options]
        done = subprocess.run([*command, *options], capture_output=True, text=True, cwd=ROOT, check=False)
        if not results.exists():
            raise Failed(" ".join((done.stderr or done.stdout).split())[-500:])
        lines = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    verdicts = {line["test"]: line["status"] for line in lines if line["kind"] == "verdict"}
    types = next((f"{line['exact']} {line['fast']}".strip() for line in lines if line["kind"] == "precision"), "")
    return Run(verdicts, types, done.stdout)


def memory(device: str) -> Figures:
    """Ask with a batch that does not fit; compare the scores with those of a batch that does."""
    with tempfile.TemporaryDirectory() as folder:
        _, spec = next(models(Path(folder), device))
        plan, model = planned(Path(folder), 64, batch=64), load_model(spec, device=device)
        small = answered(model, plan, batch=4)
        figures = refusing(model) if device == "cpu" else cramping(device, model, plan)
        cramped = answered(model, plan, batch=64)
    worst = max(abs(small[key] - cramped.get(key, np.nan)) for key in small)
    why = f"scores differ by {worst}, or answers are missing"
    return demanded(bool(worst <= CLOSE), why, {**figures, "questions": len(small)})


def cramping(device: str, model: Any, plan: Plan) -> Figures:
    """Leave a model that much of a GPU's memory; return the figures."""
    taken, least = peak_of(model, plan)
    limit = (least + SHARE * (taken - least)) / torch.cuda.get_device_properties(device).total_memory
    torch.cuda.set_per_process_memory_fraction(limit, torch.device(device).index or 0)
    return {"whole_batch_mb": taken / 1e6, "allowed_share": SHARE}


def refusing(model: Any, most: int = 8) -> Figures:
    """Let a model have no room for more than some pictures at once; return the figures."""
    encode = model.encode

    def limited(images: Sequence[Image.Image]) -> object:
        if len(images) > most:
            raise MemoryError(f"no room for {len(images)} pictures")
        return encode(images)

    model.encode = limited
    return {"room_for": most}


def peak_of(model: Any, plan: Plan) -> tuple[int, int]:
    """Return the peak bytes of a whole batch, and those of the model alone; nothing is kept for later."""
    gc.collect()
    torch.cuda.empty_cache()
    least = torch.cuda.memory_reserved()
    torch.cuda.reset_peak_memory_stats()
    answered(model, plan, batch=64)
    taken = torch.cuda.max_memory_reserved()
    gc.collect()
    torch.cuda.empty_cache()
    return taken, least


def throughput(device: str) -> Figures:
    """Time the scorer over the bare loop of the same batches, in turn."""
    number, batch, rounds = (8, 4, 1) if device == "cpu" else (256, 64, 3)
    with tempfile.TemporaryDirectory() as folder:
        _, spec = next(models(Path(folder), device))
        plan, model = planned(Path(folder), number, batch=batch), load_model(spec, device=device)
        bare(model, plan)  # the first call prepares the GPU
        jobs = [partial(answered, model, plan, batch, ahead=ahead) for ahead in (True, False)]
        turns = [[timed(job) for job in (*jobs, partial(bare, model, plan))] for _ in range(rounds)]
    ratio, beside = (float(np.median([turn[place] / turn[2] for turn in turns])) for place in (0, 1))
    fastest = min(turn[0] for turn in turns)
    figures = {"run_over_bare": ratio, "without_rendering_ahead": beside, "pictures_a_second": number / fastest}
    enough = device == "cpu" or ratio <= OVER_BARE  # at the sizes of a dry run, the ratio says nothing
    return demanded(enough, f"the run takes {ratio:.2f} of the bare loop, more than {OVER_BARE}", figures)


def planned(folder: Path, number: int, *, batch: int) -> Plan:
    """Write photographs as JPEG files, and plan the questions about them."""
    place = folder / "photographs"
    place.mkdir(exist_ok=True)
    for seed in range(number):
        photograph(seed).save(place / f"{seed}.jpg")
    pictures = [Picture(ImageFile(path)) for path in sorted(place.iterdir())]
    return make_plan([Query("itm", one, text) for one in pictures for text in TEXTS], batch_size=batch)


def photograph(seed: int) -> Image.Image:
    """A picture of the size of COCO's, another one for each seed."""
    few = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    return Image.fromarray(few).resize((640, 480), Image.Resampling.BICUBIC)


def answered(model: Any, plan: Plan, batch: int, *, ahead: bool = False) -> dict[str, float]:
    """Have a plan answered as a run does, with a new store; return the score of each question that has one."""
    with tempfile.TemporaryDirectory() as folder, ScoreStore(Path(folder) / "scores", model.fingerprint) as store:
        CachedScorer(Scorer(model, batch_size=batch), store, ahead=ahead).run(plan)
        queries = [query for chunk in plan.chunks for query in chunk.queries]
        kept = store.get_many(queries)
        return {key: float(answer.values[0]) for key, answer in kept.items() if answer.values}


def bare(model: Any, plan: Plan) -> None:
    """Decode, encode and ask in the same batches, and nothing else."""
    for chunk in plan.chunks:
        encoded = model.encode([picture.render() for picture in chunk.pictures])
        rows = {picture.key: row for row, picture in enumerate(chunk.pictures)}
        queries = sorted(chunk.queries, key=lambda query: len(query.text))
        model.itm(encoded[[rows[query.picture.key] for query in queries]], [query.text for query in queries])


def timed(job: Callable[[], object]) -> float:
    """Seconds that a job takes."""
    began = time.perf_counter()
    job()
    return time.perf_counter() - began


def demanded(holds: bool, why: str, figures: Figures) -> Figures:
    """Return the figures of a check. Raises Failed if it does not hold."""
    if not holds:
        raise Failed(why)
    return figures


CHECKS: Mapping[str, Callable[[str], Figures]] = {
    "parity": parity,
    "verified": verified,
    "memory": memory,
    "workers": workers,
    "throughput": throughput,
}


if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    sys.exit(main())
