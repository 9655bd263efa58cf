"""The end of a process: at a signal, with its parent, and despite threads that a model leaves running."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import FrameType

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
_PR_SET_PDEATHSIG = 1  # an option of prctl on Linux
_LOOK_EVERY = 0.5  # seconds between looks at whether the parent lives
_GRACE = 2.0  # seconds that threads of foreign code have to end by themselves


class Stopped(KeyboardInterrupt):
    """A signal that ends the process as Ctrl-C does.

    Attributes:
        status: the exit status that a shell reports for a process ended by the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.status = 128 + number


class Interrupts:
    """Signal handlers that raise Stopped in the main thread at SIGTERM and SIGHUP; handlers of others stay."""

    def __init__(self) -> None:
        self._ending = False
        self._ours: list[int] = []
        if threading.current_thread() is threading.main_thread():
            self._ours = [number for number in _SIGNALS if _is_free(number)]
        for number in self._ours:
            signal.signal(number, self._stop)

    def mute(self) -> None:
        """Stop raising, since the process is ending; a terminal that is closed sends its signal twice."""
        self._ending = True

    def close(self) -> None:
        """Restore the former handlers, unless others have installed their own since."""
        for number in self._ours:
            if signal.getsignal(number) == self._stop:
                signal.signal(number, signal.SIG_DFL)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if not self._ending:
            raise Stopped(number)


def _is_free(number: int) -> bool:
    return signal.getsignal(number) == signal.SIG_DFL


@contextmanager
def interrupts() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end a command as Ctrl-C does."""
    held = Interrupts()
    try:
        yield
    finally:
        held.close()


def follow(parent: int, stop: Path | None = None) -> None:
    """End this process within a second of its parent's death, even while the main thread computes.

    On Linux the system kills it as well, even if foreign code lets no other thread run.

    Args:
        parent: the process id that the parent had when it started this one. The parent's death goes unnoticed if
            another process stands between the two, or if the system keeps the ids of dead parents (Windows).
        stop: a file by which the parent asks for an end as at Ctrl-C.
    """
    if stop and threading.current_thread() is threading.main_thread() and _is_free(signal.SIGTERM):
        signal.signal(signal.SIGTERM, partial(_stop_if_asked, stop))
    is_child = os.getppid() == parent
    if is_child:
        _die_with_parent()
    threading.Thread(target=_follow, args=(parent, is_child, stop), name="vlcheck-follow", daemon=True).start()


def _die_with_parent() -> None:
    """Ask Linux to kill this process when the thread that started it ends: execnet's lives as long as the run."""
    if sys.platform == "linux":
        import ctypes  # in no run of other projects

        with suppress(OSError, AttributeError):  # a C library without it
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL))


def _follow(parent: int, is_child: bool, stop: Path | None) -> None:
    while not is_child or os.getppid() == parent:
        if stop and stop.exists():
            os.kill(os.getpid(), signal.SIGTERM)  # SIGINT is ignored by what a shell started in the background
            stop = None
        time.sleep(_LOOK_EVERY)
    os._exit(1)  # nobody is left to read what an orderly end would write


def _stop_if_asked(stop: Path, number: int, frame: FrameType | None) -> None:
    """Raise Stopped if the parent asked for it; die of any other signal, as a process does by default."""
    if stop.exists():
        raise Stopped(number)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def despite_threads(status: int) -> None:
    """End with a status at the interpreter's shutdown, even if foreign code left threads or processes running.

    Threads, and processes of multiprocessing, have two seconds to end; functions registered with `atexit` run.
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
    if processes := sys.modules.get("multiprocessing"):  # imported by who started some, which would be waited for
        for child in processes.active_children():
            child.terminate()
    if any(not thread.daemon and thread is not threading.main_thread() for thread in threading.enumerate()):
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(status)
