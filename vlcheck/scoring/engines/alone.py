"""This process answers all of a plan by itself."""

from __future__ import annotations

from vlcheck.scoring.cached import CachedScorer
from vlcheck.scoring.engines.engine import Shown
from vlcheck.scoring.plan import Plan


class Alone:
    """The engine of one process, which shares its plans with no other."""

    shared = False

    def run(self, plan: Plan, scorer: CachedScorer, progress: Shown | None = None) -> None:
        if not all(map(scorer.has, plan.chunks)):
            scorer.run(plan, progress)

    def close(self) -> None:
        """Do nothing: there is nothing to end."""


def make_alone() -> Alone:
    """Return the engine."""
    return Alone()
