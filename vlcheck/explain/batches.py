"""Asks a network in batches; a batch for which there is no memory is halved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from vlcheck._util.memory import lacks_memory, let_go

Item = TypeVar("Item")
Found = TypeVar("Found")


def in_batches(
    ask: Callable[[Sequence[Item]], Found], items: Sequence[Item], size: int
) -> Iterator[tuple[Sequence[Item], Found]]:
    """Yield batches of items with what is found for each; a batch that does not fit into memory is halved.

    Args:
        ask: asked about a batch of items.
        items: all items.
        size: number of items in a batch.

    Raises:
        MemoryError: there is no memory for a single item; or an error of torch that says so (see `lacks_memory`).
    """
    for start in range(0, len(items), size):
        yield from _halved(ask, items[start : start + size])


def _halved(ask: Callable[[Sequence[Item]], Found], items: Sequence[Item]) -> Iterator[tuple[Sequence[Item], Found]]:
    try:
        found = ask(items)
    except (MemoryError, RuntimeError) as error:
        if len(items) == 1 or not lacks_memory(error):
            raise
    else:
        yield items, found
        return
    let_go()
    half = len(items) // 2  # after `except`, since the exception keeps the tensors of the batch in memory
    yield from _halved(ask, items[:half])
    yield from _halved(ask, items[half:])
