"""Work that waits for answers from a network, with the next piece of work begun before these are there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

_T = TypeVar("_T")


def one_ahead(works: Iterable[Iterator[_T | None]]) -> Iterator[_T]:
    """Do pieces of work, each of which yields None where it waits, and its result at its end.

    While one waits, the next one is begun; the first is finished as soon as the next one waits, too. Work that never
    waits is done one piece after the other.

    Args:
        works: the pieces.

    Yields:
        The result of each piece.

    Example:
        >>> list(one_ahead(iter(steps) for steps in ([None, "a"], [None, "b"], ["c"])))
        ['a', 'b', 'c']
    """
    begun: list[Iterator[_T | None]] = []
    for work in works:
        result = next(work)
        yield from (_finished(one) for one in begun)
        begun = [work] if result is None else []
        if result is not None:
            yield result
    yield from (_finished(one) for one in begun)


def _finished(work: Iterator[_T | None]) -> _T:
    """Return the result of a piece of work that was begun."""
    return next(result for result in work if result is not None)
