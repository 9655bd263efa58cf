"""Runs kept in Weights & Biases, by its own client without a network: its run file has the values.

Each command has a process of its own, no copy of another one: the client makes its folders when it is imported.
"""

import json
import os
import struct
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.report import pages
from vlcheck.results.file import write_results

pytestmark = [
    pytest.mark.nightly,  # the client starts a process of its own, which takes ten seconds
    pytest.mark.slow,
]
pytest.importorskip("wandb", reason="needs vlcheck[wandb]")
_BLOCK, _HEAD, _LAST = 32_768, 7, (1, 4)  # of LevelDB's log format, in which the run file is written


def records(path):
    """The records of a run file by kind."""
    from wandb.proto.wandb_internal_pb2 import Record

    raw, at, whole, found = path.read_bytes(), _HEAD, b"", {}
    while at + _HEAD <= len(raw):
        if _BLOCK - at % _BLOCK < _HEAD:
            at += _BLOCK - at % _BLOCK
            continue
        _, length, kind = struct.unpack("<IHB", raw[at : at + _HEAD])
        whole, at = whole + raw[at + _HEAD : at + _HEAD + length], at + _HEAD + length
        if kind in _LAST:
            record, whole = Record.FromString(whole), b""
            found.setdefault(record.WhichOneof("record_type"), []).append(record)
    return found


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """As of a user whose tracker is offline, and whose folders are of this test."""
    for name in ("DATA", "CACHE", "CONFIG"):
        monkeypatch.setenv(f"WANDB_{name}_DIR", str(tmp_path / name.lower()))
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def typed(*arguments):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    command = [sys.executable, "-m", "vlcheck", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def exported(folder, results, *options):
    path = folder / "results.jsonl"
    write_results(path, results)
    done = typed("export", "wandb", path, "--project=mine", *options)
    assert done.returncode == 0, done.stderr
    (file,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    assert f"offline: wandb sync {file.parent}" in done.stdout
    return records(file), done


def values(found):
    """The logged values by their names."""
    items = [item for record in found["history"] for item in record.history.item]
    return {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items}


def test_the_run_file_has_metrics_config_tags_page_and_tables_with_pictures(offline):
    found, _ = exported(offline, pages.small(run={"exit_status": 1, "run_id": "7"}))
    logged = values(found)
    assert sorted(value for name, value in logged.items() if name.endswith("violation_rate")) == [0, 0.666667]
    assert (logged["verdicts/fail"], logged["biases/fail"]) == (1, 1)
    assert (logged["evidence/_type"], logged["evidence/nrows"]) == ("table-file", 9)
    told = found["run"][0].run
    config = {one.key: json.loads(one.value_json) for one in told.config.update}
    assert (told.project, told.display_name, config["data"], config["vlcheck.run_id"]) == (
        "mine",
        "a-model",
        "scenes:6",
        "7",
    )
    assert list(told.tags) == ["conclusion: fail", "status: ended", "version: 0.1.0"]
    assert told.notes.startswith("Fails 1 of 2 biases (color)")
    kept = {path for one in found["artifact"] for path in (entry.path for entry in one.artifact.manifest.contents)}
    assert {"report.html", "results.jsonl", "evidence.table.json", "verdicts.table.json"} <= kept
    assert any(path.startswith("media/images/") for path in kept)
    assert found["exit"][0].exit.exit_code == 0


def test_a_stopped_run_ends_with_its_exit_status(offline):
    found, done = exported(offline, pages.small(run={"exit_status": 2, "versions": {"vlcheck": "0.0.9"}}), "--worst=0")
    assert found["exit"][0].exit.exit_code == 2
    assert list(found["run"][0].run.tags)[1:] == ["status: stopped", "version: 0.0.9"]
    assert "evidence/_type" not in values(found)
    assert "asked by vlcheck 0.0.9; this is" in done.stdout


def test_without_a_key_the_command_says_what_to_do_and_loses_nothing(offline, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("HOME", str(offline))
    path = offline / "results.jsonl"
    write_results(path, pages.small())
    before = path.read_bytes()
    done = typed("export", "wandb", path)
    assert done.returncode == 4
    assert "export wandb: the run could not be kept in project vlcheck (UsageError: " in done.stderr
    assert "Nothing is lost" in done.stderr
    assert "WANDB_MODE=offline keeps it in a folder, which `wandb sync` sends later." in done.stderr
    assert path.read_bytes() == before


def test_a_server_that_is_not_there_is_given_up_after_half_a_minute(offline, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("WANDB_API_KEY", "a" * 40)
    path = offline / "results.jsonl"
    write_results(path, pages.small())
    done = typed("export", "wandb", path)
    assert (done.returncode, "connection refused" in done.stderr) == (4, True), done.stderr
