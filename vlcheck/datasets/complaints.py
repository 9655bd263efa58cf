"""Collection of all errors of a file, to report them together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from vlcheck.errors import UsageError

MOST_SAID = 20


class Complaints:
    """The errors of a file: the first MOST_SAID of them by line, and their number."""

    def __init__(self) -> None:
        self.count = 0
        self._first: list[tuple[int, int, str]] = []

    @contextmanager
    def of_line(self, number: int) -> Iterator[None]:
        """Collect a UsageError instead of raising it."""
        try:
            yield
        except UsageError as error:
            self.count += 1
            self._first = sorted([*self._first, (number, self.count, str(error))])[:MOST_SAID]

    def without(self, number: int, checks: Iterable[Callable[[], None]]) -> bool:
        """Run all checks of a line, and return True if none finds an error.

        Args:
            number: the line's number.
            checks: the checks, each of which may raise UsageError.
        """
        before = self.count
        for check in checks:
            with self.of_line(number):
                check()
        return self.count == before

    def demand_none(self) -> None:
        """Raise UsageError with the collected errors, one a line, if there are any."""
        if self.count:
            more = self.count - len(self._first)
            said = [*(text for *_, text in self._first), *([f"... and {more} more"] if more else [])]
            raise UsageError(*said)
