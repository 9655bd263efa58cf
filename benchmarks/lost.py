"""Kill workers at random moments, and count what is asked twice: at most the batch that a worker was killed in.

    python -m benchmarks.lost [--kills 50] [--seed 0]

Two processes share a plan of small pictures, as the workers of pytest-xdist do. One of them is killed by SIGKILL at a
random moment, and another one takes its place. The model is a small one that writes down what it is asked; it waits a
little in each call, so that most kills hit it there. Ends with 1 if a kill costs more pictures than a chunk has, or
more texts than a batch, or if an answer is missing in the end. 50 kills take a minute.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.context import ForkProcess
from pathlib import Path

import numpy as np
from PIL import Image

from tests.scoring.counting import CountingModel, Features, photograph, questions
from vlcheck.cases.case import ImageFile
from vlcheck.cases.picture import Picture
from vlcheck.scoring.cached import CachedScorer
from vlcheck.scoring.engines.local import work_together
from vlcheck.scoring.plan import Plan, make_plan
from vlcheck.scoring.scorer import TEXTS_PER_PICTURE, Scorer
from vlcheck.scoring.store import ScoreStore

PICTURES, BATCH, WORKERS = 24, 4, 2
PATIENCE = 60.0  # seconds that a run may take
WAIT = 0.004  # seconds for each picture and text
_FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Lost:
    """The work that a kill made necessary again, and the answers that it lost.

    Attributes:
        pictures: pictures that were encoded twice.
        texts: texts that were asked twice.
        missing: queries without an answer.
    """

    pictures: int
    texts: int
    missing: int

    @property
    def held(self) -> bool:
        """True if nothing is missing, and no more was lost than what was in flight."""
        return not self.missing and self.pictures <= BATCH and self.texts <= BATCH * TEXTS_PER_PICTURE


class Waiting(CountingModel):
    """Takes its time in each call, between the question and the answer."""

    def encode(self, images: Sequence[Image.Image]) -> Features:
        encoded = super().encode(images)
        time.sleep(WAIT * len(images))
        return encoded

    def itm(self, encoded: Features, texts: Sequence[str], foils: Sequence[Sequence[str]] | None = None) -> np.ndarray:
        scores = super().itm(encoded, texts, foils)
        time.sleep(WAIT * len(texts))
        return scores


class Place:
    """A folder with pictures, a store and the journal of a model."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.journal = folder, folder / "journal.txt"
        for seed in range(PICTURES):
            photograph(folder, seed)
        self.plan = self._plan()

    def _plan(self) -> Plan:
        pictures = [Picture(ImageFile(path)) for path in self.folder.glob("*.png")]
        return make_plan([query for picture in pictures for query in questions(picture)], batch_size=BATCH)

    def store(self) -> ScoreStore:
        return ScoreStore(self.folder / "scores.db", Waiting.fingerprint, run="this run")

    def start(self) -> ForkProcess:
        worker = _FORK.Process(target=self._work)
        worker.start()
        return worker

    def _work(self) -> None:
        with self.store() as store:
            scorer = CachedScorer(Scorer(Waiting(self.journal), batch_size=BATCH), store)
            work_together(self.plan, scorer, self.folder / "leases", processes=WORKERS)

    def run(self, chance: random.Random) -> None:
        """Score the plan, and kill a worker at a moment that is drawn by lot."""
        workers = [self.start() for _ in range(WORKERS)]
        self._wait_for(chance.randint(0, PICTURES))
        time.sleep(chance.uniform(0, 3 * WAIT * BATCH))
        chance.choice(workers).kill()
        workers.append(self.start())
        for worker in workers:
            worker.join(PATIENCE)

    def _wait_for(self, pictures: int) -> None:
        """Wait until so many pictures were encoded, or all are done."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and CountingModel(self.journal).asked("encode").total() < pictures:
            time.sleep(WAIT)

    def lost(self) -> Lost:
        model = CountingModel(self.journal)
        with self.store() as store:
            missing = store.missing(query.key for chunk in self.plan.chunks for query in chunk.queries)
        texts = _again(model.asked("itm")) + _again(model.asked("mlm"))
        return Lost(_again(model.asked("encode")), texts, len(missing))


def _again(asked: Counter[str]) -> int:
    return sum(times - 1 for times in asked.values())


def kills(number: int, seed: int) -> list[Lost]:
    """Kill a worker in each of so many runs, and say what each kill has cost."""
    chance, found = random.Random(seed), []
    for _ in range(number):
        with tempfile.TemporaryDirectory() as folder:
            place = Place(Path(folder))
            place.run(chance)
            found.append(place.lost())
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    said = parser.parse_args()
    found = kills(said.kills, said.seed)
    for number, lost in enumerate(found):
        if not lost.held:
            print(f"{number}: {lost}")
    costly = sum(lost.pictures > 0 or lost.texts > 0 for lost in found)
    print(
        f"{len(found)} kills: {costly} hit a batch; at most {max(lost.pictures for lost in found)} of"
        f" {BATCH} pictures and {max(lost.texts for lost in found)} of {BATCH * TEXTS_PER_PICTURE} texts asked twice;"
        f" {sum(lost.held for lost in found)} held"
    )
    return 0 if all(lost.held for lost in found) else 1


if __name__ == "__main__":
    sys.exit(main())
