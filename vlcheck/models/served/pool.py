"""A bounded pool of threads that send requests."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

_T = TypeVar("_T")
_Waiting = SimpleQueue["tuple[Future[Any], Callable[[], object]] | None"]


class RequestPool:
    """Threads that do work in the order in which it is given.

    They are daemons, unlike those of `ThreadPoolExecutor`: a run that is stopped does not wait for an endpoint. They
    end when the pool is no longer used.

    Args:
        size: number of threads, and so of requests at a time.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._waiting: _Waiting = SimpleQueue()
        self._begun = 0
        weakref.finalize(self, _end, self._waiting, size)

    def submit(self, work: Callable[[], _T]) -> Future[_T]:
        """Have some work done; return the future of what it returns or raises."""
        future: Future[_T] = Future()
        self._waiting.put((future, work))
        if self._begun < self.size:
            self._begun += 1
            threading.Thread(target=_serve, args=(self._waiting,), name="vlcheck-served", daemon=True).start()
        return future


def _serve(waiting: _Waiting) -> None:
    while (taken := waiting.get()) is not None:
        future, work = taken
        if future.set_running_or_notify_cancel():
            _fulfil(future, work)
        del taken, future, work  # what waits for its answer is freed before the next one comes


def _end(waiting: _Waiting, size: int) -> None:
    for _ in range(size):
        waiting.put(None)


def _fulfil(future: Future[Any], work: Callable[[], object]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001 - who waits for the future gets it
        future.set_exception(error)
