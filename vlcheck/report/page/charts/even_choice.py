"""An even choice of many rows that come one by one, so that a chart of any number of rows takes the same memory."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Generic, TypeVar

from vlcheck._util.numbers import part_of, verb

Item = TypeVar("Item")

_GOLDEN, _TURN = 0x9E3779B97F4A7C15, 1 << 64  # multiples of the golden ratio are spread evenly, with no period


class EvenChoice(Generic[Item]):
    """The items that come, or an even choice of them if there are more than some number.

    Each item has a priority by its place: the fractional part of a multiple of the golden ratio. The items with the
    least priorities are kept, so that no period in the order of rows can leave out, say, all rows of one edit.

    Args:
        most: the most items to keep.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: list[tuple[int, int, Item]] = []
        self.seen = 0

    def add(self, item: Item) -> None:
        """Take an item."""
        entry = (-(self.seen * _GOLDEN % _TURN), self.seen, item)
        if len(self._kept) < self._most:
            heapq.heappush(self._kept, entry)
        else:
            heapq.heappushpop(self._kept, entry)
        self.seen += 1

    def __len__(self) -> int:
        """Return the number of items that are kept."""
        return len(self._kept)

    def first(self, most: int) -> Iterator[Item]:
        """Yield an even choice of at most some number of the kept items, in the order in which they came.

        Args:
            most: the most items.
        """
        chosen = heapq.nlargest(most, self._kept, key=lambda entry: entry[0])
        return (item for _, _, item in sorted(chosen, key=lambda entry: entry[1]))


class Marks(Generic[Item]):
    """The rows that a chart draws: an even choice of those that violate, and one of those that hold.

    Args:
        most: the most rows to draw; half of them are for the rarer sort.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._violating: EvenChoice[Item] = EvenChoice(most)
        self._holding: EvenChoice[Item] = EvenChoice(most)

    def add(self, mark: Item, violates: bool) -> None:
        """Take a row.

        Args:
            mark: the part of it that is drawn.
            violates: whether it violates.
        """
        (self._violating if violates else self._holding).add(mark)

    def __len__(self) -> int:
        """Return the number of rows, drawn or not."""
        return self._violating.seen + self._holding.seen

    @property
    def each(self) -> Iterator[tuple[Item, bool]]:
        """The rows to draw, each with whether it violates."""
        violating, holding = self._room
        yield from ((mark, True) for mark in self._violating.first(violating))
        yield from ((mark, False) for mark in self._holding.first(holding))

    @property
    def counts(self) -> str:
        """The number of rows that violate, in words."""
        violating = self._violating.seen
        return f"{part_of(violating, len(self), 'row')} {verb(violating, 'violates', 'violate')}"

    @property
    def chosen(self) -> str:
        """The numbers of rows that are drawn, in words; "" if all are."""
        seen = self._violating.seen, self._holding.seen
        if self._room == seen:
            return ""
        each = zip(self._room, seen, ("violate", "hold"), strict=True)
        drawn = (f"{room:,} of {of:,} that {what}" for room, of, what in each if of)
        return f"drawn: an even choice of {' and '.join(drawn)}"

    @property
    def _room(self) -> tuple[int, int]:
        """The numbers of rows to draw that violate, and that hold."""
        half, violating, holding = self._most // 2, len(self._violating), len(self._holding)
        return (
            min(violating, max(half, self._most - holding)),
            min(holding, max(half, self._most - violating)),
        )
