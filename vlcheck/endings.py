"""How a process ends: at a signal, with its parent, and in spite of threads that a model leaves behind."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
_LOOK_EVERY = 0.5  # seconds between looks at whether the parent lives
_GRACE = 2.0  # seconds that threads of foreign code have to end by themselves


class Stopped(KeyboardInterrupt):
    """A signal that ends the process as Ctrl-C does.

    Attributes:
        status: what a shell says of a process that the signal ended.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.status = 128 + number


class Interrupts:
    """Raises Stopped in the main thread at SIGTERM and SIGHUP, until closed; handlers that others installed stay."""

    def __init__(self) -> None:
        self._ending = False
        self._ours: list[int] = []
        if threading.current_thread() is threading.main_thread():
            self._ours = [number for number in _SIGNALS if signal.getsignal(number) == signal.SIG_DFL]
        for number in self._ours:
            signal.signal(number, self._stop)

    def mute(self) -> None:
        """Raise no more: the process is ending. A terminal that is closed sends its signal twice."""
        self._ending = True

    def close(self) -> None:
        """Put back what was there before, unless others have installed something since."""
        for number in self._ours:
            if signal.getsignal(number) == self._stop:
                signal.signal(number, signal.SIG_DFL)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if not self._ending:
            raise Stopped(number)


@contextmanager
def interrupts() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end a command as Ctrl-C does."""
    held = Interrupts()
    try:
        yield
    finally:
        held.close()


def follow(parent: int) -> None:
    """End this process within a second of its parent's death, also while the main thread computes.

    Args:
        parent: the process id that the parent had when it started this one. Nothing is done where another process
            stands between the two, or where the system keeps the id of a parent that is dead (Windows).
    """
    if os.getppid() == parent:
        threading.Thread(target=_die_with, args=(parent,), name="vlcheck-follow", daemon=True).start()


def _die_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY)
    os._exit(1)  # nobody is left to read what an orderly end would write


def despite_threads(status: int) -> None:
    """End with a status when the interpreter shuts down, also where threads of foreign code would keep the process.

    Threads that end within two seconds do so; what is registered with `atexit` runs before.
    """
    register = getattr(threading, "_register_atexit", None)  # `atexit` itself comes after the threads are waited for
    if register is None:
        return
    begun = threading.Event()
    threading.Thread(target=_end, args=(status, begun), name="vlcheck-end", daemon=True).start()
    with suppress(RuntimeError):  # the interpreter shuts down already
        register(begun.set)


def _end(status: int, begun: threading.Event) -> None:
    begun.wait()
    time.sleep(_GRACE)
    if any(not thread.daemon and thread is not threading.main_thread() for thread in threading.enumerate()):
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(status)
