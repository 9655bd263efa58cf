"""Several processes share a plan: each leases a chunk, scores it, and helps until none is left."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

from vlcheck.scoring.plan import Chunk, Plan
from vlcheck.scoring.scorer import Progress, Scorer

_GOLDEN = 0.6180339887498949  # its multiples, modulo 1, spread the pids of neighbours evenly


def work_together(
    plan: Plan,
    scorer: Scorer,
    folder: Path,
    *,
    poll: float = 0.05,
    progress: Callable[[Progress], None] | None = None,
) -> None:
    """Score a plan together with every other process that calls this; return when all of it is answered.

    A lease is a file lock, which the operating system frees when its holder dies: another worker then takes the
    chunk again, and asks what is missing of it.

    Args:
        plan: the same in each process.
        scorer: on the same store file and run in each process.
        folder: for the locks; made where it is missing.
        poll: seconds between looks at chunks that others hold.
        progress: called as chunks are done, by whomever.
    """
    folder.mkdir(parents=True, exist_ok=True)
    started, done = time.monotonic(), 0
    waiting = _from_own_offset(plan.chunks)
    while waiting:
        held = []
        for chunk in waiting:
            if not _finish(chunk, scorer, folder):
                held.append(chunk)
                continue
            done += len(chunk.pictures)
            if progress:
                progress(Progress.since(started, done, plan.n_pictures))
        waiting = held
        if waiting:
            time.sleep(poll)


def _from_own_offset(chunks: tuple[Chunk, ...]) -> list[Chunk]:
    start = int(os.getpid() * _GOLDEN % 1 * len(chunks))
    return [*chunks[start:], *chunks[:start]]


def _finish(chunk: Chunk, scorer: Scorer, folder: Path) -> bool:
    """Return whether the chunk is answered, by another worker or now; False while another one holds it."""
    if not scorer.store.missing(query.key for query in chunk.queries):
        return True
    try:
        with FileLock(folder / f"{chunk.key}.lock", timeout=0):
            scorer.score(chunk)  # asks the store again what is missing
    except Timeout:
        return False
    return True
