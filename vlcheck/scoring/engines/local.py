"""Several processes share a plan: each leases a chunk, scores it, and helps until none is left."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from filelock import FileLock, Timeout

from vlcheck._util import temporary
from vlcheck.errors import UsageError
from vlcheck.scoring.ahead import one_ahead
from vlcheck.scoring.cached import CachedScorer
from vlcheck.scoring.engines.engine import Shown
from vlcheck.scoring.plan import Chunk, Plan
from vlcheck.scoring.progress import Progress

_TURNS = 2  # chunks for each process that are left when chunks begin to be split
BEAT = 1.0  # seconds between a holder's signs of life
SILENCE = 15.0  # seconds without one after which a lease has expired
LONGEST = 900.0  # seconds after which a holder gives no more: a chunk that takes longer is one that hangs


class Local:
    """The engine of one machine: processes with the same plans and the same folder share them, chunk by chunk.

    Args:
        folder: the folder of the locks.
        processes: the number of processes that share the plans; for several, the last chunks of each plan are split.
    """

    shared = True

    def __init__(self, folder: Path, processes: int = 1) -> None:
        self._folder, self._processes = folder, processes

    def run(self, plan: Plan, scorer: CachedScorer, progress: Shown | None = None) -> None:
        if not all(map(scorer.has, plan.chunks)):
            work_together(plan, scorer, self._folder, processes=self._processes, progress=progress)

    def close(self) -> None:
        """Do nothing: the locks end with the folder."""


def make_local(*, folder: Path, processes: int = 1) -> Local:
    """Return the engine.

    Args:
        folder: a folder that the run's processes share.
        processes: the number of processes of the run that have the same plans.
    """
    return Local(folder, processes)


def work_together(
    plan: Plan,
    scorer: CachedScorer,
    folder: Path,
    *,
    processes: int = 1,
    poll: float = 0.05,
    silence: float = SILENCE,
    progress: Callable[[Progress], None] | None = None,
) -> None:
    """Score a plan together with every other process that calls this; return when all of it is answered.

    A lease is a file lock, which the operating system frees when its holder dies: another worker then takes the
    chunk again, and asks what is missing of it. So it does where the holder is stopped, or hangs, and gives no sign of
    life; should it go on, it puts the same answers.

    Args:
        plan: the same in each process.
        scorer: a scorer whose store has the same file and run in each process.
        folder: the folder of the locks; it is made if it is missing.
        processes: the number of processes that share the plan; for several, `fair` splits the last chunks.
        poll: seconds between looks at chunks that others hold.
        silence: seconds without a holder's sign of life after which its lease has expired.
        progress: called as chunks are done, by whomever.
    """
    folder.mkdir(parents=True, exist_ok=True)
    started, done = time.monotonic(), 0
    waiting = list(fair(plan.chunks, processes))
    leases = Leases(folder, silence)
    while waiting:
        held = []
        for chunk, is_done in one_ahead(_finishing(chunk, scorer, leases) for chunk in waiting):
            if not is_done:
                held.append(chunk)
                continue
            done += len(chunk.pictures)
            if progress:
                progress(Progress.since(started, done, plan.n_pictures))
        waiting = held
        if waiting:
            time.sleep(poll)


class Leases:
    """Locks in a folder, each with a file that its holder touches.

    Args:
        folder: the folder of the locks.
        silence: seconds without a touch, as this process sees them, after which a lease has expired. By its own clock:
            that of the file system may differ.
    """

    def __init__(self, folder: Path, silence: float) -> None:
        self._folder, self._silence = folder, silence
        self._seen: dict[Path, tuple[int, float]] = {}

    @contextmanager
    def take(self, key: str) -> Iterator[None]:
        """Hold the lease of a key; one that has expired is followed by another one.

        Raises:
            Timeout: another process holds it.
            UsageError: the folder has no room for a lock.
        """
        lock, beat = self._acquire(key)
        try:
            with _beating(beat):
                yield
        finally:
            lock.release()

    def _acquire(self, key: str) -> tuple[FileLock, Path]:
        for number in count():
            lock = FileLock(self._folder / f"{key}.{number}.lock", timeout=0)
            beat = self._folder / f"{key}.{number}.beat"
            try:
                lock.acquire()
            except Timeout:
                if not self._expired(beat):
                    raise
            except OSError as error:
                raise UsageError(
                    f"{temporary.where()}: {self._folder}: cannot be written ({error.strerror})."
                ) from error
            else:
                return lock, beat
        raise AssertionError("count() has no end")

    def _expired(self, beat: Path) -> bool:
        try:
            touched = beat.stat().st_mtime_ns
        except FileNotFoundError:
            touched = 0
        before, since = self._seen.setdefault(beat, (touched, time.monotonic()))
        if touched != before:
            self._seen[beat] = touched, time.monotonic()
            return False
        return time.monotonic() - since > self._silence


@contextmanager
def _beating(beat: Path) -> Iterator[None]:
    done = threading.Event()
    beating = threading.Thread(target=_beat, args=(beat, done), daemon=True)
    beating.start()
    try:
        yield
    finally:
        done.set()
        beating.join()


def _beat(beat: Path, done: threading.Event) -> None:
    until = time.monotonic() + LONGEST
    while time.monotonic() < until:
        with suppress(OSError):  # a disk that is full: what is scored is kept elsewhere
            beat.touch()
        if done.wait(BEAT):
            return


def fair(chunks: Sequence[Chunk], processes: int) -> Iterator[Chunk]:
    """Yield chunks so that processes, each of which takes the next one when it is done with one, end together.

    The last chunks are split: none has more pictures than its part of those that are left, 1 of 2 for each process.

    Args:
        chunks: the chunks, of at least one picture each.
        processes: the number of processes; for one, the chunks stay as they are.

    Source:
        Polychronopoulos and Kuck 1987, "Guided self-scheduling", IEEE Transactions on Computers C-36.
    """
    left = sum(len(chunk.pictures) for chunk in chunks)
    for chunk in chunks:
        rest = chunk
        while rest.queries:
            size = len(rest.pictures) if processes == 1 else max(1, left // (_TURNS * processes))
            first, rest = _split(rest, size)
            left -= len(first.pictures)
            yield first


def _split(chunk: Chunk, pictures: int) -> tuple[Chunk, Chunk]:
    """Return the queries about the first pictures of a chunk, and the others; the chunk itself if it has no others."""
    if pictures >= len(chunk.pictures):
        return chunk, Chunk(())
    first = {picture.key for picture in chunk.pictures[:pictures]}
    ours = tuple(query for query in chunk.queries if query.picture.key in first)
    return Chunk(ours), Chunk(tuple(query for query in chunk.queries if query.picture.key not in first))


def _finishing(chunk: Chunk, scorer: CachedScorer, leases: Leases) -> Iterator[tuple[Chunk, bool] | None]:
    """Answer a chunk, with the pauses of `CachedScorer.scoring`.

    Yields:
        The chunk at last, with True if it is answered, by another worker or now; False while another one holds it.
    """
    if scorer.has(chunk):
        yield chunk, True
        return
    try:
        with leases.take(chunk.key):
            yield from (None for step in scorer.scoring(chunk) if step is None)  # asks the store again what is missing
    except Timeout:
        yield chunk, False
    else:
        yield chunk, True
