"""What becomes of results: unfinished while the run goes on, whole ones replaced by whole ones alone."""

import json
import re

import pytest
from typer.testing import CliRunner

from tests.plugin.test_bad_input import complaint
from tests.plugin.test_report import _stopped
from vlcheck.cli import app
from vlcheck.results.file import read

pytestmark = pytest.mark.slow

PART = "vlcheck-results.part.jsonl"
UNFINISHED = "vlcheck-results.unfinished.jsonl"
LOOKS = """
import json
from pathlib import Path
from tests import doubles


def {name}(device, dtype):
    lines = Path("{unfinished}").read_text().splitlines()
    Path("seen.json").write_text(json.dumps([json.loads(line) for line in lines]))
    return doubles.competent(device, dtype)
"""
ENDS = """
import os
from tests.doubles import Competent, competent


def at_once(device, dtype):
    os._exit(0)


class Later(Competent):
    def encode(self, images):
        os._exit(0)


def later(device, dtype):
    model = competent(device, dtype)
    model.__class__ = Later
    return model
"""


def files(project):
    return sorted(path.name for path in project.folder.glob("vlcheck-results*"))


@pytest.fixture(scope="module")
def once():
    """What one run has left for several tests."""
    return {}


@pytest.fixture
def whole(project, once):
    """A project with the results of a whole run, and its page; what they hold."""
    if not once:
        project.run("--vl-report=page.html", "--vl-run-id=first")
        once |= {name: (project.folder / name).read_bytes() for name in ("vlcheck-results.jsonl", "page.html")}
    for name, content in once.items():
        (project.folder / name).write_bytes(content)
    return once


def is_as_it_was(project, whole, *names):
    return all((project.folder / name).read_bytes() == whole[name] for name in names or whole)


def test_an_unfinished_file_says_which_run_it_is_until_the_results_take_its_place(project):
    (project.folder / "mine.py").write_text(LOOKS.format(name="factory", unfinished=UNFINISHED))
    project.run("--vl-model=mine.py:factory", "--vl-run-id=77", model="")
    (begun,) = json.loads((project.folder / "seen.json").read_text())
    assert (begun["run_id"], begun["complete"], begun["model"]) == ("77", False, "mine.py:factory")
    assert "exit_status" not in begun
    (run,) = project.results("run")
    assert (run["run_id"], run["started"], run["exit_status"]) == ("77", begun["started"], 0)
    assert run["lines"] == len((project.folder / "vlcheck-results.jsonl").read_text().splitlines())
    assert files(project) == ["vlcheck-results.jsonl"]


def test_a_part_goes_beside_a_whole_runs_results_and_the_page_shows_the_part(project, whole):
    results, part = project.folder / "vlcheck-results.jsonl", project.folder / PART
    one = "test_states.py::test_grayscale_preserves"
    for arguments in ("-k", "grayscale"), ("test_states.py",), (one,), (f"--deselect={one}",), ("-x",):
        result = project.run(*arguments, "--vl-report=page.html", model="loves_color")
        assert is_as_it_was(project, whole, results.name)
        result.stdout.fnmatch_lines([f"results: {part} (a part; {results.name} keeps run first of *"])
        page = (project.folder / "page.html").read_text()
        assert "LovesColor" in page
        assert PART in page
        assert files(project) == [results.name, PART]
        part.unlink()


def test_a_part_replaces_a_part_and_a_whole_run_replaces_both_kinds_of_name(project):
    for tests in ("grayscale", "another_image"):
        project.run("-k", tests)
        assert {tests in line["test"] for line in project.results("verdict")} == {True}
    project.run()
    assert len(project.results("verdict")) == 4
    project.run(model="loves_color")
    assert project.results("run")[0]["name"] == "LovesColor"
    assert files(project) == ["vlcheck-results.jsonl"]


def test_a_run_that_is_stopped_is_a_part(project, whole):
    project.pytester.makeconftest(
        """
        import pytest

        def pytest_runtest_setup(item):
            if "another_image" in item.name:
                pytest.exit("stopped")
        """
    )
    result = project.run()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert is_as_it_was(project, whole)
    assert len(project.results("verdict", PART)) == 2
    assert project.results("run", PART)[0]["exit_status"] == pytest.ExitCode.INTERRUPTED


