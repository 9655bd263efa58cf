"""How far a session's scoring is, in lines."""

from __future__ import annotations

from collections.abc import Callable

from vlcheck.scoring.progress import Progress


class Tenths:
    """Tell, at each tenth, how far the scoring is.

    Args:
        tell: is given each line.
    """

    def __init__(self, tell: Callable[[str], object]) -> None:
        self._tell = tell
        self._tenths = 0

    def __call__(self, progress: Progress) -> None:
        tenths = 10 * progress.done // progress.total
        if tenths != self._tenths:  # fewer, where another round begins
            self._tenths = tenths
            self._tell(f"scoring: {progress.said}")
