"""Measure the audit of captions: how fast it is, what it finds on the zoo's worlds, and what on COCO's captions.

    python -m benchmarks.audit [--rows 250000 1000000]     # speed and memory, on generated captions
    python -m benchmarks.audit --proof [--seeds 20]        # the causes named on the captions of each variant's world
    python -m benchmarks.audit --pilot                     # the same on the seeds 1000 to 1003, for the limits
    python -m benchmarks.audit --coco CAPTIONS             # captions_val2017.json

Each writes its part of benchmarks/audit.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

from vlcheck.audit.audit import audit_corpus
from vlcheck.audit.checks.colors import BOUND
from vlcheck.audit.checks.flips import UNWORDED
from vlcheck.audit.checks.pictures import BLANK
from vlcheck.audit.checks.places import MIDDLE_ONLY
from vlcheck.audit.checks.sides import SKEWED
from vlcheck.audit.checks.word_sets import FREE
from vlcheck.audit.corpus import open_corpus
from vlcheck.audit.limits import BOUND_COLORS
from vlcheck.audit.records import AuditFinding, AuditReport

HERE = Path(__file__).parent
RESULTS = HERE / "audit.json"
PILOT = range(1000, 1004)
# Everything that is wrong with each variant's world, and nothing else, has to be named. `SaysRight` is also mirrored.
EXPECTED: Mapping[str, frozenset[str]] = {
    "tiny": frozenset(),
    "tiny-color": frozenset({BOUND}),
    "tiny-mirror": frozenset({UNWORDED}),
    "tiny-right": frozenset({SKEWED, UNWORDED}),
    "tiny-blind": frozenset({BLANK}),
    "tiny-bag": frozenset({FREE}),
    "tiny-center": frozenset({MIDDLE_ONLY}),
}
JUDGED = ("pictures-blank", "colors-bound", "sides-named", "sides-skewed", "flips", "order-exchanged", "order-pairs",
          "places-named", "places-middle")  # fmt: skip
_MEASURE = """
import resource, sys, time
from vlcheck.audit.audit import audit_corpus
from vlcheck.audit.corpus import open_corpus
bare = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
begun, spent = time.perf_counter(), time.process_time()
report = audit_corpus(open_corpus(sys.argv[1]), augment=["flip"])
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(report.captions, time.perf_counter() - begun, time.process_time() - spent, bare, peak)
"""


def captions(rows: int) -> Iterator[str]:
    """Captions, each another one: the digits of a number choose the words, and no two numbers are the same."""
    people = (
        "man",
        "woman",
        "boy",
        "girl",
        "lady",
        "child",
        "person",
        "skier",
        "chef",
        "tourist",
        "dog",
        "cat",
        "bear",
    )
    looks = ("", "small ", "large ", "young ", "old ", "red ", "white ", "black ", "blue ", "brown ", "green ")
    acts = (
        "holding",
        "looking at",
        "standing near",
        "sitting on",
        "walking past",
        "in front of",
        "to the left of",
        "next to",
        "under",
        "above",
        "on top of",
        "beside",
        "behind",
        "with",
        "carrying",
        "pulling",
        "watching",
    )
    things = (
        "bus",
        "car",
        "bench",
        "umbrella",
        "kite",
        "horse",
        "table",
        "plate",
        "train",
        "clock",
        "banana",
        "skateboard",
        "surfboard",
        "laptop",
        "couch",
        "hydrant",
        "zebra",
        "vase",
        "boat",
        "sink",
        "pizza",
        "truck",
        "bird",
    )
    places = (
        "in the street",
        "on the grass",
        "in a kitchen",
        "at the beach",
        "in the snow",
        "by a wall",
        "in a park",
        "on a wooden floor",
        "at night",
        "in a small room",
        "near the water",
        "during the day",
        "in the city",
    )
    wheels = (people, looks, acts, looks, things, places, things)
    total = 1
    for wheel in wheels:
        total *= len(wheel)
    for number in range(rows):
        left = number * 7_368_787 % total  # a prime that divides no wheel, so that no number occurs twice
        words = []
        for wheel in wheels:
            left, at = divmod(left, len(wheel))
            words.append(wheel[at])
        one, look, act, other, thing, place, last = words
        yield f"A {look}{one} {act} a {other}{thing} {place} with a {last}."


def write_captions(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        for number, text in enumerate(captions(rows)):
            file.write(f'{{"caption": "{text}", "image": "{number // 5:012d}.jpg"}}\n')


def speed(rows: Sequence[int]) -> dict[str, Any]:
    """Time the audit of generated captions, from a file of JSON lines, each in a process of its own."""
    runs = []
    for number in rows:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "captions.jsonl")
            write_captions(path, number)
            said = subprocess.run([sys.executable, "-c", _MEASURE, path], check=True, capture_output=True, text=True)
            captions, seconds, cpu, bare, peak = map(float, said.stdout.split())
        runs.append({"captions": int(captions), "seconds": seconds, "cpu": cpu, "bare": bare, "peak": peak})
        print(f"{captions:,.0f} captions: {seconds:.1f} s, {cpu:.1f} CPU s, {peak:.0f} MB (bare {bare:.0f} MB)")
    return {"cores": os.cpu_count(), "runs": runs}


def judged(seed: int, variant: str) -> tuple[str, int, AuditReport, float]:
    """Audit the captions of a variant's world."""
    from vlcheck.zoo.corpus import WorldCorpus, augmentations
    from vlcheck.zoo.recipe import RECIPES

    recipe, spent = RECIPES[variant], time.process_time()
    report = audit_corpus(WorldCorpus(recipe, seed), name=variant, augment=augmentations(recipe), sample=512)
    return variant, seed, report, time.process_time() - spent


