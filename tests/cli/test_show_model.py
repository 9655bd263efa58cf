"""`vlcheck models show`: the lines that docs/howto/setup.md has, and the same as JSON."""

import json
import re

from typer.testing import CliRunner

from tests.conftest import ROOT
from vlcheck.cli import app
from vlcheck.cli.show_model import shown_model
from vlcheck.models.loading.load import load_model
from vlcheck.models.setup import setup_of


def shown(spec, *, as_json=False):
    return [*shown_model(spec, device="cpu", dtype="float32", trusted=False, as_json=as_json)]


def test_the_table_is_that_of_the_page():
    (block,) = re.findall(r"```text\n(.*?)```", (ROOT / "docs/howto/setup.md").read_text(), re.DOTALL)
    assert shown("tiny") == block.splitlines()


def test_as_json():
    model, document = load_model("tiny"), json.loads("\n".join(shown("tiny", as_json=True)))
    assert document["setup"] == setup_of(model).said()
    assert (document["name"], document["fingerprint"]) == ("tiny", model.fingerprint)
    assert document["scores"] == {"mlm": "masked-lm", "itm": "match-head"}


def test_a_model_that_says_nothing(tmp_path, monkeypatch):
    (tmp_path / "plain.py").write_text(
        "class Plain:\n"
        "    name, fingerprint, mask, metrics = 'plain', 'f', '[MASK]', ('itm',)\n"
        "    def __init__(self, device, dtype): pass\n"
        "    def encode(self, images): return images\n"
        "    def itm(self, encoded, texts, foils=None): return [0.5] * len(texts)\n"
    )
    monkeypatch.chdir(tmp_path)
    assert shown("plain.py:Plain")[-1] == "setup        the model does not say it"


def test_on_the_command_line():
    table, document = (CliRunner().invoke(app, ["models", "show", "tiny", *more]) for more in ([], ["--json"]))
    assert (table.exit_code, document.exit_code) == (0, 0)
    assert table.stdout.splitlines() == shown("tiny")
    assert json.loads(document.stdout) == json.loads("\n".join(shown("tiny", as_json=True)))


def test_a_spec_that_names_nothing_and_a_setup_that_fails_are_sentences(tmp_path):
    (tmp_path / "mine.py").write_text(
        "from vlcheck.models.setup import Setup\n"
        "class Mine:\n"
        "    name, fingerprint, mask, metrics = 'mine', 'f', '[MASK]', ('itm',)\n"
        "    def __init__(self, device, dtype): pass\n"
        "    def encode(self, images): return images\n"
        "    def itm(self, encoded, texts, foils=None): return [0.5] * len(texts)\n"
        "    def setup(self) -> Setup: raise RuntimeError('no GPU')\n"
    )
    for spec, said in (
        ("tinny", "no such model"),
        (f"{tmp_path}/mine.py:Mine", "its method setup fails. RuntimeError"),
    ):
        done = CliRunner().invoke(app, ["models", "show", spec])
        assert done.exit_code == 4
        assert said in " ".join(done.output.split())
        assert "Traceback" not in done.output
