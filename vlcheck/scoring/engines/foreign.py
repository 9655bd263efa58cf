"""Engines of other packages: whatever they raise is said as a fault of the engine that the user has named."""

from __future__ import annotations

import warnings

from vlcheck._util.foreign_code import contained
from vlcheck._util.warning_filters import filtering
from vlcheck.errors import ForeignFault, UsageError, argument, parameter
from vlcheck.scoring.cached import CachedScorer
from vlcheck.scoring.engines.engine import Engine, Shown
from vlcheck.scoring.plan import Plan


class ForeignEngine:
    """An engine that another package has registered.

    Args:
        engine: the engine.
        spec: its spec, for messages.
    """

    def __init__(self, engine: Engine, spec: str) -> None:
        self.engine, self.spec = engine, spec
        self.shared = engine.shared

    def run(self, plan: Plan, scorer: CachedScorer, progress: Shown | None = None) -> None:
        try:
            with contained():
                self.engine.run(plan, scorer, progress)
        except ForeignFault as error:
            raise UsageError(
                f"{argument('engine', repr(self.spec))}: {error}. All answers until then are kept, for another run"
                f" too if {parameter('store')} names a file."
            ) from error

    def close(self) -> None:
        """End what the engine started; if it cannot be ended, say so: what was judged is not lost because of that."""
        try:
            with contained():
                self.engine.close()
        except ForeignFault as error:
            with filtering("always"):
                warnings.warn(f"engine {self.spec!r}: could not be ended. {error}", stacklevel=2)
