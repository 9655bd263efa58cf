"""A model of one's own in a run and in the commands: it finds what lies beside it, and its errors name its lines."""

import sys

import pytest
from PIL import Image
from typer.testing import CliRunner

from tests.plugin.conftest import ROOT
from vlcheck.cli import app

FACTORY = f"""
import sys
sys.path.append({str(ROOT)!r})

from beside_it import refuse
from tests.doubles import Competent, factory

class Refusing(Competent):
    def encode(self, images):
        return refuse(images)

refusing = factory(Refusing)
"""
BESIDE = """
import json

def refuse(images):
    return json.loads('no pictures')
"""
LINE = "JSONDecodeError: Expecting value: line 1 column 1 (char 0) (mine/beside_it.py:5)"


@pytest.fixture
def mine(project, monkeypatch):
    """The spec of a factory in a folder of its own, which fails in a file beside it."""
    monkeypatch.chdir(project.folder)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (project.folder / "mine").mkdir()
    (project.folder / "mine" / "factory.py").write_text(FACTORY)
    (project.folder / "mine" / "beside_it.py").write_text(BESIDE)
    yield "mine/factory.py:refusing"
    sys.modules.pop("beside_it", None)


def test_a_run_says_where_a_model_fails(project, mine):
    result = project.run(f"--vl-model={mine}", "-k", "grayscale and itm", model="")
    assert LINE in project.results("verdict")[0]["reason"], result.stdout.str()


@pytest.mark.parametrize(
    "command",
    [
        ("plan", "DATA", "--suite=.", "--model", "MODEL"),
        ("look", "photograph.png", "a [red] bus", "--model", "MODEL"),
        ("models", "check", "MODEL", "--data=scenes:8"),
    ],
    ids=lambda command: command[0],
)
def test_a_command_finds_what_lies_beside_a_factory_and_says_where_it_fails(project, mine, command):
    Image.new("RGB", (8, 8)).save("photograph.png")
    said = {"DATA": project.data, "MODEL": mine}
    done = CliRunner().invoke(app, [said.get(part, part) for part in command])
    assert LINE in done.stdout, done.output
