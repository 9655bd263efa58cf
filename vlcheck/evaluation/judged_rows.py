"""The rows of a verdict on many cases, which are read from the kept answers when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import overload

from vlcheck.behaviors.made_trials import parted
from vlcheck.evaluation.evidence import Row


class JudgedRows(Sequence[Row]):
    """Rows by their places, of which none is kept.

    Args:
        read: returns the rows at some places, in their order: the same ones at each call.
        number: the number of rows.
    """

    def __init__(self, read: Callable[[range], Iterable[Row]], number: int) -> None:
        self._read, self._number = read, number

    @overload
    def __getitem__(self, at: int) -> Row: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[Row]: ...

    def __getitem__(self, at: int | slice) -> Row | Sequence[Row]:
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(self._number))]
        place = range(self._number)[at]
        (row,) = self._read(range(place, place + 1))
        return row

    def __iter__(self) -> Iterator[Row]:
        return (row for places in parted(self._number) for row in self._read(places))

    def __len__(self) -> int:
        return self._number
