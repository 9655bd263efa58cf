"""Write a COCO folder of any size, and measure how long it takes to open it, with how much memory.

    VLCHECK_COCO=PHOTOGRAPHS python -m benchmarks.coco [--images 118287]
    VLCHECK_COCO=PHOTOGRAPHS python -m benchmarks.coco --write FOLDER
    python -m benchmarks.coco --open coco:FOLDER:50 RUN

The first command writes a folder, opens it in a process of its own, and again in another one of the same run, which
finds what the first has read; the figures go to benchmarks/coco.json. It takes three minutes, and 2 GB of disk.

The folder has the entries of train2017: as many objects, persons and captions a photograph as there, with outlines of
as many numbers. What is said is that of real photographs, in turn, and a photograph is a link to one of them.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

RESULTS = Path(__file__).with_name("coco.json")
IMAGES = 118_287  # of train2017
OUTLINE = 46  # numbers of an outline, so that instances_train2017.json has some 470 MB
PERSONS = 2  # entries with keypoints a photograph, and one more for every second one
SPLIT = "train2017"
OF = ("train2017", "val2017")  # the splits whose photographs are repeated

Entry = dict[str, Any]


class Described(NamedTuple):
    """A real photograph with what is said of it."""

    path: Path
    listed: Entry
    captions: list[Entry]
    instances: list[Entry]
    persons: list[Entry]


def described(root: Path) -> Iterator[Described]:
    """Yield the photographs of a COCO folder that have instances."""
    for split in OF:
        tables = {kind: _table(root, kind, split) for kind in ("captions", "instances", "person_keypoints")}
        annotated = {one["id"] for one in tables["instances"]["images"]}
        said = {kind: _by_image(table["annotations"]) for kind, table in tables.items()}
        for listed in tables["captions"]["images"]:
            if (number := listed["id"]) in annotated:
                each = (said[kind].get(number, []) for kind in ("captions", "instances", "person_keypoints"))
                yield Described(root / split / listed["file_name"], listed, *each)


def _table(root: Path, kind: str, split: str) -> Any:
    return json.loads((root / "annotations" / f"{kind}_{split}.json").read_text(encoding="utf-8"))


def _by_image(annotations: list[Entry]) -> dict[int, list[Entry]]:
    found: dict[int, list[Entry]] = {}
    for one in annotations:
        found.setdefault(one["image_id"], []).append(one)
    return found


def write(root: Path, of: Path, images: int) -> None:
    """Write a folder.

    Args:
        root: the folder.
        of: a COCO folder of real photographs.
        images: how many photographs the folder gets.
    """
    rng = random.Random(0)
    sources = cycle(described(of))
    folder = root / SPLIT
    folder.mkdir(parents=True)
    (root / "annotations").mkdir()
    kinds = ("captions", "instances", "person_keypoints")
    heads = {kind: _table(of, kind, SPLIT) | {"images": [], "annotations": []} for kind in kinds}
    writers = {kind: _Writer(root / "annotations" / f"{kind}_{SPLIT}.json", heads[kind]) for kind in kinds}
    numbers = sorted(rng.sample(range(1, 600_000), images))
    order = rng.sample(numbers, images)  # COCO's own lists are in no order
    for number, source in zip(order, sources, strict=False):
        name = f"{number:012d}.jpg"
        (folder / name).symlink_to(source.path)
        for kind in kinds:
            writers[kind].images.append(source.listed | {"id": number, "file_name": name})
        writers["captions"].add(number, source.captions)
        writers["instances"].add(number, [_outlined(one, rng) for one in source.instances])
        unmarked = [one | {"num_keypoints": 0, "keypoints": [0] * 51} for one in source.instances[:PERSONS]]
        marked = [*source.persons, *unmarked][: PERSONS + number % 2]
        writers["person_keypoints"].add(number, [_outlined(one, rng) for one in marked])
    for writer in writers.values():
        writer.close()


class _Writer:
    """Writes an annotation file: its annotations one by one, and at the end its photographs."""

    def __init__(self, path: Path, head: Entry) -> None:
        self._file = path.open("w", encoding="utf-8")
        rest = {key: value for key, value in head.items() if key not in ("images", "annotations")}
        self._file.write(json.dumps(rest)[:-1] + ', "annotations": [')
        self.images: list[Entry] = []
        self._number = 0

    def add(self, image: int, annotations: list[Entry]) -> None:
        for one in annotations:
            self._file.write((", " if self._number else "") + json.dumps(one | {"image_id": image, "id": self._number}))
            self._number += 1

    def close(self) -> None:
        self._file.write('], "images": ' + json.dumps(self.images) + "}")
        self._file.close()


def _outlined(one: Entry, rng: random.Random) -> Entry:
    return {"segmentation": [[round(rng.uniform(0, 640), 2) for _ in range(OUTLINE)]]} | one


def opened(spec: str, run: Path) -> Entry:
    """Return seconds and megabytes of opening a source in this process, and how many cases it has.

    Args:
        spec: the source.
        run: the folder of a run.
    """
    from vlcheck.datasets.registry import open_source

    before, started = os.times(), time.perf_counter()
    source = open_source(spec, run=run)
    seconds, after = time.perf_counter() - started, os.times()
    return {
        "seconds": round(seconds, 2),
        "cpu": round(after.user + after.system - before.user - before.system, 2),
        "megabytes": round(peak()),
        "cases": len(source.cases),
    }


def peak() -> float:
    """Peak resident MB of this process: Linux's VmHWM, since ru_maxrss may begin with the peak of another one."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the opening of a large COCO folder.")
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="write a folder")
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--open", nargs=2, metavar=("SPEC", "RUN"), help="open a source in this process")
    chosen = parser.parse_args()
    if chosen.open:
        print(json.dumps(opened(chosen.open[0], Path(chosen.open[1]))))
    elif chosen.write:
        write(chosen.write, _photographs(), chosen.images)
    else:
        measure(chosen.images)


def _photographs() -> Path:
    return Path(os.environ["VLCHECK_COCO"]).absolute()


def measure(images: int) -> None:
    """Open a folder twice, each time in a process of its own, and keep the figures."""
    with tempfile.TemporaryDirectory() as folder:
        root, run = Path(folder) / "coco", Path(folder) / "run"
        run.mkdir()
        write(root, _photographs(), images)
        command = [sys.executable, "-m", "benchmarks.coco", "--open", f"coco:{root}:50", str(run)]
        said = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2)]
        annotations = sum(file.stat().st_size for file in (root / "annotations").iterdir()) >> 20
    first, again = map(json.loads, said)
    figures = {"images": images, "annotations": annotations, "first": first, "again": again}
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
