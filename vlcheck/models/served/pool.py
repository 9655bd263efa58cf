"""A bounded pool of threads that send requests."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

_T = TypeVar("_T")


class Pool:
    """Threads that do work in the order in which it is given.

    They are daemons, unlike those of `ThreadPoolExecutor`: a run that is stopped does not wait for an endpoint.

    Args:
        size: number of threads, and so of requests at a time.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._waiting: SimpleQueue[tuple[Future[Any], Callable[[], object]]] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def submit(self, work: Callable[[], _T]) -> Future[_T]:
        """Have some work done; return the future of what it returns or raises."""
        future: Future[_T] = Future()
        self._waiting.put((future, work))
        if len(self._threads) < self.size:
            thread = threading.Thread(target=self._serve, name="vlcheck-served", daemon=True)
            self._threads.append(thread)
            thread.start()
        return future

    def _serve(self) -> None:
        while True:
            future, work = self._waiting.get()
            if future.set_running_or_notify_cancel():
                _fulfil(future, work)
            del future, work  # what waits for its answer is freed before the next one comes


def _fulfil(future: Future[Any], work: Callable[[], object]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001 - who waits for the future gets it
        future.set_exception(error)
