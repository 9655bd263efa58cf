"""Whole runs on a served model: its key, one that changes, a server or a run that dies, no log-probabilities."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.models.served.running import Running, running
from tests.warm_python import warm_python
from vlcheck.results.file import read

KEY = "sk-Qz7-secret-of-this-test-81"
STATES = """
from vlcheck import behavior, with_target
from vlcheck.expect import Drops
from vlcheck.perturb import OtherImage

BIAS = "modality"

@behavior(cases=with_target("single"), perturb=OtherImage(), expect=Drops(), metrics=("itm",))
def test_another_picture_drops_match(verdict):
    assert verdict.passed
"""
SHOWS = """
import vlcheck

def test_of_the_model_itself(request):
    model = vlcheck.load_model(request.config.getoption("vl_model"))
    client, key, http = model.line.client, model.line.client.key, model.line.client._http
    assert model.changed() == "changed"
"""
CHANGES = """
import httpx

def pytest_runtest_teardown(item):
    httpx.post("{root}/faults", json={{"version": "2.0"}})
"""

pytestmark = pytest.mark.slow  # runs of pytest


@pytest.fixture(scope="module")
def _embedded():
    with running("tiny", warm=True) as server:
        yield server


@pytest.fixture
def embedded(_embedded: Running, monkeypatch) -> Running:
    """The embedded model, served, in order."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    _embedded.faults()
    return _embedded


def run(folder: Path, spec: str, *arguments: str, data: str = "scenes:30") -> subprocess.CompletedProcess[str]:
    """Run pytest on the files of a folder."""
    said = ["-p", "no:cacheprovider", "--vl-model", spec, "--vl-data", data, *arguments]
    return subprocess.run(
        [warm_python().command, "-m", "pytest", *said], cwd=folder, capture_output=True, text=True, env={**os.environ}
    )


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return folder


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_a_served_model_passes_what_it_passes_in_process(tmp_path, embedded, workers):
    ended = run(write(tmp_path, test_it=STATES), embedded.spec, *workers)
    assert ended.returncode == 0, ended.stdout
    assert "1 pass" in ended.stdout
    results = (tmp_path / "vlcheck-results.jsonl").read_text()
    assert results.count('"kind": "identity"') == (2 if workers else 1)
    kept = read(tmp_path / "vlcheck-results.jsonl").run
    assert (kept.device, kept.dtype) == (None, None)  # the server's own are not known
    assert kept.setup["server"].startswith(embedded.root)


