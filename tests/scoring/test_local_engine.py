from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path

import numpy as np
import pytest
from filelock import Timeout
from PIL import Image

from tests.scoring.counting import CountingModel, Features, broken_photograph, photograph, questions
from vlcheck.cases.case import ImageFile
from vlcheck.cases.picture import Picture
from vlcheck.metrics.query import Query
from vlcheck.scoring.cached import CachedScorer
from vlcheck.scoring.engines.local import BEAT, LONGEST, SILENCE, Leases, fair, work_together
from vlcheck.scoring.plan import Chunk, Plan, make_plan
from vlcheck.scoring.progress import Progress
from vlcheck.scoring.scorer import Scorer
from vlcheck.scoring.store import ScoreStore

SPAWN = multiprocessing.get_context("spawn")
PATIENCE = 60.0
PICTURES = 9
RUN = "this run"


class Together(CountingModel):
    """Encodes its first batch when another process does, too."""

    def __init__(self, journal: Path, barrier: Barrier) -> None:
        super().__init__(journal)
        self.barrier: Barrier | None = barrier

    def encode(self, images: Sequence) -> Features:
        if self.barrier:
            self.barrier.wait(PATIENCE)
            self.barrier = None
        return super().encode(images)


class Stalling(CountingModel):
    """Answers the masked texts of its first chunk, and then never again."""

    def itm(self, encoded, texts, foils=None) -> np.ndarray:
        self._write("stall", [texts[0]])
        time.sleep(10 * PATIENCE)
        raise AssertionError("the test has forgotten this process")


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    for seed in range(PICTURES):
        photograph(tmp_path, seed)
    broken_photograph(tmp_path)
    return the_plan(tmp_path)


@pytest.fixture
def start() -> Iterator[Callable[..., SpawnProcess]]:
    started: list[SpawnProcess] = []

    def start_one(work: Callable[..., None], *arguments: object) -> SpawnProcess:
        process = SPAWN.Process(target=work, args=arguments)
        process.start()
        started.append(process)
        return process

    yield start_one
    for process in started:
        process.kill()
        process.join(PATIENCE)


def the_plan(folder: Path) -> Plan:
    pictures = [Picture(ImageFile(path)) for path in folder.glob("*.png")]
    return make_plan([query for picture in pictures for query in questions(picture)], batch_size=2)


def queries_of(plan: Plan) -> list[Query]:
    return [query for chunk in plan.chunks for query in chunk.queries]


def open_store(folder: Path) -> ScoreStore:
    return ScoreStore(folder / "scores.db", CountingModel.fingerprint, run=RUN)


def work(folder: Path, model: CountingModel) -> None:
    with open_store(folder) as store:
        work_together(the_plan(folder), CachedScorer(Scorer(model), store), folder / "leases")


def work_at_once(folder: Path, barrier: Barrier) -> None:
    work(folder, Together(folder / "journal.txt", barrier))


def work_and_stall(folder: Path) -> None:
    work(folder, Stalling(folder / "journal.txt"))


def work_on(folder: Path) -> None:
    work(folder, CountingModel(folder / "journal.txt"))


def hold(folder: Path) -> None:
    with Leases(folder, SILENCE).take("chunk"):
        (folder / "held").touch()
        time.sleep(10 * PATIENCE)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_one_worker_answers_the_whole_plan(tmp_path: Path, plan: Plan, counting: CountingModel) -> None:
    seen: list[Progress] = []

    with open_store(tmp_path) as store:
        work_together(plan, CachedScorer(Scorer(counting), store), tmp_path / "leases", progress=seen.append)
        missing = store.missing(query.key for query in queries_of(plan))

    assert missing == set()
    assert [progress.total for progress in seen] == [PICTURES + 1] * 5
    assert seen[-1].done == PICTURES + 1


def test_a_plan_of_nothing_is_done_at_once(tmp_path: Path, counting: CountingModel) -> None:
    with open_store(tmp_path) as store:
        work_together(make_plan([]), CachedScorer(Scorer(counting), store), tmp_path / "leases")

    assert not counting.journal.exists()


