"""The progress of scoring."""

from __future__ import annotations

import time
from dataclasses import dataclass

from vlcheck._util.numbers import duration, part_of


@dataclass(frozen=True)
class Progress:
    """The progress of a plan; a run has one for each step of its questions.

    Attributes:
        done: number of pictures that the model has been asked about.
        total: number of pictures of the plan.
        seconds: time since the start.
        left: time to the end of the plan in seconds, estimated from the mean time of a picture.
    """

    done: int
    total: int
    seconds: float
    left: float

    @property
    def said(self) -> str:
        """The progress in words."""
        done = part_of(self.done, self.total, "picture")
        return f"{done} in {duration(self.seconds)}" + (f", about {duration(self.left)} left" if self.left else "")

    @classmethod
    def since(cls, started: float, done: int, total: int) -> Progress:
        """Return the progress of a plan that is under way.

        Args:
            started: the value of `time.monotonic()` at the start.
            done: number of pictures done, at least 1.
            total: number of pictures of the plan.
        """
        seconds = time.monotonic() - started
        return cls(done, total, seconds, seconds / done * (total - done))


class RunningCount:
    """The pictures of several plans as one count, whose total grows with each plan: answers lead to further questions.

    Each call with the progress of a plan returns that of all plans so far.
    """

    def __init__(self) -> None:
        self._before = 0  # pictures of earlier plans
        self._last: Progress | None = None
        self._started = 0.0

    def __call__(self, progress: Progress) -> Progress:
        last = self._last
        if last is None:
            self._started = time.monotonic() - progress.seconds
        elif last.done == last.total or progress.total != last.total or progress.done < last.done:
            self._before += last.done
        self._last = progress
        done, total = self._before + progress.done, self._before + progress.total
        return Progress(done, total, time.monotonic() - self._started, progress.left)
