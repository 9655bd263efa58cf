"""How a process ends: at a signal, with its parent, and in spite of threads."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from tests.conftest import ROOT
from vlcheck._util.process_end import Interrupts, Stopped
from vlcheck.cli.console import plainly, stoppable

PATIENCE = 60.0
FOLLOWS = """
import os, subprocess, sys, time
if sys.argv[1:]:
    from vlcheck._util.process_end import follow
    follow(int(sys.argv[1]))
    print(os.getpid(), flush=True)
    BUSY
else:
    subprocess.Popen([sys.executable, "-c", CODE, str(os.getpid())])
    time.sleep(600)
"""
COMPUTES = "sum(i * i for i in range(10**12))"
HOLDS_THE_LOCK = "import ctypes; ctypes.PyDLL(None).sleep(600)"  # no thread of Python gets its turn
LINGERS = """
import atexit, multiprocessing, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from vlcheck._util.process_end import despite_threads
threading.Thread(target=time.sleep, args=(600,)).start()
multiprocessing.get_context("spawn").Process(target=time.sleep, args=(600,)).start()
ThreadPoolExecutor().submit(time.sleep, 600)
atexit.register(print, "at exit")
despite_threads(3)
print("the last word")
sys.exit(3)
"""
COMMANDS = """
import sys, threading, time
from vlcheck.cli import app
threading.Thread(target=time.sleep, args=(600,)).start()
sys.argv[1:] = ["no-such-command"]
app()
"""


@pytest.fixture(params=["SIGTERM", "SIGHUP"])
def number(request):
    """A signal that nobody has a handler for; the run that this test is part of has one of vlcheck's."""
    number = getattr(signal, request.param)
    before = signal.signal(number, signal.SIG_DFL)
    yield number
    signal.signal(number, before)


def test_a_signal_is_an_interrupt_until_the_end(number):
    held = Interrupts()
    with pytest.raises(Stopped, match=signal.Signals(number).name) as caught:
        signal.raise_signal(number)
    assert isinstance(caught.value, KeyboardInterrupt)
    assert caught.value.status == 128 + number
    held.mute()
    signal.raise_signal(number)  # a terminal that is closed says so twice
    held.close()
    assert signal.getsignal(number) == signal.SIG_DFL


def test_what_others_installed_stays(number):
    seen = []
    signal.signal(number, lambda *_: seen.append("before"))
    held = Interrupts()
    signal.raise_signal(number)
    held.close()
    signal.raise_signal(number)
    signal.signal(number, signal.SIG_DFL)
    held = Interrupts()
    signal.signal(number, lambda *_: seen.append("since"))
    held.close()
    signal.raise_signal(number)
    assert seen == ["before", "before", "since"]


def test_another_thread_than_the_main_one_installs_nothing(number):
    thread = threading.Thread(target=Interrupts)
    thread.start()
    thread.join()
    assert signal.getsignal(number) == signal.SIG_DFL


def test_a_command_ends_at_a_signal_as_at_an_interrupt(number, tmp_path, capsys):
    with pytest.raises(SystemExit) as caught, plainly():
        signal.raise_signal(number)
    assert caught.value.code == 128 + number
    with pytest.raises(SystemExit) as caught, plainly(), stoppable(tmp_path):
        signal.raise_signal(number)
    assert caught.value.code == 128 + number
    assert capsys.readouterr().err == f"Stopped.\nStopped; the same command goes on from {tmp_path}.\n"
    assert signal.getsignal(number) == signal.SIG_DFL


@pytest.mark.parametrize(
    "busy",
    [COMPUTES, pytest.param(HOLDS_THE_LOCK, marks=pytest.mark.skipif(sys.platform != "linux", reason="needs Linux"))],
)
def test_a_child_ends_within_three_seconds_of_its_parents_death(busy):
    code = FOLLOWS.replace("BUSY", busy)
    with start(code.replace("CODE", repr(code))) as parent:
        parent.stdout.readline()
        parent.kill()
        died = time.monotonic()
        assert parent.stdout.read() == ""  # at the end of the last process that could write to it
        assert time.monotonic() < died + 3, "an orphan computes on"


def test_threads_and_processes_do_not_keep_a_process_that_has_ended():
    with start(LINGERS) as process:
        said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 3
    assert said == "the last word\nat exit\n"


def test_threads_of_a_model_do_not_keep_a_command():
    with start(COMMANDS) as process:
        said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 4, said


def start(code):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment)
