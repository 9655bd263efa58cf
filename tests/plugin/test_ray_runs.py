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
from vlcheck.scoring.stores.merge import merge_stores

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
    assert len(here) == 1
    assert 1 <= len(there) <= os.cpu_count(), result.stdout.str()  # a copy may start after all is answered


def test_a_verified_run_on_a_cluster_comes_to_what_one_in_float32_does_here(project, monkeypatch):
    """Copies hold the model in both types; a query is asked again in float32 on the cluster, too."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr("vlcheck.models.loading.two_types.slow", lambda device: "")
    project.run("--vl-dtype=float32", "--vl-results=exact.jsonl", model="wavers")

    project.run("--vl-dtype=verified", "--vl-engine=ray", model="wavers")

    keys = ("test", "status", "n", "violations", "rate")
    found, exact = (
        [[one[key] for key in keys] for one in project.results("verdict", path)]
        for path in ("vlcheck-results.jsonl", "exact.jsonl")
    )
    assert found == exact != []
    (said,) = project.results("precision")
    assert (said["exact"], said["fast"], said["alone"]) == ("float32", "bfloat16", "")
    assert 0 < said["both"] < said["queries"]


def test_a_part_that_a_cluster_answers_goes_with_one_that_is_answered_here(project, log, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    for number, engine in ((1, "ray"), (2, "local")):
        said = (f"--vl-shard={number}/2", f"--vl-store={number}.sqlite", f"--vl-engine={engine}")
        result = project.run(*said, model="counting", subprocess=True)
        assert result.ret == 0, result.stdout.str()
    merged = merge_stores([project.folder / f"{number}.sqlite" for number in (1, 2)], project.folder / "all.sqlite")
    assert (merged.answers, merged.missing, merged.disagreements) == (240, [], [])

    log.unlink()
    assert project.run("--vl-store=all.sqlite", model="counting", subprocess=True).ret == 0
    assert not log.exists()


def test_python_asks_a_cluster_too(project, mine):
    found = [
        vlcheck.evaluate("tiny", "scenes:12", tests="test_blocking_drops_match", engine=engine, progress=False)
        .to_frame()
        .drop(columns=["run_id", "started"])
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
