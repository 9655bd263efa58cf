"""`~` in the options of commands."""

import pytest
from typer.testing import CliRunner

from tests.plugin.conftest import write_cases
from vlcheck.cli import app


def invoke(*arguments):
    return CliRunner().invoke(app, [*map(str, arguments)])


def test_a_command_writes_to_the_home_folder_and_makes_none_that_is_called_so(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    write_cases(tmp_path / "data", 2)
    done = invoke("cases", "jsonl:~/data/cases.jsonl", "--to=~/mine/cases.jsonl", "--copy")
    assert done.exit_code == 0, done.output
    assert len((tmp_path / "mine" / "cases.jsonl").read_text().splitlines()) == 2
    assert not (tmp_path / "~").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("cases", "scenes:1", "--to=~nobody-here/x"),
        ("policy", "show", "--vl-policy=~nobody-here/x"),
        ("cases", "coco:~nobody-here/x"),
        ("plan", "scenes:1", "--model=~nobody-here/x"),
    ],
)
def test_a_home_that_nobody_has_is_said_without_a_traceback(arguments):
    done = invoke(*arguments)
    assert done.exit_code == 4
    assert "no home folder is known for ~nobody-here" in done.output
    assert isinstance(done.exception, SystemExit)
