"""A run that something ends: a signal, a kill, or threads that its model leaves behind."""

import os
import pty
import signal
import sys
import tempfile
import time

import pytest

from tests.conftest import ROOT
from tests.plugin.conftest import STATES
from tests.plugin.test_results_life import UNFINISHED
from vlcheck.report.page import draw
from vlcheck.results.file import read

pytestmark = pytest.mark.slow

PATIENCE = 60.0
WAITS = f"""{STATES}
    def test_that_waits():
        import os, time
        print("waits in", os.getpid(), file=open("waiting", "w"))
        time.sleep(600)

    @behavior(cases=with_target("object"), perturb=Mirror(), expect=Preserved(), metrics=("itm",))
    def test_that_nothing_is_known_of(verdict):
        assert verdict.passed
"""


@pytest.fixture
def temporary(project, monkeypatch):
    """An empty folder in the place of the one for temporary files."""
    folder = project.folder / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def left(temporary):
    return [path for path in temporary.iterdir() if path.name.startswith("vlcheck-")]


def ended_by(project, number, *options):
    """End a run by a signal while its fifth of six tests runs; return its exit status and the process that ran it.

    SIGHUP comes as a terminal sends it: nothing can be written there any more.
    """
    project.pytester.makepyfile(test_states=WAITS)
    said = [f"--vl-model={ROOT}/tests/doubles.py:competent", f"--vl-data={project.data}", "-p", "no:cacheprovider"]
    waiting = project.folder / "waiting"
    near, far = pty.openpty()
    command = [sys.executable, "-m", "pytest", *said, *options]
    with project.pytester.popen(command, stdout=far, stderr=far, preexec_fn=_interruptible) as run:
        os.close(far)
        deadline = time.monotonic() + PATIENCE
        while not (waiting.exists() and waiting.read_text().endswith("\n")):
            assert run.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        if number == signal.SIGHUP:
            os.close(near)
        run.send_signal(number)
        try:
            status = run.wait(PATIENCE)
        finally:
            run.kill()  # one that does not end fails the test, and holds up no other
    if number != signal.SIGHUP:
        os.close(near)
    return status, int(waiting.read_text().split()[-1])


def _interruptible():
    """Let signals end a program that was started by one that ignores them: a shell's job SIGINT, under nohup SIGHUP."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@pytest.mark.parametrize(("name", "options", "ends_with"), [("SIGTERM", ("-n", "1"), 2), ("SIGHUP", (), 1)])
def test_a_signal_ends_a_run_as_an_interrupt_does(project, temporary, name, options, ends_with):
    status, process = ended_by(project, getattr(signal, name), *options)
    assert status == ends_with  # 1, as Python has it, where pytest cannot write its last words
    assert left(temporary) == []
    assert [line["status"] for line in project.results("verdict")] == ["pass"] * 4
    (run,) = project.results("run")
    assert run["exit_status"] in (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR)  # likewise
    assert run["unjudged"] == ["test_states.py::test_that_nothing_is_known_of[itm]"]
    assert not is_alive(process)


@pytest.mark.parametrize(
    ("name", "left", "said"),
    [
        ("SIGINT", "vlcheck-results.jsonl", "Stopped: 1 of 5 tests has no verdict. "),
        ("SIGKILL", UNFINISHED, "Stopped: 5 of 5 tests have no verdict. Nothing was checked."),
    ],
)
def test_a_page_of_what_a_stopped_run_leaves_says_how_many_tests_have_no_verdict(project, name, left, said):
    ended_by(project, getattr(signal, name), "--vl-report=page.html")
    kept = project.folder / left
    page = draw(read(kept), source=left)
    tone, _, sentence = page.partition('<p class="conclusion ')[2].partition('"')
    assert said in sentence.partition("</p>")[0]
    assert tone != "pass"
    assert "color" in page.partition('<table class="matrix"')[2].partition("</table>")[0]
    drawn = project.folder / "page.html"
    assert [drawn.read_text(encoding="utf-8")] == [page] if name == "SIGINT" else not drawn.exists()


def test_a_second_signal_is_muted_before_the_first_one_is_reported(project):
    config = project.pytester.parseconfigure("--vl-model", f"{ROOT}/tests/doubles.py:competent")
    first = config.hook.pytest_keyboard_interrupt.get_hookimpls()[-1]
    assert first.plugin_name == "vlcheck-signals"


def test_a_worker_ends_with_its_controller_and_the_next_run_sweeps_what_they_left(project, temporary):
    _, process = ended_by(project, signal.SIGKILL, "-n", "1")
    killed = time.monotonic()
    while is_alive(process):
        assert time.monotonic() < killed + 3, "an orphan works on"
        time.sleep(0.05)
    assert len(left(temporary)) == 1
    project.run("-k", "grayscale")
    assert left(temporary) == []


def test_threads_of_a_model_do_not_keep_a_run(project):
    (project.folder / "mine.py").write_text("""
import threading, time
from tests.doubles import Competent, factory

class Lingers(Competent):
    def __post_init__(self):
        super().__post_init__()
        threading.Thread(target=time.sleep, args=(600,)).start()

lingers = factory(Lingers)
""")
    said = [f"--vl-model={project.folder / 'mine.py'}:lingers", f"--vl-data={project.data}", "--junitxml=junit.xml"]
    result = project.pytester.run(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *said, timeout=PATIENCE)
    assert result.ret == 0
    assert len(project.results("verdict")) == 4
    assert (project.folder / "junit.xml").read_text().endswith("</testsuites>")
    assert "4 passed" in result.stdout.str()


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
