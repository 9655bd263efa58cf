"""The Python that is warm runs a command as the cold one does."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.warm_python import spent, warm_python

PYTHONS = {"cold": lambda: sys.executable, "warm": lambda: warm_python().command}
TELLS = """
import json, os, sys
print(json.dumps([sys.argv, sys.path[0], sys.stdin.read(), os.getcwd(), os.environ["SAID"], __name__]))
print("aside", file=sys.stderr)
"""


@pytest.fixture
def module(tmp_path):
    (tmp_path / "tells.py").write_text(TELLS)
    return tmp_path


@pytest.mark.parametrize("command", [("-c", TELLS, "a", "-b"), ("-m", "tells", "a"), ("-mtells",), ("tells.py", "-u")])
def test_a_command_is_told_the_same(module, command):
    def run(python):
        environment = {"SAID": "é", "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [python(), *command], cwd=module, env=environment, input="in", capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout, done.stderr

    cold, warm = map(run, PYTHONS.values())
    assert warm == cold
    assert (cold[0], cold[2]) == (0, "aside\n")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("", 0),
        ("import sys; sys.exit(7)", 7),
        ("import sys; sys.exit('words')", 1),
        ("1 / 0", 1),
        ("raise KeyboardInterrupt", -signal.SIGINT),
        ("import os; os._exit(3)", 3),
        ("import os; os.kill(os.getpid(), 9)", -signal.SIGKILL),
    ],
)
def test_a_command_ends_the_same(code, status):
    runs = {
        name: subprocess.run([python(), "-c", code], capture_output=True, text=True, check=False)
        for name, python in PYTHONS.items()
    }
    assert {run.returncode for run in runs.values()} == {status}
    last = [run.stderr.splitlines()[-1:] for run in runs.values()]
    assert last[0] == last[1]


WAITS = "import os, sys, time; print(os.getpid(), flush=True); time.sleep(600)"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_signal_reaches_the_fork(number):
    with subprocess.Popen(
        [warm_python().command, "-c", WAITS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        fork = Path("/proc", process.stdout.readline().strip())
        process.send_signal(number)
        process.communicate(timeout=60)
    assert process.returncode == -number
    assert within_seconds(lambda: not fork.exists())


def test_what_takes_long_is_imported_already_and_vlcheck_is_not():
    code = "import sys; print({'torch', 'transformers', 'timm', 'vlcheck', 'tests'} & {*sys.modules})"
    done = subprocess.run([warm_python().command, "-c", code], capture_output=True, text=True, check=True)
    assert eval(done.stdout) == {"torch", "transformers", "timm"}  # noqa: S307 - our own text


def test_options_that_it_does_not_know_are_left_to_the_cold_one():
    done = subprocess.run([warm_python().command, "-I", "-c", "print(7)"], capture_output=True, text=True, check=True)
    assert done.stdout == "7\n"


def test_what_its_forks_take_is_counted():
    before = spent()
    subprocess.run([warm_python().command, "-c", "sum(range(10**7))"], check=True)
    assert within_seconds(lambda: spent() > before + 0.1)


def within_seconds(condition):
    for _ in range(200):
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_a_command_whose_server_is_gone_fails(tmp_path):
    code = "import os, signal; os.kill(os.getppid(), signal.SIGKILL); os.kill(os.getpid(), signal.SIGKILL)"
    done = subprocess.run([warm_python().command, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "The warm Python ended before this command.\n")


@pytest.mark.parametrize("python", PYTHONS.values(), ids=PYTHONS)
def test_what_is_written_before_a_sudden_end_is_there(python):
    code = r"import os, sys; print('out'); print('err\udc80', file=sys.stderr); os._exit(0)"
    done = subprocess.run([python(), "-u", "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("out\n", "err\\udc80\n")


@pytest.mark.parametrize("python", PYTHONS.values(), ids=PYTHONS)
def test_variables_that_python_reads_at_its_start_count(python):
    code = "import warnings; warnings.warn('said')"
    environment = os.environ | {"PYTHONWARNINGS": "error"}
    done = subprocess.run([python(), "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
