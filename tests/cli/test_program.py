"""`vlcheck` as typed: the program itself, before any of its commands."""

import importlib
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from tests.conftest import ROOT
from tests.report.pages import small
from vlcheck import __version__
from vlcheck.cli import VLCheck, app
from vlcheck.results.file import write_results

ENTRY = [str(Path(sys.executable).with_name("vlcheck"))]
MODULE = [sys.executable, "-m", "vlcheck"]
HEAVY = ("torch", "transformers", "numpy", "scipy", "PIL", "rich")


def typed(*command, **environment):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "100"} | environment
    return subprocess.run([*command], capture_output=True, text=True, check=False, env=environment)


def refused(*arguments):
    done = CliRunner().invoke(app, [*arguments], prog_name="vlcheck")
    assert done.exit_code == 4
    return done.output


def test_the_module_is_the_program():
    (entry, module) = (typed(*command, "--help") for command in (ENTRY, MODULE))
    assert entry.returncode == 0
    assert (entry.stdout, entry.stderr) == (module.stdout, module.stderr)
    assert entry.stdout.startswith("Usage: vlcheck ")


def test_the_version_is_said():
    done = typed(*MODULE, "--version")
    assert (done.returncode, done.stdout) == (0, f"vlcheck {__version__}\n")


def test_the_help_lists_every_command_with_its_sentence():
    done = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "1000", "TERMINAL_WIDTH": "1000"})
    said = " ".join(done.stdout.split())
    for name, place in VLCheck.places.items():
        module, _, attribute = place.partition(":")
        found = getattr(importlib.import_module(module), attribute)
        sentence = found.info.help if isinstance(found, typer.Typer) else found.__doc__
        assert f"{name} {' '.join(sentence.split())}" in said


def test_every_module_of_commands_is_reached():
    """One that is written and not named in the table would be no command."""
    helpers = {"__init__", "__main__", "arguments", "console", "group", "home", "offered", "show_model"}
    modules = {path.stem for path in (ROOT / "vlcheck" / "cli").glob("*.py")} - helpers
    assert {place.partition(":")[0] for place in VLCheck.places.values()} == {f"vlcheck.cli.{name}" for name in modules}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["reprot"], "No such command 'reprot'. Did you mean 'report'?"),
        (["Report", "x"], "No such command 'Report'. Did you mean 'report'?"),
        (["xyzzy"], "No such command 'xyzzy'. Known: audit, board, card, cases, compare,"),
        (["models", "chek"], "No such command 'chek'. Did you mean 'check'?"),
        (["policy", "calibrat"], "No such command 'calibrat'. Did you mean 'calibrate'?"),
        (["zoo", "matrx"], "No such command 'matrx'. Did you mean 'matrix'?"),
        (["report", "--basline", "x", "y"], "No such option: --basline"),
        (["plan", "scenes", "--modle", "tiny"], "--model"),
        (["--versoin"], "--version"),
        (["report"], "Missing argument"),
        (["compare", "a", "b", "--alpha", "x"], "Invalid value for '--alpha'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_mistyped_is_told_what_was_meant(arguments, said):
    assert said in refused(*arguments)


@pytest.mark.parametrize("arguments", [[], ["policy"], ["zoo"], ["explain"]], ids=str)
def test_nothing_to_do_is_no_success(arguments):
    """As in a job whose variable is empty."""
    assert "Commands:" in refused(*arguments)


@pytest.mark.parametrize(
    ("line", "offered"),
    [("vlcheck rep", "report"), ("vlcheck models c", "check"), ("vlcheck report --bas", "--baseline")],
)
def test_a_shell_completes_commands_and_options(line, offered):
    count = len(line.split()) - 1
    done = typed(*MODULE, _VLCHECK_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(count))
    assert done.stdout.split() == [offered], done.stderr


def test_a_shell_is_given_what_it_needs():
    # typer finds the shell among the parents of the process; a worker of xdist has none.
    command = f"{shlex.join(MODULE)} --show-completion; exit $?"  # with more to do, bash stays the parent
    assert "_VLCHECK_COMPLETE=complete_bash" in typed("bash", "-c", command).stdout


CODE = f"""
import json, sys
from typer.testing import CliRunner
from vlcheck.cli import app

found = {{}}
for arguments in json.loads(sys.argv[1]):
    done = CliRunner().invoke(app, arguments)
    if done.exit_code not in (0, 1):
        sys.exit(f"{{arguments}}: {{done.output}}")
    found[" ".join(arguments[:2])] = [name for name in {HEAVY} if name in sys.modules]
print(json.dumps(found))
"""


def test_what_touches_no_model_brings_no_torch(tmp_path):
    """One process does all of it; the help comes first, and brings nothing at all."""
    path, folder = str(tmp_path / "results.jsonl"), str(tmp_path / "repository")
    write_results(Path(path), small())
    commands = [["--help"], ["--version"], ["models", "--help"], ["look", "--help"], ["zoo", "matrix", "--help"]]
    commands += [
        ["card", path],
        ["compare", path, path],
        ["report", path],
        ["init", folder],
        ["init", "--diff", folder],
    ]
    commands += [
        ["cases", "scenes:2"],
        ["models"],
        ["policy", "show"],
        ["plan", "scenes:2"],
        ["policy", "calibrate", "--help"],
    ]
    done = typed(sys.executable, "-c", CODE, json.dumps(commands))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["--help"] == found["--version"] == []
    assert {name for names in found.values() for name in names} <= {"numpy", "scipy", "PIL"}
