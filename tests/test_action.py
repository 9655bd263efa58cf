"""The composite action, run as far as a machine without GitHub can: each of its shell steps, in a shell."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tests.warm_python import warm_python
from vlcheck.results.run_id import CI
from vlcheck.suite import install

ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS = ACTION["runs"]["steps"]
SCRIPTS = {step["name"]: step for step in STEPS if "run" in step}
DEFAULTS = {name: str(its.get("default", "")) for name, its in ACTION["inputs"].items()}
HOSTILE = """it's a "name" $(touch pwned) `touch pwned` ${HOME} ; touch pwned # * \\"""
BASH = shutil.which("bash") or "bash"
LEFT = {"report.html", "vlcheck-results.jsonl", "junit.xml"}


def plain(text: str) -> str:
    """Return a text without what messages spell in other ways: quotes and backslashes."""
    return re.sub(r"['\"\\]", "", text)


class Runner:
    """GitHub's runner, as far as the steps see it.

    Args:
        workspace: where a repository is checked out.
        **inputs: the inputs of the action, beside the default ones.
    """

    def __init__(self, workspace: Path, **inputs: str) -> None:
        self.workspace, self.inputs = workspace, DEFAULTS | inputs
        self.files = {name: workspace.parent / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        self.outputs: dict[str, str] = {}

    def run(self, name: str, **changes: str) -> subprocess.CompletedProcess[str]:
        """Run a step; keep what it wrote to its file of outputs.

        Args:
            name: the step's name.
            **changes: variables beside those that a runner and the step set.
        """
        for path in self.files.values():
            path.write_text("")
        programs = [warm_python().bin, Path(sys.executable).parent, os.environ["PATH"]]
        here = {"PATH": os.pathsep.join(map(str, programs)), "PYTHONPATH": str(ROOT), "GITHUB_ACTIONS": "true"}
        here |= dict.fromkeys(CI, "") | {"GITHUB_RUN_ID": "77", "GITHUB_RUN_ATTEMPT": "1"}
        here |= {name: str(path) for name, path in self.files.items()}
        here |= {name: self.value(text) for name, text in SCRIPTS[name]["env"].items()}
        done = subprocess.run(
            [BASH, "--noprofile", "--norc", "-eo", "pipefail", "-c", SCRIPTS[name]["run"]],
            cwd=self.workspace,
            env=os.environ | here | changes,
            capture_output=True,
            text=True,
            check=False,
        )
        self.outputs |= dict(line.split("=", 1) for line in self.files["GITHUB_OUTPUT"].read_text().splitlines())
        return done

    def value(self, text: str) -> str:
        """Return the value of an expression of the action."""
        (name,) = re.fullmatch(r"\$\{\{ (\S+)(?: \|\| github\.action_path)? \}\}", text).groups()
        room, _, key = name.partition(".")
        if room == "inputs":
            return self.inputs[key] or ("" if "||" not in text else str(ROOT))
        return self.outputs.get(key.rpartition(".")[2], "")


@pytest.fixture
def workspace(tmp_path):
    """A team's repository, with the suite, as it is checked out."""
    folder = tmp_path / "work space"
    folder.mkdir()
    install.write_copy(folder, install.read_copy(folder))
    return folder


def test_inputs_and_outputs_reach_the_shell_as_variables_alone():
    """GitHub puts what stands in ${{ }} into a script before a shell reads it."""
    assert {"model", "data", "baseline", "policy", "args"} <= ACTION["inputs"].keys()
    assert [name for name, step in SCRIPTS.items() if "${{" in step["run"]] == []
    assert {step["shell"] for step in SCRIPTS.values()} == {"bash"}
    required = {name for name, its in ACTION["inputs"].items() if its.get("required")}
    assert required == {"model", "data"}


def test_what_a_failing_run_leaves_is_kept_and_nothing_is_released_in_spite_of_it():
    (upload,) = [step for step in STEPS if "uses" in step]
    assert upload["if"] == SCRIPTS["Gate"]["if"] == "always()"
    assert {*upload["with"]["path"].split()} == LEFT
    assert [step["name"] for step in STEPS if "continue-on-error" in step] == []


@pytest.mark.slow
def test_a_model_that_passes_is_accepted(workspace):
    runner = Runner(workspace, model="tiny", data="scenes:30", args="-k\nachromatic and not hue\n", part="true")
    check = runner.run("Check")
    assert check.returncode == 0, check.stdout + check.stderr
    assert "| color |" in runner.files["GITHUB_STEP_SUMMARY"].read_text()
    gate = runner.run("Gate")
    assert gate.returncode == 0, gate.stdout + gate.stderr
    assert gate.stdout.startswith("accepted: vlcheck-results.jsonl: run 77-1 of ")
    assert {path.name for path in workspace.iterdir()} >= LEFT
    assert runner.outputs == {
        "results": "vlcheck-results.jsonl",
        "page": "report.html",
        "junit": "junit.xml",
        "status": "0",
        "accepted": "true",
    }


@pytest.mark.slow
def test_a_model_that_fails_is_refused_and_its_page_is_there_in_a_repository_without_a_suite(tmp_path):
    (tmp_path / "bare").mkdir()
    runner = Runner(tmp_path / "bare", model="tiny-mirror", data="scenes:30", args="-k\nmirror_swaps")
    check = runner.run("Check")
    assert check.returncode == 1, check.stdout + check.stderr
    assert "::error title=position%3A test_mirror_swaps_sides [" in check.stdout
    assert {path.name for path in runner.workspace.iterdir()} >= LEFT | {"behavior_tests", "fixtures"}
    assert runner.outputs["status"] == "1"
    gate = runner.run("Gate")
    assert (gate.returncode, gate.stdout) == (1, "not accepted: pytest ended with 1\n")
    assert runner.outputs["accepted"] == "false"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["model", "data", "baseline", "policy", "suite"])
