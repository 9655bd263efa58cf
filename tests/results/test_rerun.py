"""The command that repeats a verdict: what is pasted asks for this verdict, and for nothing else."""

import shlex
import subprocess
import sys

import pytest
from msgspec.structs import replace

import vlcheck
from tests.conftest import ROOT
from tests.report.pages import RUN, contributions, verdict
from vlcheck.policy.toml_file import load_policy
from vlcheck.results.records import PolicyInForce
from vlcheck.results.rerun import repeat_advice, repeat_command
from vlcheck.results.schema import record_of
from vlcheck.suite.shipped import policy_path

PLAIN = record_of(RUN | {"policy": {"path": "/x/fixtures/policy.toml"}})
OWN = record_of(verdict())


def words(run=PLAIN, verdict=OWN, **changes):
    return shlex.split(repeat_command(replace(run, **changes), verdict))


def test_it_names_the_test_the_model_and_the_data():
    assert words() == ["pytest", OWN.test, "--vl-model=file.py:factory", "--vl-data=scenes:6"]


@pytest.mark.parametrize(
    "odd", ["it's", 'a "b"', "$(reboot)", "`x`", "a b;c", "--vl-data=x", "日本", "*", "#x", "~", "\\"]
)
def test_each_name_stays_one_word(odd):
    own = replace(OWN, test=f"{odd}/t.py::test_x[{odd}]") if not odd.startswith("-") else OWN
    assert words(verdict=own, model=odd, data=odd)[1:] == [own.test, f"--vl-model={odd}", f"--vl-data={odd}"]


def test_it_has_the_options_that_the_verdict_depends_on():
    run = replace(PLAIN, device="cuda", dtype="verified", sequential=True, wordings=["a", "b"], trust_remote_code=True)
    run = replace(run, policy=PolicyInForce(path="my policy.toml"))
    wanted = ["--vl-device=cuda", "--vl-dtype=verified", "--vl-policy=my policy.toml"]
    assert words(run)[4:] == [*wanted, "--vl-sequential", "--vl-wordings", "--vl-trust-remote-code"]


def test_a_test_of_an_explanation_names_its_method():
    assert words(verdict=record_of(contributions()))[-1] == "--vl-explain=mmshap"
    assert words(verdict=replace(OWN, metric="map", score_kind="gradcam"))[-1] == "--vl-explain=gradcam"
    assert words(verdict=replace(OWN, metric="later", score_kind="x")) == words()


def test_it_has_the_options_that_a_run_keeps_and_no_others():
    kept = {"columns": "caption=text", "lexicons": "my words", "explain": "ablation,gradcam:20", "compile": ""}
    said = words(options=kept | {"results": "/etc/passwd", "run-id": "x"})[4:]
    named = ["--vl-columns=caption=text", "--vl-lexicons=my words", "--vl-explain=ablation,gradcam:20", "--vl-compile"]
    assert sorted(said) == sorted(named)
    assert words(verdict=record_of(contributions()), options={"explain": "mmshap,ablation"})[4:] == [
        "--vl-explain=mmshap,ablation"
    ]


@pytest.mark.slow
def test_it_repeats_the_verdict(tmp_path):
    """As it stands, in the folder of the run."""
    own = vlcheck.evaluate("tiny-mirror", "scenes:30", tests="test_mirror_swaps_sides", explain="ablation")
    for one in own:
        command = shlex.split(repeat_command(own.lines.run, one))
        ended = subprocess.run(
            [sys.executable, "-m", *command, f"--vl-results={tmp_path / 'r.jsonl'}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 1, ended.stdout
        again = vlcheck.read_results(tmp_path / "r.jsonl")
        assert again.lines.run.options == own.lines.run.options == {"explain": "ablation"}
        assert list(again) == [one]


def test_what_was_given_as_an_object_has_no_command_and_says_how_it_is_repeated():
    by_spec = vlcheck.evaluate("tiny", "scenes:3", tests="test_mirror_swaps_sides", progress=False)
    by_object = vlcheck.evaluate(
        vlcheck.load_model("tiny"),
        "scenes:3",
        tests="test_mirror_swaps_sides[itm]",
        policy=load_policy(policy_path()),
        control="tiny-blind",
        progress=False,
    )
    (own,) = by_object
    assert repeat_command(by_spec.lines.run, own).startswith("pytest ")
    assert repeat_advice(by_spec.lines.run, own) == ""
    assert repeat_command(by_object.lines.run, own) == ""
    assert repeat_advice(by_object.lines.run, own) == (
        "call vlcheck.evaluate as before, with tests='test_mirror_swaps_sides[itm]'; the model and policy of this run"
        " were Python objects, which no command can name."
    )
    assert by_object.control.lines.run.objects == ["policy"]


@pytest.mark.parametrize(
    ("verdict", "changes"),
    [
        (OWN, {"model": None}),
        (OWN, {"objects": ["data"]}),
        (OWN, {"model": "tiny\n"}),
        (OWN, {"data": "scenes\x1b[201~;reboot"}),
        (OWN, {"data": "\u202escenes"}),
        (OWN, {"data": "x" * 5_000}),
        *((replace(OWN, test=test), {}) for test in ("-p evil.py::x", "@args.py::x", "", "test_x", "t.py::\r")),
    ],
)
def test_what_cannot_be_trusted_has_no_command(verdict, changes):
    assert repeat_command(replace(PLAIN, **changes), verdict) == ""
