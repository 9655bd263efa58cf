"""The contract of an engine: a way to answer all queries of a plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from vlcheck.scoring.cached import CachedScorer
from vlcheck.scoring.plan import Plan
from vlcheck.scoring.progress import Progress

Shown = Callable[[Progress], None]


@runtime_checkable
class Engine(Protocol):
    """A way to run plans: in this process, in several processes of one machine, or on the nodes of a cluster.

    A run has one engine for all of its plans. A package registers one under the entry-point group "vlcheck.engines",
    as `vlcheck.scoring.engines.registry` says.

    Attributes:
        shared: whether each process of a run may run the same plans with an engine of this kind, so that together they
            answer each query once, e.g. the workers of pytest-xdist.
    """

    shared: bool

    def run(self, plan: Plan, scorer: CachedScorer, progress: Shown | None = None) -> None:
        """Have all queries of a plan answered: afterwards the scorer's store has every answer.

        The scorer is the one writer of answers. An engine that asks copies of the model elsewhere makes them by
        `scorer.scorer.load`, and hands what they answer to the scorer.

        Args:
            plan: the plan; the store may have answers to it already.
            scorer: a scorer of the model, with its store.
            progress: called as pictures are done.

        Raises:
            UsageError: the store cannot be read or written, or what the engine runs on is missing or went away;
                the store has all answers until then.
        """
        ...

    def close(self) -> None:
        """End what the engine started; it is not used any more, or was never used."""
        ...
