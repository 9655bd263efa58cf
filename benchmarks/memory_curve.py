"""Measure the peak memory of whole runs of 50 to 50,000 cases, which should not depend on their number.

    python -m benchmarks.memory_curve [--cases 50 500 5000 50000]

The model costs nothing. Each case has a picture of its own, of 32 pixels, in a JSON-lines file, and one test mirrors
it: a run opens the cases, plans, renders and asks about two pictures a case, judges, and writes results and page, with
nothing kept from earlier runs. A run is a process of its own. The figures, in MB, go to benchmarks/memory_curve.json.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.cases import Cheap, Pictures
from benchmarks.suite import machine

RESULTS = Path(__file__).with_name("memory_curve.json")
SIDE = 32  # pixels of a picture
BRIGHT = 128  # level of all pixels of a bright picture, at least
DARK, LIGHT = "bus", "dog"  # the things that dark and bright pictures show
CASES = [50, 500, 5_000, 50_000]
SUITE = '''"""Does the model know a thing in a mirror?"""
from vlcheck import behavior, with_target
from vlcheck.expect import Preserved
from vlcheck.perturb import Mirror

BIAS = "position"


@behavior(cases=with_target("object"), perturb=Mirror(), expect=Preserved(), metrics=("itm",))
def test_mirror_changes_no_thing(verdict):
    """A mirrored picture shows the same thing."""
'''
# VmHWM begins anew with the program; getrusage's ru_maxrss would begin with this process's peak.
RUN = """
import re, sys
import pytest
status = pytest.main(sys.argv[1:])
print(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
"""


class Knowing(Cheap):
    """A model that knows dark pictures from bright ones, and costs nothing."""

    name = fingerprint = "knowing"

    def itm(self, encoded: Pictures, texts: Sequence[str], foils: object = None) -> np.ndarray:
        right = [(max(pixels) < BRIGHT) == (DARK in text) for pixels, text in zip(encoded, texts, strict=True)]
        return 0.9 * np.array(right) + super().itm(encoded, texts) / 20


def knowing(path: str = "", *, device: str = "cpu", dtype: str = "float32") -> Knowing:
    """Return the model that `--vl-model benchmarks/memory_curve.py:knowing` names."""
    return Knowing()


def main() -> None:
    """Run with each number of cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, nargs="+", default=CASES)
    counts = parser.parse_args().cases
    peaks = {}
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            peaks[str(count)] = peak(written(Path(folder), count), count)
        print(count, peaks[str(count)], flush=True)
    RESULTS.write_text(json.dumps({"machine": machine(), "megabytes": peaks}, indent=2) + "\n", encoding="utf-8")


def written(folder: Path, count: int) -> Path:
    """Return the folder, with a suite of one test, and the cases."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "suite").mkdir()
    (folder / "suite" / "test_mirror.py").write_text(SUITE)
    random = np.random.default_rng(0)
    with (folder / "cases.jsonl").open("w") as file:
        for number in range(count):
            thing, least = ((DARK, 0), (LIGHT, BRIGHT))[number % 2]
            few = random.integers(least, least + BRIGHT, (2, 4, 3), dtype=np.uint8)
            Image.fromarray(few).resize((SIDE, SIDE), Image.Resampling.NEAREST).save(folder / f"{number}.png")
            told = {"image": f"{number}.png", "caption": f"a {thing} on the street", "target": thing}
            file.write(json.dumps(told | {"tags": ["object"]}) + "\n")
    return folder


def peak(folder: Path, count: int) -> float:
    """Return the peak resident MB of a run."""
    model = f"--vl-model={Path(__file__).resolve()}:knowing"
    data = f"--vl-data=jsonl:{folder}/cases.jsonl:{count}"
    options = ["suite", model, data, f"--vl-results={folder}/r.jsonl", f"--vl-report={folder}/r.html"]
    command = [sys.executable, "-c", RUN, "-q", "--tb=no", "-p", "no:cacheprovider", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if f'"n": {count}, ' not in (folder / "r.jsonl").read_text():
        sys.exit(done.stdout + done.stderr)
    return int(done.stdout.split()[-1]) / 1024


if __name__ == "__main__":
    main()