def test_a_model_that_changes_during_the_run_makes_it_invalid(tmp_path, embedded):
    ended = run(
        write(tmp_path, test_it=STATES, conftest=CHANGES.format(root=embedded.root)),
        embedded.spec,
        "--vl-report=page.html",
        "--junitxml=junit.xml",
    )
    assert ended.returncode == 1
    assert 'failures="1"' in (tmp_path / "junit.xml").read_text()
    said = "The model is not the one of the start of the run"
    assert said in ended.stdout
    assert "the server was 'small 1.0' and is 'small 2.0'" in ended.stdout
    for path in ("vlcheck-results.jsonl", "page.html"):
        assert "small 2.0" in (tmp_path / path).read_text()
    (verdict,) = read(tmp_path / "vlcheck-results.jsonl").verdicts.values()
    assert (verdict.status, verdict.cause) == ("invalid", "changed")
    page = (tmp_path / "page.html").read_text()
    assert 'data-status="invalid"' in page
    assert 'data-status="pass"' not in page
    gate = subprocess.run(
        [warm_python().command, "-m", "vlcheck", "gate", "vlcheck-results.jsonl", "--part"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert gate.returncode == 1
    assert said in gate.stdout


def test_without_log_probabilities_tests_are_invalid_with_the_reason(tmp_path, embedded):
    embedded.faults(log_probs=False)
    ended = run(write(tmp_path, test_it=STATES), embedded.spec)
    assert ended.returncode == 1
    assert "gives no log-probabilities of org/small-vlm" in ended.stdout
    assert "1 is invalid" in ended.stdout


def everything(folder: Path, ended: subprocess.CompletedProcess[str]) -> bytes:
    """Return all that a run wrote: its output, and every file under its folder."""
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    return b"\n".join([ended.stdout.encode(), ended.stderr.encode(), *files])


@pytest.mark.parametrize(
    ("faults", "given", "status"),
    [
        ({"secret": KEY, "echo": True}, KEY, 1),
        ({"secret": "another", "echo": True}, KEY, 4),
        ({"status": 500, "times": -1, "echo": True}, KEY, 4),
        ({"status": 400, "times": -1, "echo": True}, KEY, 4),
        ({"secret": KEY, "echo": True, "fail_after": 60}, KEY, 1),
    ],
    ids=["right", "wrong", "faults", "refusals", "late faults"],
)
def test_the_key_appears_nowhere(tmp_path, embedded, monkeypatch, faults, given, status):
    embedded.faults(**faults)
    monkeypatch.setenv("NAMED", given)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    shown = ["-vv", "--showlocals", "--log-level=DEBUG", "--junitxml=j.xml", "--html=p.html", "--self-contained-html"]
    kept = ["--vl-report=r.html", "--vl-store=s.sqlite", "--full-trace", "-rA"]

    spec = f"{embedded.spec},key=NAMED,tries=2"
    ended = run(write(tmp_path, test_it=STATES, test_shows=SHOWS), spec, *shown, *kept)

    assert ended.returncode == status, ended.stdout[-3000:]
    wrote = everything(tmp_path, ended)
    assert KEY.encode() not in wrote
    opens = status == 1 and "fail_after" not in faults
    assert (b"httpx.Client object" in wrote) == opens  # the failing test shows what it holds
    assert embedded.log["keys"]


@pytest.mark.parametrize(
    "spec",
    [
        f"openai:http://user:{KEY}@localhost/v1#m",
        f"OPENAI:http://user:p,/#{KEY}@localhost/v1#m",
        f"openai:http://localhost/v1?key={KEY}#m",
        f"openai:http://localhost/v1#m,key={KEY}",
        f"openai:http://localhost/v1#m,api_key={KEY}",
        f"itm=openai:http://localhost/v1#m,mlm=openai:http://user:{KEY}@localhost/v1#m",
    ],
)
@pytest.mark.parametrize("option", ["--vl-model", "--vl-control"])
def test_a_key_in_the_spec_is_refused_and_not_repeated(tmp_path, spec, option):
    said = [spec] if option == "--vl-model" else ["tiny", f"--vl-control={spec}"]
    ended = run(write(tmp_path, test_it=STATES), *said)
    assert ended.returncode == 4
    assert f"{option}: " in ended.stderr
    assert "into the environment variable OPENAI_API_KEY" in ended.stderr
    assert KEY.encode() not in everything(tmp_path, ended)


def kept_scores(store: Path) -> int:
    if not store.exists():
        return 0
    with sqlite3.connect(store) as connection:
        try:
            return connection.execute("SELECT count(*) FROM answers WHERE error = ''").fetchone()[0]
        except sqlite3.OperationalError:  # it is being made
            return 0


def test_scores_survive_the_kill_of_a_run(tmp_path, embedded):
    embedded.faults(latency=0.05)
    write(tmp_path, test_it=STATES)
    store = tmp_path / "s.sqlite"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--vl-data", "scenes:30", "--vl-store", store]
    process = subprocess.Popen([*command, "--vl-model", f"{embedded.spec},concurrency=2"], cwd=tmp_path)
    until = time.monotonic() + 120
    while kept_scores(store) < 20 and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept, asked = kept_scores(store), embedded.log["chats"]

    embedded.faults()
    ended = run(tmp_path, embedded.spec, f"--vl-store={store}")

    whole, again = kept_scores(store), embedded.log["chats"]
    assert ended.returncode == 0, ended.stdout
    assert 20 <= kept < whole
    assert asked > 0
    assert again <= whole - kept + PROBING


PROBING = 120  # requests that load a served model, and ask it again at the end


def test_a_run_goes_on_after_the_server_died(tmp_path):
    write(tmp_path, test_it=STATES)
    store = tmp_path / "s.sqlite"
    with running("tiny", warm=True) as server:
        server.faults(die_after=PROBING)
        ended = run(tmp_path, f"{server.spec},tries=2", f"--vl-store={store}")
    assert ended.returncode == 1
    assert f"{server.root}/v1 gave no answer in 2 tries" in ended.stdout
    kept = kept_scores(store)

    with running("tiny", warm=True, port=server.port) as again:
        ended = run(tmp_path, f"{again.spec},tries=2", f"--vl-store={store}")
        asked = again.log["chats"]
    assert ended.returncode == 0, ended.stdout
    assert 0 < kept < kept_scores(store)
    assert asked <= kept_scores(store) - kept + PROBING


def test_the_extra_is_named_where_httpx_is_missing(tmp_path):
    (tmp_path / "httpx.py").write_text("raise ImportError('no module')")
    code = "import vlcheck; vlcheck.load_model('openai:http://localhost/v1#m')"
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert 'python -m pip install "vlcheck[served]"' in ended.stderr