def on_worlds(seeds: Sequence[int], jobs: int) -> dict[str, Any]:
    """Audit the captions of each variant's world for each seed, and count the causes that are named."""
    named: defaultdict[str, Counter[str]] = defaultdict(Counter)
    shares: defaultdict[str, defaultdict[str, list[list[float]]]] = defaultdict(lambda: defaultdict(list))
    exact: Counter[str] = Counter()
    captions, cpu = [], 0.0
    pairs = [(seed, variant) for variant in EXPECTED for seed in seeds]
    with ProcessPoolExecutor(jobs) as pool:
        for variant, seed, report, spent in pool.map(judged, *zip(*pairs, strict=True)):
            named[variant].update(report.causes)
            exact[variant] += report.causes == EXPECTED[variant]
            if report.causes != EXPECTED[variant]:
                print(f"{variant} {seed}: {sorted(report.causes)} instead of {sorted(EXPECTED[variant])}")
            for finding in report.findings:
                if finding.check in JUDGED and finding.n:
                    shares[variant][finding.check].append(_ends(finding))
            captions.append(report.captions)
            cpu += spent
    return {
        "seeds": [min(seeds), max(seeds)],
        "captions": [min(captions), max(captions)],
        "cpu": cpu,
        "variants": {
            variant: {
                "expected": sorted(EXPECTED[variant]),
                "named": dict(sorted(named[variant].items())),
                "exactly": exact[variant],
                "range": {check: _range(rows) for check, rows in shares[variant].items()},
            }
            for variant in EXPECTED
        },
    }


def _ends(finding: AuditFinding) -> list[float]:
    """The share between the ends of its interval, and by how much the lower end is above what it is compared with."""
    low, share, high = finding.low or 0.0, finding.share or 0.0, finding.high or 0.0
    compared = {"colors-bound": (finding.limit or 0.0) - BOUND_COLORS}
    if finding.check == "places-named":
        compared[finding.check] = finding.parts[1].high or 0.0
    return [low, share, high, low - compared.get(finding.check, 0.0)]


def _range(rows: Sequence[Sequence[float]]) -> dict[str, list[float]]:
    """The least and the largest of each end of the intervals, of the shares, and of what is held against a limit."""
    names = ("low", "share", "high", "excess")
    return {name: [min(column), max(column)] for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def on_coco(path: Path) -> dict[str, Any]:
    """Audit COCO's captions, with the recipe of a training that mirrors pictures."""
    report = audit_corpus(open_corpus(path), name=path.name, augment=["flip"])
    findings = [_brief(finding) for finding in report.findings if finding.n]
    return {"captions": report.captions, "pictures": report.pictures, "findings": findings}


def _brief(finding: AuditFinding) -> dict[str, Any]:
    """A finding without its examples, and with its first parts."""
    brief = msgspec.to_builtins(finding)
    return {key: value for key, value in brief.items() if key != "examples"} | {"parts": brief["parts"][:8]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[250_000, 1_000_000])
    parser.add_argument("--proof", action="store_true")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--pilot", action="store_true")
    parser.add_argument("--coco", type=Path)
    parser.add_argument("--jobs", type=int, default=1)
    asked = parser.parse_args()
    if asked.coco:
        part, figures = "coco", on_coco(asked.coco)
    elif asked.pilot:
        part, figures = "pilot", on_worlds(PILOT, asked.jobs)
    elif asked.proof:
        part, figures = "proof", on_worlds(range(asked.seeds), asked.jobs)
    else:
        part, figures = "speed", speed(asked.rows)
    kept = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    RESULTS.write_text(json.dumps(kept | {part: figures}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
