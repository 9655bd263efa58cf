"""Measure how evenly the workers of pytest-xdist share a run on photographs, and what each does beside the model.

    python -m benchmarks.shares COCO_ROOT [--workers 2 4] [--images 50] [--checkpoint ALBEF]

A worker's share is the time for which it asks the model: the seconds between the beginning and the end of each of its
calls, one thread each. Also counted: the pictures and texts that it asked about, and the seconds between its first and
its last call. Without a checkpoint, the embedded model is asked; it takes a minute of the processor for each number of
workers. The figures go to benchmarks/shares.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.suite import ROOT, machine
from vlcheck.models.loading.load import load_model

RESULTS = Path(__file__).with_name("shares.json")
JOURNAL, MODEL = "VLCHECK_BENCHMARK_JOURNAL", "VLCHECK_BENCHMARK_MODEL"
_TIMED = ("encode", "itm", "mlm")


class Timed:
    """A model that writes down its calls, a line each: kind, number, beginning, end, seconds of the processor."""

    def __init__(self, model: Any, journal: Path) -> None:
        self._model, self._journal = model, journal

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._model, name)
        return self._timed(name, found) if name in _TIMED else found

    def _timed(self, name: str, ask: Callable[..., Any]) -> Callable[..., Any]:
        def asked(first: Any, *more: Any) -> Any:
            began, spent = time.monotonic(), time.process_time()
            reply = ask(first, *more)
            line = [name, len(first), began, time.monotonic(), time.process_time() - spent]
            with self._journal.open("a", encoding="utf-8") as journal:
                journal.write(json.dumps(line) + "\n")
            return reply

        return asked


def factory(device: str, dtype: str) -> Timed:
    """What --vl-model names."""
    return Timed(
        load_model(os.environ[MODEL], device=device, dtype=dtype), Path(os.environ[JOURNAL]) / f"{os.getpid()}.jsonl"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("coco", type=Path)
    parser.add_argument("--workers", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--images", type=int, default=50, help="photographs a behavior")
    parser.add_argument("--checkpoint", help="an ALBEF checkpoint; the embedded model unless given")
    chosen = parser.parse_args()
    model = f"albef:{chosen.checkpoint}" if chosen.checkpoint else "tiny"
    load = os.getloadavg()[0]
    figures = {
        str(n): measured(model, chosen.coco, chosen.images, n) | {"images_per_behavior": chosen.images, "model": model}
        for n in chosen.workers
    }
    print(json.dumps(figures, indent=2))
    RESULTS.write_text(
        json.dumps({"machine": machine(), "load": load, "workers": figures}, indent=2) + "\n", encoding="utf-8"
    )


def measured(model: str, coco: Path, images: int, workers: int) -> dict[str, Any]:
    """The shares of the workers of one run, each by its number of pictures, texts and seconds."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {JOURNAL: folder, MODEL: model, "OMP_NUM_THREADS": "1"}
        said = [f"--vl-model={__spec__.name}:factory", f"--vl-data=coco:{coco}:{images}", "-n", str(workers)]
        said += [f"--vl-results={folder}/results.out", "-q", "--tb=no", "-p", "no:cacheprovider"]
        command = [sys.executable, "-m", "pytest", str(ROOT / "behavior_tests"), *said]
        began = time.monotonic()
        subprocess.run(command, check=False, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL)
        whole = time.monotonic() - began
        shares = [share(path) for path in sorted(Path(folder).glob("*.jsonl"))]
    return {"seconds": whole, "unevenness": unevenness(shares), "shares": shares}


def share(path: Path) -> dict[str, float]:
    """What one worker asked."""
    calls = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {
        "pictures": sum(n for kind, n, *_ in calls if kind == "encode"),
        "texts": sum(n for kind, n, *_ in calls if kind != "encode"),
        "seconds": sum(end - begin for *_, begin, end, _ in calls),
        "processor": sum(spent for *_, spent in calls),
        "from_first_to_last": calls[-1][3] - calls[0][2],
    }


def unevenness(shares: Sequence[dict[str, float]]) -> dict[str, float]:
    """By how much the largest share is above the smallest one, of each kind: 0.1 for a tenth."""
    return {kind: max(each) / min(each) - 1 for kind in shares[0] if (each := [one[kind] for one in shares])}


if __name__ == "__main__":
    main()
