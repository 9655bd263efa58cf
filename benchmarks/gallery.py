"""Draw the gallery of docs/: a small page for each planted bias, of the tests of that bias alone.

    python -m benchmarks.gallery

Each variant of the zoo is asked about IMAGES scenes a test. A page shows the worst, the median and the best
case of each verdict.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from vlcheck.report.page import draw
from vlcheck.report.page.row_budget import Room
from vlcheck.results.file import read
from vlcheck.zoo import PLANTED

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "gallery"
IMAGES, ROWS = 30, 3


def page_of(results: Path) -> str:
    """Return the page of a results file with ROWS cases of each verdict; its charts are of all cases.

    Args:
        results: the results file.
    """
    found = read(results)
    return draw(found, source=results.name, room=Room(rows=ROWS * len(found.verdicts)))


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
            page = page_of(results).replace(f"{ROOT}/", "")
            (PAGES / f"{variant}.html").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
