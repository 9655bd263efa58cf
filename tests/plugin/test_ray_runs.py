"""Runs whose model is asked on a cluster of Ray, which the run starts on this machine."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import vlcheck
from tests.plugin.test_engines import verdicts
from tests.scoring.ray.clusters import below, until

pytest.importorskip("ray", reason="needs the package ray, of the extra ray")
pytestmark = pytest.mark.nightly

MINE = """
from pathlib import Path
from helper import Kind

def make(device, dtype):
    return Kind(Path("journal"))
"""


@pytest.fixture
def mine(project, monkeypatch):
    """A model in the project's own files, whose answers have nothing to do with the pictures."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    project.pytester.makepyfile(mine=MINE, helper="from tests.scoring.ray.clusters import Slow as Kind")
    return "mine.py:make"


def test_one_driver_is_enough(project, mine):
    result = project.run(f"--vl-model={mine}", "--vl-engine=ray", "-n", "2", model="")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "--vl-engine 'ray': does not go with 2 processes: each would run all plans." in result.stderr.str()


def test_verdicts_are_those_of_local_in_every_round(project, mine):
    said = (f"--vl-model={mine}", "--vl-sequential")
    project.run(*said, model="", subprocess=True)
    local = verdicts(project)
    journal = project.folder / "journal"
    here = {line.split("\t")[1] for line in journal.read_text().splitlines() if "\t" in line}
    journal.unlink()

    result = project.run(*said, "--vl-engine=ray", model="", subprocess=True)

    assert verdicts(project) == local != []
    there = {line.split("\t")[1] for line in journal.read_text().splitlines() if "\t" in line}
    assert (len(here), len(there)) == (1, os.cpu_count()), result.stdout.str()


def test_python_asks_a_cluster_too(project, mine):
    found = [
        vlcheck.evaluate(
            "tiny", "scenes:12", tests="test_blocking_drops_match", engine=engine, progress=False
        ).to_frame()
        for engine in ("alone", "ray")
    ]

    assert found[0].equals(found[1])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left_of_a_run_that_ends_early(project, mine, number):
    """SIGINT goes to the group, as a terminal sends it."""
    said = [f"--vl-model={mine}", f"--vl-data={project.data}", "--vl-engine=ray", "--vl-store=kept.sqlite"]
    with subprocess.Popen([sys.executable, "-m", "pytest", *said], start_new_session=True) as run:
        until(lambda: (project.folder / "journal").exists())
        processes = below(run.pid)
        os.killpg(run.pid, number) if number == signal.SIGINT else run.send_signal(number)
        status = run.wait(60)

    assert len(processes) > 5
    assert status == (-signal.SIGKILL if number == signal.SIGKILL else pytest.ExitCode.INTERRUPTED)
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in processes), 30)


def test_no_secret_is_in_the_logs_of_the_cluster(project, mine, monkeypatch):
    folder = Path(tempfile.mkdtemp(prefix="r", dir="/tmp"))
    monkeypatch.setenv("RAY_TMPDIR", str(folder))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-nobody-may-read-this")

    result = project.run(f"--vl-model={mine}", "--vl-engine=ray", model="", subprocess=True)

    logs = [path for path in folder.rglob("*") if path.is_file()]
    assert "inconclusive" in result.stdout.str() or "passed" in result.stdout.str()
    assert len(logs) > 5
    assert [path for path in logs if b"nobody-may-read-this" in path.read_bytes()] == []
    assert [path for path in logs if path.name == "usage_stats.json"] == []