def test_two_workers_share_the_work_and_ask_everything_once(
    tmp_path: Path, plan: Plan, start: Callable[..., SpawnProcess], counting: CountingModel
) -> None:
    barrier = SPAWN.Barrier(2)

    workers = [start(work_at_once, tmp_path, barrier) for _ in range(2)]
    for worker in workers:
        worker.join(PATIENCE)

    assert [worker.exitcode for worker in workers] == [0, 0]
    assert counting.workers() == {str(worker.pid) for worker in workers}
    for kind, n in (("encode", PICTURES), ("mlm", 2 * PICTURES), ("itm", PICTURES)):
        assert sorted(counting.asked(kind).values()) == [1] * n
    with open_store(tmp_path) as store:
        assert store.missing(query.key for query in queries_of(plan)) == set()


def test_the_chunk_of_a_killed_worker_is_taken_again(
    tmp_path: Path, plan: Plan, start: Callable[..., SpawnProcess], counting: CountingModel
) -> None:
    keys = [query.key for query in queries_of(plan)]
    victim = start(work_and_stall, tmp_path)
    until(lambda: counting.calls("stall") == 1)
    survivor = start(work_on, tmp_path)

    with open_store(tmp_path) as store:
        until(lambda: len(store.missing(keys)) <= 2)  # the survivor has done all but what the victim holds
        held = store.missing(keys)
        assert survivor.is_alive()
        victim.kill()
        survivor.join(PATIENCE)

        assert survivor.exitcode == 0
        assert 1 <= len(held) <= 2
        assert store.missing(keys) == set()

    assert Counter(counting.asked("mlm").values()) == {1: 2 * PICTURES}
    assert Counter(counting.asked("itm").values()) == {1: PICTURES}
    assert Counter(counting.asked("encode").values()) == {1: PICTURES - len(held), 2: len(held)}


def test_a_lease_lasts_as_long_as_its_holder_gives_signs_of_life(
    tmp_path: Path, start: Callable[..., SpawnProcess]
) -> None:
    assert 3 * BEAT < SILENCE < LONGEST
    leases, silence = Leases(tmp_path, 3 * BEAT), 3 * BEAT

    def taken() -> bool:
        try:
            with leases.take("chunk"):
                return True
        except Timeout:
            return False

    holder = start(hold, tmp_path)
    until((tmp_path / "held").exists)
    assert not taken()
    deadline = time.monotonic() + 1.5 * silence
    while time.monotonic() < deadline:
        assert not taken()
        time.sleep(0.1)
    os.kill(holder.pid or 0, signal.SIGSTOP)
    until(taken)
    with leases.take("other"):
        pass


@dataclass(frozen=True)
class Unopened:
    """A picture that no test opens."""

    key: str
    size: tuple[int, int] = (8, 8)

    def open(self) -> Image.Image:
        raise AssertionError("is not opened")


def some_chunks(sizes: Sequence[int]) -> tuple[Chunk, ...]:
    """Chunks of pictures, two queries about each."""
    numbers = count()
    pictures = [[Picture(Unopened(str(next(numbers)))) for _ in range(size)] for size in sizes]
    return tuple(Chunk(tuple(q for one in each for q in questions(one)[:2])) for each in pictures)


def shares(chunks: Sequence[Chunk], processes: int) -> list[int]:
    """Pictures of each process, if one picture takes each of them as long, and each takes the next chunk when free."""
    done = [0] * processes
    for chunk in chunks:
        least = min(range(processes), key=done.__getitem__)
        done[least] += len(chunk.pictures)
    return done


@pytest.mark.parametrize("processes", [2, 3, 4, 8])
@pytest.mark.parametrize("sizes", [(16,) * 61 + (7,), (16,) * 9, (16, 3, 16, 16, 1, 5)])
def test_the_last_chunks_are_split_so_that_processes_end_together(sizes: Sequence[int], processes: int) -> None:
    whole = some_chunks(sizes)

    split = [*fair(whole, processes)]

    assert max(shares(split, processes)) - min(shares(split, processes)) <= 1
    assert [query for chunk in split for query in chunk.queries] == [
        query for chunk in whole for query in chunk.queries
    ]
    assert max(len(chunk.pictures) for chunk in split) <= 16


def test_whole_chunks_alone_would_be_shared_less_evenly() -> None:
    even = shares(some_chunks((16,) * 9), 4)

    assert max(even) / min(even) > 1.4


def test_one_process_keeps_the_chunks_as_they_are() -> None:
    whole = some_chunks((16, 5))

    assert (*fair(whole, 1),) == whole
    assert [*fair((), 4)] == []
