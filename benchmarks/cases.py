"""Measure what a test of a single case costs, with `--vl-cases` and 20,000 cases, beside an empty test of pytest.

    python -m benchmarks.cases [--rounds 3] [--workers 2]

Seconds of the processor, of one process, and of the workers of pytest-xdist. The answers of a model that costs nothing
are kept beforehand, so that no picture is drawn. What is alike for any number of cases, imports among it, is left out:
the figures are differences between runs of 20,000 and of 2,000 cases. They go to benchmarks/cases.json, from where
`python -m benchmarks.table` writes the table of docs/explanation/speed.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
from PIL import Image

RESULTS = Path(__file__).with_name("cases.json")
FEW, MANY = 2_000, 20_000  # cases, of which each image has one under either metric
AIM = 2.0  # milliseconds a case
SUITE = '''"""Does the model know left from right?"""
from vlcheck import behavior, with_target
from vlcheck.expect import Swaps
from vlcheck.perturb import Mirror

BIAS = "position"


@behavior(cases=with_target("side"), perturb=Mirror(), expect=Swaps(), metrics=("itm", "mlm"))
def test_mirror_swaps_sides(verdict):
    """A mirrored picture shows the other side."""
'''
EMPTY = """import pytest

@pytest.mark.parametrize("case", range({}), ids="a-case-with-a-name-{{:05d}}".format)
def test_it(case):
    pytest.xfail("a case informs")
"""


class Pictures(list[bytes]):
    """Pictures as four of their pixels; selects by index as `Encoded` has to."""

    def __getitem__(self, index: Sequence[int]) -> Pictures:
        return Pictures(list.__getitem__(self, at) for at in index)


class Cheap:
    """Answers by a hash of picture and text."""

    name = fingerprint = "cheap"
    metrics = frozenset({"mlm", "itm"})
    kinds = MappingProxyType({"mlm": "masked-lm", "itm": "match-head"})
    mask = "[MASK]"

    def encode(self, images: Sequence[Image.Image]) -> Pictures:
        return Pictures(image.resize((2, 2)).tobytes() for image in images)

    def itm(self, encoded: Pictures, texts: Sequence[str], foils: object = None) -> np.ndarray:
        return np.array([drawn(pixels, text) for pixels, text in zip(encoded, texts, strict=True)])

    def mlm(self, encoded: Pictures, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        asked = zip(encoded, texts, words, strict=True)
        return [np.array([drawn(pixels, text + word) for word in own]) / len(own) for pixels, text, own in asked]


def cheap(path: str = "", *, device: str = "cpu", dtype: str = "float32") -> Cheap:
    """Return the model that `--vl-model benchmarks/cases.py:cheap` names."""
    return Cheap()


def drawn(pixels: bytes, text: str) -> float:
    """A number in [0, 1)."""
    return int.from_bytes(hashlib.sha256(pixels + text.encode()).digest()[:4], "big") / 2**32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2, help="workers of pytest-xdist")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = written(Path(name))
        for cases in (FEW, MANY):
            run(folder, cases, vlcheck=True)  # keeps the answers
        spread = ["-n", str(chosen.workers)]
        figures = {
            "few": FEW,
            "many": MANY,
            "workers": chosen.workers,
            "alone": [each(folder, vlcheck=True) for _ in range(chosen.rounds)],
            "alone_empty": [each(folder, vlcheck=False) for _ in range(chosen.rounds)],
            "spread": [each(folder, *spread, vlcheck=True) for _ in range(chosen.rounds)],
            "spread_empty": [each(folder, *spread, vlcheck=False) for _ in range(chosen.rounds)],
        }
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    for kind in ("alone", "spread"):
        own, empty = (statistics.median(figures[f"{kind}{one}"]) for one in ("", "_empty"))
        print(f"{kind}: {own:.2f} ms a case, {empty:.2f} of it pytest's for an empty test")


def written(folder: Path) -> Path:
    """The folder, with a suite of vlcheck and files of empty tests."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "suite").mkdir()
    (folder / "suite" / "test_side.py").write_text(SUITE)
    for cases in (FEW, MANY):
        (folder / f"test_{cases}.py").write_text(EMPTY.format(cases))
    return folder


def each(folder: Path, *options: str, vlcheck: bool) -> float:
    """Milliseconds of the processor that one more case takes."""
    few, many = (run(folder, cases, *options, vlcheck=vlcheck) for cases in (FEW, MANY))
    return 1000 * (many - few) / (MANY - FEW)


def run(folder: Path, cases: int, *options: str, vlcheck: bool) -> float:
    """Seconds of the processor of a run."""
    model = f"--vl-model={Path(__file__).resolve()}:cheap"
    kept = [f"--vl-store={folder}/{cases}.sqlite", f"--vl-results={folder}/{cases}.jsonl"]
    tests = ["suite", model, f"--vl-data=scenes:{cases // 2}", "--vl-cases", "--vl-no-images", *kept]
    command = [sys.executable, "-m", "pytest", "-q", "--tb=no", "-p", "no:cacheprovider", *options]
    command += tests if vlcheck else [f"test_{cases}.py"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=folder, env=os.environ, capture_output=True, text=True, check=False)
    if "xfailed" not in done.stdout:
        sys.exit(done.stdout + done.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