@pytest.mark.parametrize(
    ("arguments", "model"),
    [
        (("-k", "mlm"), "matches_only"),  # whose tests are all skipped
        ((), "interrupted"),
        (("--vl-store=data",), "competent"),
        (("--vl-model=albeff:model.pth",), ""),
    ],
    ids=["skipped", "Ctrl-C", "no store", "no model"],
)
def test_a_run_that_judged_nothing_leaves_older_results_and_their_page_as_they_were(project, whole, arguments, model):
    arguments = (*arguments, "--vl-report=page.html", "--vl-run-id=second")
    result = project.run(*arguments, model=model, subprocess=model == "interrupted")
    assert result.ret != 0
    assert is_as_it_was(project, whole)
    said = [
        "left unchanged: *vlcheck-results.jsonl",
        "left unchanged: *page.html",
        "*othing was checked.",
    ]
    result.stdout.fnmatch_lines(said)
    (run,) = project.results("run", UNFINISHED)
    assert (run["run_id"], len(read(project.folder / UNFINISHED).verdicts)) == ("second", 0)


def test_an_internal_error_while_scoring_leaves_older_results(project, whole, monkeypatch):
    monkeypatch.setattr("vlcheck.evaluation.session.Session.score", lambda *_: 1 / 0)
    result = project.run()
    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    assert is_as_it_was(project, whole)
    assert "No verdict came of this run" in result.stderr.str()
    assert project.results("run", UNFINISHED)[0]["exit_status"] == pytest.ExitCode.INTERNAL_ERROR


@pytest.mark.parametrize("key", ["python_functions=test_grayscale*", "python_files=test_states.py"])
def test_a_run_whose_command_line_overrides_what_is_a_test_is_a_part(project, whole, key):
    assert project.run("-o", key).ret == 0
    assert is_as_it_was(project, whole)
    assert project.results("run", PART)[0]["complete"] is False


def test_a_run_without_a_name_draws_one(project):
    drawn = [project.run("-k", "grayscale and mlm") and project.results("run")[0]["run_id"] for _ in "ab"]
    assert len(set(drawn)) == 2
    assert all(re.fullmatch(r"[0-9a-f]{32}", one) for one in drawn)


@pytest.mark.parametrize("said", ["", " ", "x" * 201, "a\nb"])
def test_an_id_that_names_nothing_is_refused(project, said):
    assert "--vl-run-id" in complaint(project.run(f"--vl-run-id={said}"))


@pytest.mark.parametrize("name", [PART, UNFINISHED])
def test_what_stands_beside_the_results_and_is_none_is_left_alone(project, log, name):
    (project.folder / name).write_text("mine")
    message = complaint(project.run(model="counting"))
    assert f"--vl-results {project.folder / name}: is there and is no results file of vlcheck's" in message
    assert (project.folder / name).read_text() == "mine"
    assert not log.exists()


def test_a_baseline_is_in_none_of_the_places(project, whole):
    project.run("-k", "grayscale")
    message = complaint(project.run("-k", "grayscale", f"--vl-baseline={PART}", model="loves_color"))
    assert "is where the results go (--vl-results)" in message


def test_ctrl_c_while_a_part_is_written_leaves_the_whole_run(project, whole, monkeypatch):
    monkeypatch.setattr("vlcheck.results.places.write_results", _stopped)
    result = project.run("-k", "grayscale")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert is_as_it_was(project, whole)
    assert UNFINISHED in files(project)


@pytest.mark.parametrize(
    ("factory", "workers", "status"),
    [("at_once", (), 0), ("later", (), 0), ("later", ("-n", "2", "--max-worker-restart=0"), 1)],
)
def test_native_code_that_ends_the_process_with_0_does_not_pass_the_gate(project, whole, factory, workers, status):
    """No exit hook of Python's runs under os._exit, nor one of pytest's."""
    (project.folder / "ends.py").write_text(ENDS)
    result = project.run(f"--vl-model=ends.py:{factory}", *workers, model="", subprocess=True)
    assert result.ret == status
    assert is_as_it_was(project, whole)
    done = CliRunner().invoke(app, ["gate", str(project.folder / "vlcheck-results.jsonl")])
    assert done.exit_code == 1
    assert "A later run began, and is not in this file: " in done.stdout
    assert f", in {UNFINISHED} (--run-id first asks for this one)." in done.stdout


@pytest.mark.parametrize("option", ["--vl-results", "--vl-report"])
def test_a_name_that_is_too_long_is_named(project, option):
    result = project.run(option, "n" * 300)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {option} *: cannot be looked at (File name too long)."])
