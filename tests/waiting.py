"""Tests of what would wait without end, in the main thread alone."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


class Waited(BaseException):
    """No Exception, so that nothing makes a usage error of it."""


@contextmanager
def no_longer_than(seconds: float) -> Iterator[None]:
    """Raise Waited in what takes longer."""

    def stop(*_: object) -> None:
        raise Waited(f"waited for {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
