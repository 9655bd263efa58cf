"""`vlcheck parity`, as typed: its exit status says same, different or inconclusive."""

import json

import pytest
from typer.testing import CliRunner

from vlcheck.cli import app

RULED = "tests/equivalence/ruled.py"
DATA = ("--data", "scenes:4")


def run(*arguments):
    return CliRunner().invoke(app, ["parity", *map(str, arguments)])


@pytest.fixture(autouse=True)
def in_the_checkout(monkeypatch, pytestconfig):
    monkeypatch.chdir(pytestconfig.rootpath)


@pytest.mark.parametrize(
    ("margin", "b", "status", "said"),
    [
        (0.6, "ruled", 0, "same: every difference is within its margin, on 4 images."),
        (0.01, "ruled", 2, "inconclusive: 4 images cannot show sameness at these margins, even without a difference"),
        (
            0.01,
            "other_kind",
            2,
            "mlm is not compared: A's scores are of the kind masked-lm, B's of the kind candidates",
        ),
        (0.6, "only_itm", 0, "mlm is not compared: B has no mlm"),
    ],
)
def test_the_exit_status_says_what_is_shown(tmp_path, margin, b, status, said):
    (tmp_path / "policy.toml").write_text(f"[parity]\nchanged = {margin}\nshift = {margin}\ndifference = {margin}\n")
    done = run(f"{RULED}:ruled", f"{RULED}:{b}", *DATA, "--policy", tmp_path / "policy.toml")
    assert done.exit_code == status, done.output
    assert said in done.output


def test_models_without_a_metric_in_common_are_never_the_same():
    done = run(f"{RULED}:only_itm", f"{RULED}:only_mlm", *DATA)
    assert done.exit_code == 2
    assert "nothing could be compared" in done.output


def test_answers_are_kept_and_reports_written(tmp_path):
    kept, report, page = (tmp_path / name for name in ("a.parity", "report.json", "report.md"))
    assert run(f"{RULED}:ruled", "--keep", kept, *DATA).exit_code == 0
    done = run(kept, f"{RULED}:ruled", "--json", report, "--markdown", page)
    assert done.exit_code == 2, done.output
    assert json.loads(report.read_text())["status"] == "inconclusive"
    assert page.read_text().startswith("## Parity: inconclusive")
    assert run(kept, kept, "--json", report, "--markdown", page).exit_code == 2  # they replace the older ones
    page.write_text("mine")
    refused = run(kept, kept, "--markdown", page)
    assert (refused.exit_code, page.read_text()) == (4, "mine")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["tiny"], "B: names nothing; name a second model, or --keep FILE to keep the answers of A."),
        (["tiny", "tiny", "--keep", "a.parity"], "--keep a.parity: keeps the answers of one model; leave B out"),
        (["tiny", "tiny"], "--vl-data None: has to be a spec"),
        (["tiny", "--keep", "absent/a.parity", *DATA], "--keep absent/a.parity"),
        (["absent.parity", "tiny", *DATA], "A absent.parity: absent.parity: cannot be read"),
        (["tiny", "tiny", *DATA, "--dtype-b", "float3"], "--dtype-b"),
    ],
)
def test_what_cannot_be_used_is_named_as_it_is_typed(arguments, said):
    done = run(*arguments)
    assert done.exit_code == 4
    assert said in done.stderr
