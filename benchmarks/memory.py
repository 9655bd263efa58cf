"""Measure the peak memory of scoring large photographs, which the size that a model reads should decide, not theirs.

    python -m benchmarks.memory

Sets of photographs are drawn, and asked about in one batch, each by each model in a process of its own: six PNGs of 99
megapixels, 64 JPEGs of 12, and one PNG of 99 with the edits of EDITS. One model has CLIP's preprocessing before a small
network of random weights; the other is one of your own, that keeps a number of each picture. The figures, in MB of the
loaded model alone and of the run, go to benchmarks/memory.json.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import torch
from PIL import Image
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

from benchmarks.suite import machine
from tests.models.checkpoints import VISION, bert_tokenizer, save, text_sizes
from vlcheck.cases import Box, Case, ImageFile
from vlcheck.cases.view import View
from vlcheck.metrics.query import Query
from vlcheck.models.adapters.features import Features
from vlcheck.models.loading.load import load_model
from vlcheck.models.protocol import VisionLanguageModel
from vlcheck.perturb import (
    Block,
    Blur,
    Brightness,
    Crop,
    Grayscale,
    Jpeg,
    LuminanceNoise,
    Mirror,
    Perturbation,
    RotateHue,
)
from vlcheck.scoring.cached import CachedScorer
from vlcheck.scoring.scorer import Scorer
from vlcheck.scoring.store import ScoreStore

RESULTS = Path(__file__).with_name("memory.json")
BATCH = 64
TEXT = "a red bus on the street"
OWN, CLIP = "one of your own", "CLIP"
EDITS = (
    *(Block(fill="mean"), Block(where="region"), Mirror(), Grayscale(), RotateHue(), LuminanceNoise(Grayscale())),
    *(Jpeg(), Blur(), Brightness(0.8), Crop()),
)


class Photographs(NamedTuple):
    """How many there are, of which size in pixels, in which format, asked by which models, and with which edits."""

    number: int
    size: tuple[int, int]
    ending: str
    models: Sequence[str]
    edits: Sequence[Perturbation] = ()


SETS = {
    "six PNGs of 99 megapixels": Photographs(6, (11_000, 9_000), "png", (OWN, CLIP)),
    "64 JPEGs of 12": Photographs(64, (4_000, 3_000), "jpg", (OWN, CLIP)),
    "one PNG of 99 and ten edits of it": Photographs(1, (11_000, 9_000), "png", (OWN,), EDITS),
}


class Mean:
    """A model of one's own: the mean level of a picture is all that it sees."""

    name, fingerprint, mask = "mean", "mean", "[MASK]"
    metrics, kinds = frozenset({"itm"}), {"itm": "match-head"}

    def encode(self, images: Sequence[Image.Image]) -> Features:
        return Features.of(torch.tensor([np.asarray(image.resize((64, 64))).mean() / 255 for image in images]))

    def itm(self, encoded: Features, texts: Sequence[str], foils: object = None) -> np.ndarray:
        (levels,) = encoded.each(range(len(texts)))
        return levels.numpy()


def clip(folder: Path) -> str:
    config = CLIPConfig(
        text_config=text_sizes(bos_token_id=2, eos_token_id=3),
        vision_config=VISION | {"image_size": 224, "patch_size": 32},
        projection_dim=16,
    )
    return str(save(folder, CLIPModel(config), bert_tokenizer(), CLIPImageProcessor()))


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the peak memory of scoring large photographs.")
    parser.add_argument("--measure", nargs=3, metavar=("MODEL", "SET", "FOLDER"), help="in this process")
    chosen = parser.parse_args()
    if chosen.measure:
        print(json.dumps(list(measured(*chosen.measure))))
        return
    figures: dict[str, dict[str, list[float]]] = {}
    for name, kind in SETS.items():
        with tempfile.TemporaryDirectory() as folder:
            for number in range(kind.number):
                draw(number, kind.size).save(Path(folder) / f"{number}.{kind.ending}", compress_level=1)
            figures[name] = {model: apart(model, name, folder) for model in kind.models}
        print(name, figures[name], flush=True)
    RESULTS.write_text(json.dumps({"machine": machine(), "megabytes": figures}, indent=2) + "\n", encoding="utf-8")


def draw(number: int, size: tuple[int, int]) -> Image.Image:
    """A colorful picture, another one for each number."""
    few = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(few).resize(size, Image.Resampling.NEAREST)


def apart(model: str, name: str, folder: str) -> list[float]:
    """Peak MB of the loaded model and after the run, in a process of their own."""
    command = [sys.executable, "-m", "benchmarks.memory", "--measure", model, name, folder]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [float(one) for one in json.loads(said.splitlines()[-1])]


def measured(model: str, name: str, photographs: str) -> Iterator[float]:
    """Peak MB of the loaded model, and after all is asked."""
    with tempfile.TemporaryDirectory() as folder:
        loaded = load_model(clip(Path(folder) / "model")) if model == CLIP else cast(VisionLanguageModel, Mean())
        yield peak()
        with ScoreStore(Path(folder) / "scores", loaded.fingerprint) as store:
            answers = CachedScorer(Scorer(loaded, batch_size=BATCH), store).answers(
                questions(Path(photographs), SETS[name].edits)
            )
        if unanswered := [answer for answer in answers.values() if not answer.values]:
            sys.exit(f"not answered: {unanswered}")
        yield peak()


def questions(folder: Path, edits: Sequence[Perturbation]) -> Iterator[Query]:
    """One text about each photograph, whole and after each edit."""
    for path in sorted(folder.iterdir()):
        image = ImageFile(path)
        region = (Box(0, 0, image.size[0] // 2, image.size[1]),)
        whole = View.of(Case(id=path.stem, image=image, caption=TEXT, target="bus", region=region))
        for view in (whole, *(edit(whole, ()) for edit in edits)):
            yield Query("itm", view.picture, view.text, (TEXT.replace("bus", "dog"),))


def peak() -> float:
    """Peak resident MB of this process: Linux's VmHWM, since ru_maxrss may begin with the peak of another one."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main()
