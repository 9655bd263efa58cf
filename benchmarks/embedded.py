"""Time `pytest behavior_tests/` on the embedded model, cold and with kept scores, and the power matrix.

    python -m benchmarks.embedded [--rounds 3] [--no-matrix]

Each run is a process of its own, interpreter and imports included. The figures go to benchmarks/embedded.json, from
where `python -m benchmarks.table` writes the line of docs/explanation/speed.md.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.suite import ROOT, machine, timed

RESULTS = Path(__file__).with_name("embedded.json")
IMPORT = "import vlcheck.zoo.pretrained, vlcheck.plugin.workbench"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how often it is run cold, and with kept scores")
    parser.add_argument("--no-matrix", action="store_true", help="leave the matrix out")
    chosen = parser.parse_args()
    figures: dict[str, Any] = {"cold_seconds": [], "kept_seconds": [], "import_seconds": [], "machine": machine()}
    for _ in range(chosen.rounds):
        with tempfile.TemporaryDirectory() as folder:
            figures["cold_seconds"].append(suite(Path(folder)))
            figures["kept_seconds"].append(suite(Path(folder)))
        figures["import_seconds"].append(process("-c", IMPORT))
    if not chosen.no_matrix:
        figures["matrix_seconds"] = process(
            "-m", "vlcheck.cli", "zoo", "matrix", "--jobs", str(figures["machine"]["cores"])
        )
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=2))


def suite(folder: Path) -> float:
    """Seconds of one run, with the scores that the folder holds."""
    kept = [f"--vl-store={folder}/scores.sqlite", f"--vl-results={folder}/results.jsonl"]
    return process("-m", "pytest", "behavior_tests/", "-q", "-p", "no:cacheprovider", *kept)


def process(*arguments: str) -> float:
    """Seconds that a Python process takes."""
    command = [sys.executable, *arguments]
    return timed(lambda: subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL))


if __name__ == "__main__":
    main()
