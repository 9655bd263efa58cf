"""What an iterator yields, kept, so that several may read it from its beginning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Lazy(Generic[T]):
    """Everything that an iterable yields, each once; it is read no farther than somebody asks.

    Args:
        of: what is read. Where it raises, every reader who comes to that place gets the same exception.
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

    def _read(self) -> bool:
        """Keep the next one; return whether there is one."""
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
