"""Draw the gallery of docs/: a small page for each planted bias, of the tests of that bias alone.

    python -m benchmarks.gallery

Each variant of the zoo is asked about IMAGES scenes a test. A page shows the ROWS worst cases of each verdict.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vlcheck.zoo import PLANTED

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "gallery"
IMAGES, ROWS = 30, 3

Line = dict[str, Any]


def small(lines: list[Line]) -> list[Line]:
    """Return a results file's lines with the worst cases of each verdict alone, and the pictures of these."""
    kept: dict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in sorted((line for line in lines if line["kind"] == "evidence"), key=_margin):
        kept[line["test"], line["metric"]].append(line)
    evidence = [line for rows in kept.values() for line in rows[:ROWS]]
    shown = {line[side] for line in evidence for side in ("image", "perturbed")} - {None}
    stays = {id(line) for line in evidence}
    smaller = [line for line in lines if id(line) in stays or line.get("key") in shown or "status" in line]
    return [lines[0] | {"lines": len(smaller) + 1}, *smaller]


def _margin(line: Line) -> float:
    """Return the margin of a case, by which the worst comes first; a case that does not count comes last."""
    margin: float | None = line["margin"]
    return float("inf") if margin is None else margin


def _variants() -> Iterator[tuple[str, list[str]]]:
    """Yield each variant of the zoo that has planted biases, with the files of their tests."""
    for variant, biases in PLANTED.items():
        if biases:
            yield variant, [f"behavior_tests/test_{bias}.py" for bias in sorted(biases)]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.jsonl"
        for variant, files in _variants():
            asked = ["--vl-model", variant, "--vl-data", f"scenes:{IMAGES}", f"--vl-results={results}"]
            subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files, *asked], cwd=ROOT)
            lines = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
            results.write_text("".join(json.dumps(line) + "\n" for line in small(lines)), encoding="utf-8")
            page = PAGES / f"{variant}.html"
            subprocess.run([sys.executable, "-m", "vlcheck", "report", results, "--to", page], check=True)
            page.write_text(page.read_text(encoding="utf-8").replace(f"{ROOT}/", ""), encoding="utf-8")


if __name__ == "__main__":
    main()
