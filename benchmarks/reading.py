"""Time how fast a results file is read, and how much memory that takes.

    python -m benchmarks.reading [--rows 50000] [--times 5] [--beside FOLDER]

A file of some 50 MB is made. It is read, and then all of its evidence, each time in a process of its own. `--beside`
names another checkout of vlcheck, which takes turns with this one.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parents[1]
ROWS_A_VERDICT = 1000
WORDS = ("bus", "car")
_READ = """
import sys, time
from pathlib import Path
from vlcheck.results.file import read
def peak():  # unlike resource.getrusage, without what the parent had
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024
bare = peak()
start = time.perf_counter()
results = read(Path(sys.argv[1]))
whole = time.perf_counter()
for key in results.verdicts:
    results.rows(key)
print(whole - start, time.perf_counter() - whole, peak() - bare)
"""


def made(rows: int) -> Iterator[dict[str, object]]:
    """Yield the lines of a results file with so many rows of evidence."""
    run = {"schema": 1, "name": "a model", "fingerprint": "f", "data": "scenes", "started": "2026-01-01T00:00:00"}
    yield {"kind": "run", **run}
    for first in range(0, rows, ROWS_A_VERDICT):
        test = f"behavior_tests/test_color.py::test_{first}[mlm]"
        yield from (_row(test, number) for number in range(first, min(first + ROWS_A_VERDICT, rows)))
        named = {"test": test, "bias": "color", "behavior": f"test_{first}", "metric": "mlm"}
        figures = {"n": ROWS_A_VERDICT, "rate": 0.5, "rate_low": 0.4, "rate_high": 0.6, "p": 0.001}
        yield {"kind": "verdict", **named, "score_kind": "masked-lm", "status": "fail", "claim": "rate"} | {
            "reason": "half of them violate",
            **figures,
        }


def _row(test: str, number: int) -> dict[str, object]:
    scores = {word: 1 / (place + number + 2) for place, word in enumerate(WORDS)}
    top = [[word, score] for word, score in scores.items()][:5]
    return {
        "kind": "evidence",
        "test": test,
        "metric": "mlm",
        "case": f"coco:{number:012}:bus",
        "perturbation": "grayscale v1",
        "image": f"{number:032x}",
        "perturbed": f"{number + 1:032x}",
        "texts": ["a red [MASK] in the rain"] * 2,
        "targets": ["bus", "bus"],
        "wanted": ["bus is true", "bus is still true"],
        "before": 0.9,
        "after": 0.7,
        "levels": [0.9, 0.7],
        "margin": (number % 200 - 100) / 1000,
        "values": None,
        "effect": -0.2,
        "reason": "",
        "violated": "the score of bus falls by 0.2; 0.1 is allowed (within)",
        "scores": [scores, scores],
        "top_before": top,
        "top_after": top,
        "boxes": [[10.5, 20.25, 40.0, 30.0]],
        "perturbed_boxes": [[10.5, 20.25, 40.0, 30.0]],
    }


def measured(checkout: Path, path: Path) -> tuple[float, float, float]:
    """Return seconds until the file is read, seconds for all rows after that, and the MiB that both took."""
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    done = subprocess.run(
        [sys.executable, "-c", _READ, str(path)],
        cwd=checkout,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    read, rows, memory = map(float, done.stdout.split())
    return read, rows, memory


def main() -> None:
    """Read the file in turns, and say the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--beside", type=Path, help="another checkout of vlcheck")
    chosen = parser.parse_args()
    checkouts = [checkout.resolve() for checkout in (chosen.beside, HERE) if checkout]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.jsonl"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(line)}\n" for line in made(chosen.rows))
        print(f"{chosen.rows} rows, {path.stat().st_size / 1e6:.1f} MB")
        rounds = [[measured(checkout, path) for checkout in checkouts] for _ in range(chosen.times)]
    for checkout, figures in zip(checkouts, zip(*rounds, strict=True), strict=True):
        read, rows, memory = (statistics.median(column) for column in zip(*figures, strict=True))
        print(f"{checkout.name}: read in {read:.2f} s, its rows in {rows:.2f} s, {memory:.0f} MiB")


if __name__ == "__main__":
    main()
