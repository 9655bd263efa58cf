"""How far a run is."""

from __future__ import annotations

import time
from dataclasses import dataclass

from vlcheck._util.numbers import counted, duration


@dataclass(frozen=True)
class Progress:
    """How far a run is; times in seconds, `left` estimated from the mean time a picture took."""

    done: int
    total: int
    seconds: float
    left: float

    @property
    def said(self) -> str:
        """In words."""
        done = f"{self.done:,} of {counted(self.total, 'picture')}"
        return f"{done} in {duration(self.seconds)}, about {duration(self.left)} left"

    @classmethod
    def since(cls, started: float, done: int, total: int) -> Progress:
        """Measure from a `time.monotonic()`; `done` is at least 1."""
        seconds = time.monotonic() - started
        return cls(done, total, seconds, seconds / done * (total - done))
