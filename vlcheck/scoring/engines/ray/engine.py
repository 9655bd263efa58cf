"""The engine `ray`, in the run's own process."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

from vlcheck.errors import UsageError, argument, parameter
from vlcheck.scoring.cached import CachedScorer
from vlcheck.scoring.engines.engine import Shown
from vlcheck.scoring.engines.ray.address import ACCEPTED, resolved
from vlcheck.scoring.engines.ray.link import Gone, Link
from vlcheck.scoring.engines.ray.messages import Begin, CannotGoOn
from vlcheck.scoring.engines.ray.node_part import NodePart
from vlcheck.scoring.engines.ray.talk import Talk
from vlcheck.scoring.plan import Chunk, Plan
from vlcheck.scoring.progress import Progress


class ClusterWarning(UserWarning):
    """A warning about a cluster that a run uses; the run goes on."""


class RayEngine:
    """The engine of a Ray cluster. It starts with the first plan that has a question left.

    Args:
        address: the cluster's address, as it was said; "" for RAY_ADDRESS, or else a cluster of this machine alone.
        part: the part of a node for each copy of the model.
        folder: a folder for the driver's output.
    """

    shared = False

    def __init__(self, address: str, part: NodePart, folder: Path) -> None:
        self._named = argument("engine", repr(f"ray:{address}" if address else "ray"))
        self._address, self._part, self._folder = address, part, folder
        self._talk: Talk | None = None

    def run(self, plan: Plan, scorer: CachedScorer, progress: Shown | None = None) -> None:
        started, done = time.monotonic(), 0
        try:
            for chunk in self._answered(plan, scorer):
                done += len(chunk.pictures)
                if progress:
                    progress(Progress.since(started, done, plan.n_pictures))
        except BaseException as error:
            reached = self._talk and self._talk.link.heard
            self.close()
            if isinstance(error, Gone):
                why = _went_away(error) if reached else _not_reached(error)
                raise UsageError(f"{self._named}: {why}") from error
            if isinstance(error, CannotGoOn):
                raise UsageError(f"{self._named}: {error}") from error
            raise

    def close(self) -> None:
        if self._talk:
            self._talk.link.close()
            self._talk = None

    def _answered(self, plan: Plan, scorer: CachedScorer) -> Iterator[Chunk]:
        """Yield the chunks of a plan as they are answered; no more are on their way than the cluster has room for."""
        talk = None
        for chunk in plan.chunks:
            if scorer.has(chunk):
                yield chunk
                continue
            talk = talk or self._begun()
            while not talk.has_room:
                yield from talk.listen()
            talk.ask(chunk, scorer)
        while talk and talk.waits:
            yield from talk.listen()

    def _begun(self) -> Talk:
        if not self._talk:
            begin = Begin(resolved(self._address, os.environ), self._part)
            self._talk = Talk(Link(begin, self._folder / "ray.log"), _warn)
        return self._talk


def _went_away(error: Gone) -> str:
    return (
        f"the cluster went away: {error}. All answers until then are kept, for another run too if {parameter('store')}"
        " names a file."
    )


def _not_reached(error: Gone) -> str:
    return f"no cluster of Ray could be reached: {error}. Accepted: {ACCEPTED}."


def _warn(said: str) -> None:
    """Give a ClusterWarning, also if the run turns warnings into errors: it goes on."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"engine ray: {said}", ClusterWarning, stacklevel=5)
