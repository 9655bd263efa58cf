"""A callback that prints the progress of scoring as lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import TextIO

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


class OneLine:
    """Tell how far the scoring is in one line, which is written over.

    Args:
        stream: a terminal, or the output of a notebook's cell.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._width = 0

    def __call__(self, progress: Progress) -> None:
        line = f"scoring: {progress.said}"
        self._stream.write(f"\r{line:<{self._width}}" + "\n" * (progress.done == progress.total))
        self._stream.flush()
        self._width = len(line)


def told_on(stream: TextIO) -> Callable[[Progress], None]:
    """Return what tells of the progress on a stream: in one line, or, in a file, in a line for each tenth."""
    of_a_notebook = type(stream).__module__.startswith("ipykernel.")  # it is no terminal, and obeys a carriage return
    if of_a_notebook or stream.isatty():
        return OneLine(stream)
    return Tenths(lambda line: stream.write(f"{line}\n"))
