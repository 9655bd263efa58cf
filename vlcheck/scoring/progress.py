"""The progress of a run's scoring."""

from __future__ import annotations

import time
from dataclasses import dataclass

from vlcheck._util.numbers import counted, duration


@dataclass(frozen=True)
class Progress:
    """The progress of a run.

    Attributes:
        done: number of pictures that the model has been asked about.
        total: number of pictures of the run.
        seconds: time since the start.
        left: time to the end in seconds, estimated from the mean time of a picture.
    """

    done: int
    total: int
    seconds: float
    left: float

    @property
    def said(self) -> str:
        """The progress in words."""
        done = f"{self.done:,} of {counted(self.total, 'picture')}"
        return f"{done} in {duration(self.seconds)}, about {duration(self.left)} left"

    @classmethod
    def since(cls, started: float, done: int, total: int) -> Progress:
        """Return the progress of a run that is under way.

        Args:
            started: the value of `time.monotonic()` at the start.
            done: number of pictures done, at least 1.
            total: number of pictures of the run.
        """
        seconds = time.monotonic() - started
        return cls(done, total, seconds, seconds / done * (total - done))
