"""Filters for warnings while a block runs, also where other threads set filters at the same time."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Literal

_Action = Literal["default", "always", "ignore"]


class _Filters:
    """The filters of this process, which are restored once no block needs others."""

    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._blocks = 0
        self._before = ExitStack()

    def add(self, action: _Action, category: type[Warning]) -> None:
        """Add a filter for a block that begins."""
        with self._changing:
            if not self._blocks:
                self._before.enter_context(warnings.catch_warnings())
            self._blocks += 1
            warnings.simplefilter(action, category)

    def end(self) -> None:
        """Restore the filters if the block that ends is the last one."""
        with self._changing:
            self._blocks -= 1
            if not self._blocks:
                self._before.close()


_FILTERS = _Filters()


@contextmanager
def filtering(action: _Action, category: type[Warning] = Warning) -> Iterator[None]:
    """Add a filter for warnings while a block runs.

    `warnings.catch_warnings` restores the filters that it found, even if another thread has set them and restored
    others since. Here filters are restored when no thread is in such a block any more.

    Args:
        action: the treatment of such warnings, as `warnings.simplefilter` names it.
        category: the class of the warnings.
    """
    _FILTERS.add(action, category)
    try:
        yield
    finally:
        _FILTERS.end()
