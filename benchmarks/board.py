"""Time how fast a board of many runs is drawn, and say how large it is.

    python -m benchmarks.board RESULTS [--runs 50] [--models 10]

Real results are copied as those of many runs, of several models on dates a day apart, with some verdicts turned.
Each copy has all of the evidence. `vlcheck board` is started as a user starts it, TIMES times.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

TIMES = 5
START = datetime(2026, 1, 5, 6, tzinfo=UTC)
_TURNED = {"fail": "pass", "pass": "fail", "invalid": "fail", "inconclusive": "pass", "not asked": "pass"}


def vary(results: Path, folder: Path, *, runs: int, models: int) -> list[Path]:
    """Write the results of many runs: those of one run under other names, fingerprints and dates, some verdicts turned.

    Args:
        results: real results.
        folder: where the files are written.
        runs: the number of files.
        models: the number of models that they are of.
    """
    lines = results.read_text(encoding="utf-8").splitlines(keepends=True)
    paths = []
    for number in range(runs):
        path = folder / f"run-{number:02}.jsonl"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(_varied(lines, f"model-{number % models:02}", number, random.Random(number)))
        paths.append(path)
    return paths


def _varied(lines: list[str], model: str, number: int, chosen: random.Random) -> Iterator[str]:
    for line in lines:
        if not line.startswith(('{"kind": "run"', '{"kind": "verdict"')):
            yield line
            continue
        record: dict[str, Any] = json.loads(line)
        if record["kind"] == "run":
            record |= {"name": model, "model": model, "fingerprint": f"{number:064x}", "run_id": f"run-{number}"}
            record["started"] = (START + timedelta(days=number)).isoformat()
        elif chosen.random() < 0.1:
            record["status"] = _TURNED[record["status"]]
        yield f"{json.dumps(record)}\n"


def processor() -> float:
    """Seconds of a processor that ended child processes have taken."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Copy, draw, and say what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="results of a run with many rows, e.g. of tiny-mirror")
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--models", type=int, default=10)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = vary(asked.results, Path(folder), runs=asked.runs, models=asked.models)
        board, seconds, before = Path(folder) / "board.html", [], processor()
        command = [sys.executable, "-m", "vlcheck", "board", *map(str, paths), "--to", str(board)]
        for _ in range(TIMES):
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            seconds.append(time.perf_counter() - start)
        used = (processor() - before) / TIMES
        read, drawn = (sum(path.stat().st_size for path in files) / 1e6 for files in (paths, [board]))
    print(f"{asked.runs} runs of {asked.models} models, {read:.0f} MB of results: a board of {drawn:.2f} MB")
    print(f"median {statistics.median(seconds):.2f} s, {min(seconds):.2f} to {max(seconds):.2f} s, n = {TIMES}")
    print(f"{used:.2f} s of a processor each")


if __name__ == "__main__":
    main()