def test_an_input_is_a_name_whatever_characters_are_in_it(workspace, name):
    """Nothing of it is run, split or matched against files; the error of vlcheck or pytest quotes it."""
    runner = Runner(workspace, **{"model": "tiny", "data": "scenes:3", "args": "-kmirror_swaps", name: HOSTILE})
    done = runner.run("Check")
    assert done.returncode == 4, done.stdout + done.stderr
    assert plain(HOSTILE) in plain(done.stdout + done.stderr)
    assert not [*workspace.rglob("pwned")]
    assert runner.outputs["status"] == "4"


def test_a_line_of_args_is_one_argument(workspace):
    runner = Runner(workspace, model="tiny", data="scenes:3", args=f"-kmirror_swaps\n\n-q\n{HOSTILE}\n")
    done = runner.run("Check")
    assert done.returncode == 4
    assert plain(HOSTILE) in plain(done.stdout + done.stderr)
    assert not [*workspace.rglob("pwned")]


@pytest.mark.parametrize(
    ("part", "status", "said"), [("maybe", "0", "part: has to be true or false."), ("false", "", "")]
)
def test_the_gate_refuses_what_is_not_plainly_good(workspace, part, status, said):
    """A check that never came to its end has no status."""
    runner = Runner(workspace, part=part)
    runner.outputs = {"status": status}
    done = runner.run("Gate")
    assert done.returncode == (4 if said else 1)
    assert said in done.stderr
    assert runner.outputs["accepted"] == "false"


@pytest.mark.slow
def test_what_is_named_is_installed_whatever_its_path(wheel_path, workspace, tmp_path):
    folder = tmp_path / "a $(touch pwned) 'wheel'"
    folder.mkdir()
    wheel = shutil.copy(wheel_path, folder)
    quiet = {"PIP_TARGET": str(tmp_path / "site"), "PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1"}
    done = Runner(workspace, vlcheck=str(wheel)).run("Install vlcheck", **quiet)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "site" / "vlcheck" / "cli").is_dir()
    assert not [*workspace.rglob("pwned")]
    assert Runner(workspace).value(SCRIPTS["Install vlcheck"]["env"]["VLCHECK"]) == str(ROOT)
