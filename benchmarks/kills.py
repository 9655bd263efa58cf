"""Kill runs of the embedded model at random moments, and check that nothing is lost and nothing is left.

    python -m benchmarks.kills [--kills 50] [--seed 0] [--images 30]

Each kill is of a run of its own: of the main process or of a worker, by SIGKILL, SIGTERM, SIGHUP or SIGINT. Then the
same command runs again on the same store and results. Ends with 1 where one of these does not hold:

- exit 0 comes only with all verdicts of an undisturbed run;
- older results are whole: as they were, or replaced by all verdicts;
- three seconds after the main process nothing of the run is alive;
- the next run ends as an undisturbed one, with the same verdicts, and no temporary folder is left after it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vlcheck._util.temporary import PREFIX

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "behavior_tests" / "test_color.py"
SIGNALS = tuple(getattr(signal, name) for name in ("SIGKILL", "SIGTERM", "SIGHUP", "SIGINT"))
PATIENCE = 600.0  # seconds that a run may take
ORPHANS = 3.0  # seconds after which nothing of a killed run is alive
Verdicts = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Kill:
    """What is killed, and when.

    Attributes:
        at: share of the seconds that an undisturbed run takes.
        warm: whether the store holds all scores already.
    """

    number: signal.Signals
    of_worker: bool
    workers: int
    at: float
    warm: bool

    @property
    def said(self) -> str:
        return f"{self.number.name} of {'a worker' if self.of_worker else 'the main process'}"


@dataclass(frozen=True)
class Undisturbed:
    """An undisturbed run: its exit status, verdicts and seconds, by the number of workers."""

    status: int
    verdicts: Verdicts
    seconds: dict[int, float]


class Place:
    """A folder with a suite of one file, to run pytest in."""

    def __init__(self, folder: Path, images: int) -> None:
        self.folder, self._images = folder, images
        self.store, self.results = folder / "scores.sqlite", folder / "results.jsonl"
        self.temporary = folder / "tmp"
        for made in (folder / "behavior_tests", self.temporary):
            made.mkdir()
        shutil.copy(TESTS, folder / "behavior_tests")

    def start(self, workers: int) -> subprocess.Popen[bytes]:
        options = ["-n", str(workers)] if workers else []
        said = ["--vl-model=tiny", f"--vl-data=scenes:{self._images}", f"--vl-store={self.store}"]
        said += [f"--vl-results={self.results}", "-p", "no:cacheprovider", *options, "behavior_tests"]
        environment = os.environ | {"TMPDIR": str(self.temporary), "PYTHONPATH": str(ROOT)}
        with (self.folder / "output.txt").open("wb") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "pytest", *said],
                cwd=self.folder,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def run(self, workers: int) -> tuple[int, float]:
        """Run undisturbed; return exit status and seconds."""
        began = time.monotonic()
        return self.start(workers).wait(PATIENCE), time.monotonic() - began

    def verdicts(self) -> Verdicts:
        """The verdicts in the results file."""
        lines = (json.loads(line) for line in self.results.read_text(encoding="utf-8").splitlines())
        return {line["test"]: line for line in lines if line["kind"] == "verdict"}

    def scored(self, *, warm: bool, kept: Path) -> None:
        """Begin with a store that holds all scores, or none, and with older results."""
        for path in self.folder.glob("scores.sqlite*"):
            path.unlink()
        if warm:
            shutil.copy(kept / self.store.name, self.store)
        shutil.copy(kept / self.results.name, self.results)

    def left(self) -> list[Path]:
        return [*self.temporary.glob(f"{PREFIX}*")]


def kill(place: Place, kill: Kill, sound: Undisturbed) -> Iterator[str]:
    """Kill a run, run it again, and yield what does not hold."""
    run = place.start(kill.workers)
    moment = time.monotonic() + kill.at * sound.seconds[kill.workers]
    while time.monotonic() < moment and run.poll() is None:
        time.sleep(0.02)
    target = _a_worker(run.pid) if kill.of_worker else run.pid
    if target and run.poll() is None:
        os.kill(target, kill.number)
    try:
        status = run.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, signal.SIGKILL)
        yield f"does not end within {PATIENCE:.0f} s"
        return
    if not _is_gone(run.pid):
        os.killpg(run.pid, signal.SIGKILL)
        yield f"leaves a process that lives {ORPHANS:.0f} s later"
    if place.verdicts() != sound.verdicts:
        yield f"ends with {status}, and leaves {len(place.verdicts())} of {len(sound.verdicts)} verdicts"
    if status == 0 and place.verdicts() != sound.verdicts:
        yield "ends with 0 all the same"
    status, _ = place.run(kill.workers)
    if (status, place.verdicts()) != (sound.status, sound.verdicts):
        yield f"the next run ends with {status}, or other verdicts"
    if left := place.left():
        yield f"the next run leaves {', '.join(path.name for path in left)}"


def drawn(kills: int, seed: int) -> Iterator[Kill]:
    """The kills: all pairs of signal and target in turn, at random moments."""
    chance = random.Random(seed)
    for i in range(kills):
        number, of_worker = SIGNALS[i % len(SIGNALS)], i // len(SIGNALS) % 2 == 1
        workers = 2 if of_worker else chance.choice((0, 2))
        yield Kill(number, of_worker, workers, chance.uniform(0.0, 1.05), chance.random() < 0.5)


def _a_worker(main: int) -> int | None:
    """A child of a process; None where it has none now."""
    command = ["ps", "-A", "-o", "pid=,ppid="]  # of POSIX, wherever it is
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    pairs = (map(int, line.split()) for line in listed.splitlines())
    return next((pid for pid, parent in pairs if parent == main), None)


def _is_gone(group: int) -> bool:
    """Whether all processes of a group are gone within the time that orphans have."""
    deadline = time.monotonic() + ORPHANS
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def undisturbed(place: Place, kept: Path) -> Undisturbed:
    """Run with and without workers; keep the store and the results."""
    seconds = {}
    for workers in (0, 2):
        for path in place.folder.glob("scores.sqlite*"):
            path.unlink()
        status, seconds[workers] = place.run(workers)
    for path in (place.store, place.results):
        shutil.copy(path, kept)
    return Undisturbed(status, place.verdicts(), seconds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--images", type=int, default=30)
    said = parser.parse_args()
    # What this process ignores, as one that a shell started in the background does, its children would, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    done: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as kept:
        place = Place(Path(folder), said.images)
        sound = undisturbed(place, Path(kept))
        print(f"undisturbed: exit {sound.status}, {len(sound.verdicts)} verdicts, {sound.seconds}", flush=True)
        for i, one in enumerate(drawn(said.kills, said.seed)):
            place.scored(warm=one.warm, kept=Path(kept))
            done[one.said] += 1
            wrong = [*kill(place, one, sound)]
            failed[one.said] += bool(wrong)
            for line in wrong:
                print(f"{i}: {one}: {line}", flush=True)
    print(f"{'killed':32}  kills  held")
    for name, count in done.items():
        print(f"{name:32}  {count:5}  {count - failed[name]:4}")
    print(f"{'all':32}  {done.total():5}  {done.total() - failed.total():4}")
    return 1 if failed.total() else 0


if __name__ == "__main__":
    sys.exit(main())
