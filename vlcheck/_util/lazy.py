"""A lazy sequence that several readers can read from its beginning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Lazy(Generic[T]):
    """The elements of an iterable, each computed once, and only when a reader asks for it.

    Args:
        of: the iterable. If it raises, every reader that comes to that place gets the same exception.
    """

    def __init__(self, of: Iterable[T]) -> None:
        self._rest = iter(of)
        self._kept: list[T] = []
        self._raised: BaseException | None = None

    def __iter__(self) -> Iterator[T]:
        at = 0
        while at < len(self._kept) or self._read():
            yield self._kept[at]
            at += 1

    def __getitem__(self, at: int) -> T:
        """Return an element; raise IndexError if there are fewer."""
        while at >= len(self._kept) and self._read():
            pass
        return self._kept[at]

    def _read(self) -> bool:
        """Read and keep the next element; return False if there is none."""
        if self._raised:
            raise self._raised
        try:
            self._kept.append(next(self._rest))
        except StopIteration:
            return False
        except BaseException as error:
            self._raised = error
            raise
        return True
