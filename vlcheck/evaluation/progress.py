"""A callback that prints the progress of scoring as lines."""

from __future__ import annotations

from collections.abc import Callable

from vlcheck.scoring.progress import Progress


class Tenths:
    """A callback for progress that passes on one line each time another tenth is done.

    Args:
        tell: called with each line.
    """

    def __init__(self, tell: Callable[[str], object]) -> None:
        self._tell = tell
        self._tenths = 0

    def __call__(self, progress: Progress) -> None:
        tenths = 10 * progress.done // progress.total
        if tenths != self._tenths:  # it falls when another round begins
            self._tenths = tenths
            self._tell(f"scoring: {progress.said}")
