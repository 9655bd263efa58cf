"""No path of a command or a run is waited for: a pipe ends it with 4, and with a line that names the path."""

import os
import shlex

import pytest
from typer.testing import CliRunner

from tests.plugin.conftest import project, write_cases  # noqa: F401
from tests.report.pages import small
from tests.waiting import no_longer_than
from vlcheck.cli import app
from vlcheck.results.file import write_results


@pytest.fixture(autouse=True)
def _soon():
    with no_longer_than(60):
        yield


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the pipe `pipe`, good results, and folders in which a file is a pipe."""
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    write_results(tmp_path / "good.jsonl", small())
    write_cases(tmp_path / "data", 4)
    for inner, name in {
        "words": "colors.toml",
        "model": "config.json",
        "original": "a.safetensors",
        "repository": "conftest.py",
        "trained": "SHA256SUMS",
        "begun": "tiny.checkpoint.pt",
        "coco/annotations": "captions_val2017.json",
    }.items():
        (tmp_path / inner).mkdir(parents=True)
        os.mkfifo(tmp_path / inner / name)
    for name in ("pipe.pth", "pipe.py", "pipe.png", "pipe.jpg"):
        os.mkfifo(name)
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        "report pipe",
        "report good.jsonl --to pipe",
        "report good.jsonl --baseline pipe",
        "report good.jsonl --beside pipe",
        "compare pipe good.jsonl",
        "compare good.jsonl pipe",
        "card pipe",
        "card good.jsonl --to pipe",
        "export mlflow pipe",
        "export hub pipe --benchmark a/b --task-id c",
        "export every-eval-ever pipe --organization a --to record.json",
        "export every-eval-ever good.jsonl --organization a --to pipe",
        "cases jsonl:pipe",
        "cases coco:coco",
        "cases scenes:2 --lexicons words",
        "cases jsonl:data/cases.jsonl --to pipe",
        "policy show --policy pipe",
        "policy calibrate --model tiny --data scenes:2 --to pipe",
        "policy calibrate --model tiny --data scenes:2 --store pipe",
        "models check albef:pipe.pth",
        "models check model",
        "models check vilt-original:original",
        "models check pipe.py:factory",
        "look pipe.jpg 'a [dog]' --model tiny",
        "look data/0.png 'a [dog]' --model tiny --to pipe.png",
        "train tiny --to trained",
        "train tiny --to begun --steps 1",
        "train tiny --to new --base pipe",
        "zoo matrix --to pipe",
        "init repository",
    ],
)
def test_a_command_does_not_wait_for_a_pipe(folder, command):

    done = CliRunner().invoke(app, shlex.split(command))
    assert done.exit_code == 4, done.output
    assert "Error: " in done.output
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    "option",
    [
        "--vl-data=jsonl:pipe",
        "--vl-policy=pipe",
        "--vl-lexicons=words",
        "--vl-store=pipe",
        "--vl-results=pipe",
        "--vl-report=pipe",
        "--vl-baseline=pipe",
        "--vl-beside=pipe",
        "--vl-model=albef:pipe.pth",
        "--vl-model=model",
        "--html=pipe",
        "--junit-xml=pipe",
        "--html=words",
    ],
)
def test_a_run_does_not_wait_for_a_pipe(project, option):  # noqa: F811
    os.mkfifo("pipe")
    os.mkfifo("pipe.pth")
    for name in ("words/colors.toml", "model/config.json"):
        (project.folder / name).parent.mkdir()
        os.mkfifo(project.folder / name)
    done = project.run(option, model="" if "model" in option else "competent")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    said = done.stderr.str()
    assert option.partition("=")[0] in said or "pipe" in said
    assert "Traceback" not in said + done.stdout.str()


def test_the_summary_of_a_step_is_not_waited_for(project, monkeypatch):  # noqa: F811
    os.mkfifo("pipe")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project.folder / "pipe"))
    done = project.run("--junit-xml=/dev/null")
    assert done.ret == 0
    done.stdout.fnmatch_lines(["*GITHUB_STEP_SUMMARY *pipe: cannot be written (it is a pipe)"])
