"""Cases in an order that is another one for each case, and the same in every run."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter

from vlcheck._util.hashing import digest
from vlcheck.cases.case import Case

_BITS = 128  # of a number
_KEPT = 64  # sequences of cases whose numbers are kept, sorted


def number_of(name: str) -> int:
    """Return a pseudo-random number for a name, the same in every run."""
    return int(digest(name), 16)


def image_key(case: Case) -> str:
    """Return the key of a case's picture."""
    return case.image.key


def in_mixed_order(case: Case, others: Sequence[Case], name: Callable[[Case], str] = image_key) -> Iterator[Case]:
    """Yield cases by how near the number of their name is to that of a case: by the exclusive or of both.

    The first ones of many cases are found at once, without a sort of all of them for each case.

    Args:
        case: the case.
        others: the cases to put in order; those of one name stay in theirs.
        name: returns the name of one of the others.
    """
    numbered = _numbered(_Same(others), name) if isinstance(others, tuple) else _sorted(others, name)
    return (others[at] for at in numbered.nearest(number_of(case.id)))


@dataclass(frozen=True)
class _Numbered:
    """Places of cases, sorted by the numbers of their names.

    Attributes:
        numbers: the numbers, ascending.
        places: the place of the case of each number.
    """

    numbers: Sequence[int]
    places: Sequence[int]

    def nearest(self, own: int) -> Iterator[int]:
        """Yield all places by the exclusive or of their numbers with a number, ascending."""
        left = [(0, len(self.numbers), _BITS - 1)] if self.numbers else []
        while left:
            low, high, bit = left.pop()
            if self.numbers[low] == self.numbers[high - 1]:
                yield from self.places[low:high]
                continue
            middle = self._split(low, high, bit)
            halves = (middle, high, bit - 1), (low, middle, bit - 1)
            left += [half for half in (halves if own >> bit & 1 == 0 else halves[::-1]) if half[0] < half[1]]

    def _split(self, low: int, high: int, bit: int) -> int:
        """Return where the numbers with a bit begin, among some that share all higher bits."""
        first = (self.numbers[low] >> bit | 1) << bit
        return bisect_left(self.numbers, first, low, high)


class _Same:
    """A tuple of cases that is equal to itself alone: its cases are not compared."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self.cases = cases

    def __hash__(self) -> int:
        return id(self.cases)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.cases is other.cases


@lru_cache(_KEPT)
def _numbered(same: _Same, name: Callable[[Case], str]) -> _Numbered:
    return _sorted(same.cases, name)


def _sorted(cases: Sequence[Case], name: Callable[[Case], str]) -> _Numbered:
    pairs = sorted(((number_of(name(case)), at) for at, case in enumerate(cases)), key=itemgetter(0))
    return _Numbered([number for number, _ in pairs], [at for _, at in pairs])
