"""`vlcheck gate`: only the whole, finished results of the run that is meant, in which nothing fails, are accepted."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from tests.report.pages import passing, results, rows, verdict
from vlcheck.cli import app
from vlcheck.results.file import write_results
from vlcheck.results.run_id import CI, of_ci

GOOD = rows({str(i): 0.1 for i in range(30)})
ENDED = {"run_id": "7", "exit_status": 0}


@pytest.fixture(autouse=True)
def no_ci(monkeypatch):
    for name in CI:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "vlcheck-results.jsonl"


def kept(path, *others, **run):
    """Write the results of a run with a verdict that passes, and others."""
    write_results(path, results((passing(), GOOD), *others, run=ENDED | run))
    return path


def gate(path, *arguments):
    done = CliRunner().invoke(app, ["gate", str(path), *arguments])
    return done.exit_code, done.stdout + done.stderr


def refused(path, *arguments, status=1):
    code, said = gate(path, *arguments)
    assert code == status, said
    assert "Traceback" not in said
    return said


def test_what_is_accepted_is_told_by_id_and_time(path):
    code, said = gate(kept(path))
    assert code == 0
    assert said == (
        f"accepted: {path}: run 7 of 02 January 2026, 03:04 UTC, 1 verdict on a-model, asked about scenes:6\n"
    )
    assert gate(path, "--run-id", "7") == (0, said)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"exit_status": 1}, "The run ended with 1."),
        ({"exit_status": None}, "It is of a run that goes on or was killed, or of an older vlcheck: run 7"),
        (
            {"run_id": None},
            "It is of a run that goes on or was killed, or of an older vlcheck: a run without an id",
        ),
        ({"complete": False}, "Not the whole suite was asked (--part accepts that)."),
        ({"unjudged": ["a.py::test_x[mlm]"]}, "No verdict on 1 selected test: test_x[mlm]."),
        ({"required": ["color", "position"]}, "The policy requires a pass or a fail of position, and there is none."),
    ],
)
def test_a_run_that_did_not_end_well_or_lacks_something_is_refused(path, changes, said):
    assert said in refused(kept(path, **changes))


@pytest.mark.parametrize("status", ["fail", "invalid", "inconclusive", "not asked"])
def test_a_verdict_that_is_no_pass_is_refused_unless_the_policy_lets_it_be(path, status):
    """Whatever the file says the run ended with."""
    other = verdict("test_other", status=status), GOOD
    assert "Neither passed nor excused by the policy: test_other[mlm]." in refused(kept(path, other))
    let_be = verdict("test_other", status=status, gates=False), GOOD
    assert gate(kept(path, let_be))[0] == 0


def test_a_known_bias_is_let_be_until_its_day_and_refused_where_it_is_gone(path):
    known = {"reason": "issue 7", "until": "2999-12-31", "expired": False}
    assert gate(kept(path, (verdict("test_other", known=known), GOOD)))[0] == 0
    refused(kept(path, (verdict("test_other", known=known | {"expired": True}), GOOD)))
    entry = {"bias": "color", "behavior": "", "metric": "", "stale": "the known bias no longer shows: remove it"}
    assert entry["stale"] in refused(kept(path, policy={"path": "p", "known": [entry]}))


def test_nothing_decided_is_refused(path):
    write_results(path, results((verdict(status="not asked", gates=False), GOOD), run=ENDED))
    assert "Nothing was decided" in refused(path)
    write_results(path, results(run=ENDED))
    assert "No verdict came of this run" in refused(path)


def test_a_part_is_accepted_where_that_is_said_and_never_with_a_test_that_has_no_verdict(path):
    assert gate(kept(path, complete=False), "--part")[0] == 0
    refused(kept(path, complete=False, unjudged=["test_x"]), "--part")
    refused(kept(path, (verdict("test_other"), GOOD), complete=False), "--part")


# Which run it is.


def test_another_runs_results_are_refused_and_the_file_of_the_run_is_named(path):
    said = refused(kept(path), "--run-id", "8")
    assert "It is of run 7 of 02 January 2026, 03:04 UTC; run 8 is asked for." in said
    kept(path.with_name("vlcheck-results.part.jsonl"), run_id="8")
    assert "run 8 is asked for. It wrote vlcheck-results.part.jsonl." in refused(path, "--run-id", "8")


@pytest.mark.parametrize(
    ("environment", "run_id"),
    [
        ({"GITHUB_RUN_ID": "12", "GITHUB_RUN_ATTEMPT": "3"}, "12-3"),
        ({"CI_PIPELINE_ID": "12", "CI_JOB_ID": "345"}, "12-345"),
        ({"CI_JOB_ID": "345"}, "345"),
        ({"BUILD_TAG": "jenkins-check-12"}, "jenkins-check-12"),
        ({"BUILDKITE_BUILD_ID": "0190"}, "0190"),
        ({"CIRCLE_WORKFLOW_ID": "ab-cd"}, "ab-cd"),
        ({"BUILD_BUILDID": "12", "SYSTEM_JOBATTEMPT": "2"}, "12-2"),
        ({"GITHUB_RUN_ID": ""}, ""),
        ({}, ""),
    ],
)
def test_a_ci_server_names_the_run(path, monkeypatch, environment, run_id):
    assert of_ci(environment) == run_id
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert gate(kept(path, run_id=run_id or "drawn"))[0] == 0
    assert gate(kept(path, run_id="committed"))[0] == (1 if run_id else 0)
    assert gate(path, "--run-id=committed")[0] == 0


@pytest.mark.parametrize("what", ["part", "unfinished"])
def test_older_results_are_refused_where_a_later_run_left_others_beside(path, what):
    beside = path.with_name(f"vlcheck-results.{what}.jsonl")
    kept(path)
    kept(beside, run_id="8", started="2026-01-02T03:04:06+00:00")
    said = (
        f"A later run began, and is not in this file: run 8 of 02 January 2026, 03:04 UTC, in {beside.name} (--run-id 7"
    )
    assert said in refused(path)
    assert gate(path, "--run-id=7")[0] == 0
    kept(beside, run_id="7", started="2026-01-02T03:04:06+00:00")  # of the same pipeline, started again
    assert "A later run began" in refused(path, "--run-id=7")
    kept(beside, run_id="8", started="2026-01-02T03:04:04+00:00")
    assert gate(path)[0] == 0


def test_a_run_that_is_not_over_is_refused_where_there_are_no_results_yet(path):
    beside = path.with_name("vlcheck-results.unfinished.jsonl")
    kept(beside, exit_status=None)
    assert "It is of a run that goes on or was killed" in refused(path)
    assert "It is of a run that goes on or was killed" in refused(beside)
    write_results(beside, results(run=ENDED | {"exit_status": 4}))
    said = refused(path)
    assert "The run ended with 4." in said
    assert "No verdict came of this run" in said
    assert "later" not in said


# What is no results file.


def cut(text, lines):
    return "".join(text.splitlines(keepends=True)[:lines])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda text: cut(text, -1), "of which no verdict follows; the file was cut short"),
        (lambda text: cut(text, 1), "promises 1 verdicts, and 0 follow; the file was cut short"),
        (
            lambda text: text.replace(text.splitlines()[3] + "\n", ""),
            "34 lines, and 33 follow; the file was cut short",
        ),
        (lambda text: text + "".join(text.splitlines(keepends=True)[1:]), "and 67 follow; the file was added to"),
        (lambda text: text[:-20], "ends within the line; the file was cut short"),
        (lambda text: text + text, "begins a second run after that of line 1"),
        (lambda text: f"<<<<<<< HEAD\n{text}", ":1: not JSON"),
        (lambda text: "", "holds no run"),
    ],
)
def test_a_file_that_is_not_whole_is_not_usable(path, spoil, said):
    kept(path)
    path.write_text(spoil(path.read_text()))
    assert said in refused(path, status=4)


def test_what_cannot_be_read_or_named_is_not_usable(path):
    assert "cannot be read as a results file" in refused(path, status=4)
    assert "cannot be read as a results file (File name too long)" in refused(path.with_name("n" * 300), status=4)
    assert "--run-id: is empty" in refused(kept(path), "--run-id", "", status=4)


def test_hostile_names_are_printed_as_text(path):
    said = refused(kept(path, (verdict(test="a::b\n::error::\x1b[31m"), GOOD), run_id="7\n::error::x", exit_status=1))
    assert "\n::" not in said
    assert "\x1b" not in said


def test_the_gate_imports_no_torch():
    imports = "import sys, vlcheck.results.gate, vlcheck.results.run_id"
    code = f"{imports}; print('torch' in sys.modules, 'PIL' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == "False"


def test_json_is_as_it_was_written(path):
    kept(path)
    run = json.loads(path.read_text().splitlines()[0])
    assert run["lines"] == len(path.read_text().splitlines())


def test_a_later_run_is_found_beside_what_a_link_leads_to(path, tmp_path):
    kept(path)
    kept(path.with_name("vlcheck-results.unfinished.jsonl"), run_id="8", started="2026-02-03T00:00:00+00:00")
    link = tmp_path / "artifacts" / "of-this-job.jsonl"
    link.parent.mkdir()
    link.symlink_to(path)
    assert "A later run began" in refused(link)


@pytest.mark.parametrize("name", ["mine.part", "mine.unfinished"])
def test_a_later_run_is_found_beside_results_that_are_named_as_those_of_a_part(tmp_path, name):
    path = kept(tmp_path / f"{name}.jsonl")
    kept(tmp_path / f"{name}.unfinished.jsonl", run_id="8", started="2026-02-03T00:00:00+00:00")
    assert "A later run began" in refused(path)
