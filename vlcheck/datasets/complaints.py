"""All that is wrong with a file, said in one go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from vlcheck.errors import UsageError

MOST_SAID = 20


class Complaints:
    """The errors of a file: the first MOST_SAID of them by line, and how many there are."""

    def __init__(self) -> None:
        self.count = 0
        self._first: list[tuple[int, int, str]] = []

    @contextmanager
    def of_line(self, number: int) -> Iterator[None]:
        """Keep a UsageError in place of raising it."""
        try:
            yield
        except UsageError as error:
            self.count += 1
            self._first = sorted([*self._first, (number, self.count, str(error))])[:MOST_SAID]

    def without(self, number: int, checks: Iterable[Callable[[], None]]) -> bool:
        """Make all checks of a line; return whether none complains."""
        before = self.count
        for check in checks:
            with self.of_line(number):
                check()
        return self.count == before

    def demand_none(self) -> None:
        """Raise UsageError with what was kept, a line each."""
        if self.count:
            more = self.count - len(self._first)
            said = [*(text for *_, text in self._first), *([f"... and {more} more"] if more else [])]
            raise UsageError(*said)
