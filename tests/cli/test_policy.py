"""`vlcheck policy`: what is in force, and what a model that is trusted proposes."""

import re
import subprocess
import sys
from datetime import date

import pytest
from typer.testing import CliRunner

from tests.cli.test_cli import typed as run_as_typed
from tests.plugin.conftest import ROOT
from tests.warm_python import warm_python
from vlcheck.cli import app
from vlcheck.policy.toml_file import load_policy, to_toml
from vlcheck.suite import install

pytestmark = pytest.mark.slow

SUITE = """
from vlcheck.cases import with_target
from vlcheck.expect import Beats, Preserved, SidePreference, Swaps
from vlcheck.perturb import Grayscale, Mirror
from vlcheck import behavior

BIAS = "color"


@behavior(cases=with_target("object"), perturb=Grayscale(), expect=Preserved(), metrics=("mlm", "itm"))
def test_grey_preserves(verdict):
    assert verdict.passed


@behavior(cases=with_target("side"), perturb=Mirror(), expect=Swaps(), metrics=("mlm",))
def test_mirror_swaps(verdict):
    assert verdict.passed


@behavior(cases=with_target("side"), expect=SidePreference(), metrics=("itm",))
def test_right_is_no_favourite(verdict):
    assert verdict.passed
"""
POLICY = """
[defaults]
allowed = 0.2
[tolerances.mlm]
within = 0.08
[tolerances.itm]
within = 0.08
[tolerances.mlm.masked-lm]
within = 0.04
[biases.color]
inconclusive = "skip"
delta = 0.2
[behaviors.test_mirror_swaps]
by = 0.02
[[known]]
behavior = "test_grey_preserves"
reason = "captions\\u001b[31m name colors"
until = {}
"""
SHIPPED_TESTS = tuple((ROOT / "behavior_tests").glob("*.py"))


def run(*arguments):
    """A command in this process, where torch is there already."""
    return CliRunner().invoke(app, ["policy", *map(str, arguments)])


@pytest.fixture
def suite(tmp_path):
    folder = tmp_path / "suite"
    folder.mkdir()
    (folder / f"{tmp_path.name}.py").write_text(SUITE)  # a name that no other test's suite has
    return folder


@pytest.fixture
def own(tmp_path):
    def write(text):
        path = tmp_path / "mine.toml"
        path.write_text(text)
        return path

    return write


def shown(done):
    """The blocks that are printed, by their heads: each a line a value, its cells apart by two spaces."""
    assert done.exit_code == 0, done.stderr
    _, *blocks = done.stdout.strip().split("\n\n")
    return {head: [re.split(r"\s{2,}", row.strip()) for row in rows] for head, *rows in map(str.splitlines, blocks)}


def test_show_says_each_value_with_where_it_is_from(suite, own):
    blocks = shown(run("show", "--suite", suite, f"--vl-policy={own(POLICY.format('2999-01-31'))}"))
    assert blocks["test_grey_preserves (color; mlm, itm)"] == [
        ["allowed", "0.2", "mine.toml [defaults]"],
        ["alpha", "0.05", "built in"],
        ["within", "0.08", "mine.toml [tolerances.mlm], [tolerances.itm]"],
        ["within (mlm, masked-lm)", "0.04", "mine.toml [tolerances.mlm.masked-lm]"],
        ["delta", "0.2", "mine.toml [biases.color]"],
        ["mass", "0.5", "built in"],
        ["scale", "calibrated", "built in"],
        ["auc", "0.6", "built in"],
        ["uncalibrated", "raw", "built in"],
        ["inconclusive", "skip", "mine.toml [biases.color]"],
        ["invalid", "fail", "built in"],
        ["not_asked", "skip", "built in"],
        ["known (mlm, itm)", "until 2999-01-31: captions\\x1b[31m name colors", "mine.toml known[1]"],
    ]
    assert ["by", "0.02", "mine.toml [behaviors.test_mirror_swaps]"] in blocks["test_mirror_swaps (color; mlm)"]
    assert blocks["test_right_is_no_favourite (color; itm)"][0] == ["band", "-0.15 to 0.15", "built in"]


def test_show_says_which_biases_are_required(suite, own):
    assert "\nrequired: color\n" in run("show", "--suite", suite).stdout
    done = run("show", "--suite", suite, f"--vl-policy={own('required = []')}")
    assert "\nrequired: no bias\n" in done.stdout
    place = own('required = ["place"]')
    done = run("show", "--suite", suite, f"--vl-policy={place}")
    assert done.exit_code == 4
    assert "mine.toml: required: 'place' is a bias of no test; there are color" in done.stderr


def test_show_tells_metrics_apart_that_differ_and_what_has_expired(suite, own):
    policy = own(POLICY.format("2001-01-31").replace("[tolerances.itm]\nwithin = 0.08", "[tolerances.itm]\nby = 0.01"))
    blocks = shown(run("show", "test_grey_preserves", "--suite", suite, f"--vl-policy={policy}"))
    (rows,) = blocks.values()
    assert ["within (mlm)", "0.08", "mine.toml [tolerances.mlm]"] in rows
    assert ["within (itm)", "0.1", "built in"] in rows
    assert rows[-1][1].startswith("expired on 2001-01-31")


def test_show_knows_the_shipped_suite():
    blocks = shown(run("show", "test_no_color_is_answered_too_often"))
    rows = blocks["test_no_color_is_answered_too_often (color; mlm, itm)"]
    assert rows[0] == ["band", "-1 to 0.15", "policy.toml [behaviors.test_no_color_is_answered_too_often]"]


@pytest.mark.parametrize(
    ("arguments", "policy", "said"),
    [
        (("show", "test_gray_preserves"), "", "Did you mean 'test_grey_preserves'?"),
        (("show",), "[biases.colour]\nby = 0.1", "biases.colour: matches no test. Did you mean 'color'?"),
        (("show",), "[[known]]\nbias = 'colr'\nreason = 'x'\nuntil = 2027-01-31", 'known[1] (bias "colr"): matches no'),
        (("calibrate", "--vl-model=tiny", "--vl-data=scenes:5"), "[behaviors.test_x]\nby = 0.1", "behaviors.test_x"),
        (("calibrate", "--vl-model=tinny", "--vl-data=scenes:5"), "", "--vl-model"),
        (("calibrate", "--vl-model=tiny", "--vl-data=scenes:5", "--to=mine.toml"), "", "mine.toml: is there already"),
        (("calibrate", "--vl-model=tiny", "--vl-data=scenes:5", "--to=no/mine.toml"), "", "there is no folder no"),
        (
            ("calibrate", "--vl-model=tiny", "--vl-data=scenes:5", "--vl-store=kept", "--to=kept"),
            "",
            "--to kept: is what --store names as well",
        ),
    ],
)
def test_what_cannot_be_used_is_named(suite, own, tmp_path, monkeypatch, arguments, policy, said):
    path = own(policy)
    monkeypatch.chdir(tmp_path)
    done = run(*arguments, "--suite", suite, f"--vl-policy={path}")
    assert done.exit_code == 4
    assert said in done.stderr
    assert path.read_text() == policy


@pytest.fixture
def copy(tmp_path):
    """The suite in a team's repository, with a folder of a test of their own; in a process of its own each is read."""
    folder = tmp_path / "copy"
    install.write_copy(folder, install.read_copy(folder))
    (folder / "behavior_tests" / "own").mkdir()
    (folder / "behavior_tests" / "own" / "test_own.py").write_text(SUITE)
    return folder


@pytest.mark.parametrize(
    "command",
    [
        ("plan", "scenes:5"),
        ("policy", "show"),
        ("policy", "calibrate", "--vl-model=absent.py:model", "--vl-data=scenes:5"),
        ("zoo", "matrix"),
    ],
    ids=" ".join,
)
def test_a_copys_own_policy_holds_for_its_tests(copy, command):
    (copy / "fixtures" / "policy.toml").write_text("[defaults]\nalowed = 0.2")
    done = run_as_typed(*command, "--suite", copy / "behavior_tests")
    assert done.returncode == 4
    assert f"{copy}/fixtures/policy.toml: defaults.alowed" in done.stderr


def test_a_copys_own_words_hold_for_its_tests(copy):
    (copy / "fixtures" / "lexicons" / "colors.toml").write_text("[mauve")
    for command in (("plan", "scenes:5"), ("cases", "scenes:5")):
        done = run_as_typed(*command, "--suite", copy / "behavior_tests")
        assert (done.returncode, f"{copy}/fixtures/lexicons/colors.toml" in done.stderr) == (4, True), done.stderr


def here(*command):
    """A command in this process, which has imported no test yet."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(sys.modules):
            if name.partition(".")[0] in ("fixtures", "conftest", *(path.stem for path in SHIPPED_TESTS)):
                patch.delitem(sys.modules, name)
        return CliRunner().invoke(app, command)


def test_commands_take_the_suite_in_the_current_folder_and_say_so(copy, monkeypatch):
    monkeypatch.chdir(copy)
    (copy / "behavior_tests" / "test_color.py").unlink()
    (copy / "fixtures" / "policy.toml").write_text("[behaviors.test_grayscale_preserves_objects]\nalpha = 0.01")
    for command in (("plan", "scenes:5"), ("policy", "show")):
        done = here(*command)
        assert done.stdout.startswith("suite: behavior_tests in the current folder\n")
        assert (
            f"{copy}/fixtures/policy.toml: behaviors.test_grayscale_preserves_objects: matches no test" in done.stderr
        )
    done = here("cases", "scenes:5")
    assert done.stdout.startswith("suite: behavior_tests in the current folder\n")
    assert ("test_grey_preserves" in done.stdout, "test_grayscale_preserves_objects" in done.stdout) == (True, False)
    monkeypatch.chdir(copy / "fixtures")
    done = here("policy", "calibrate", "--vl-model=no.py:no", "--vl-data=scenes:5")
    assert (done.stdout, "suite: the shipped one, " in done.stderr) == ("", True)


def test_a_part_of_a_copy_is_held_to_what_its_policy_says_of_it(copy):
    (copy / "fixtures" / "policy.toml").write_text("[behaviors.test_vision_and_language_balance]\nalpha = 0.01")
    done = run_as_typed("policy", "show", "--suite", copy / "behavior_tests" / "own")
    assert f"policy: {copy}/fixtures/policy.toml" in done.stdout, done.stderr
    (copy / "behavior_tests" / "test_modality.py").unlink()
    done = run_as_typed("policy", "show", "--suite", copy / "behavior_tests")
    assert (done.returncode, "test_vision_and_language_balance: matches no test" in done.stderr) == (4, True)


def test_a_run_of_a_part_of_a_copy_is_not_asked_for_the_rest(copy, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    command = [warm_python().command, "-m", "pytest", "--vl-model=tiny", "--vl-data=scenes:5", "--vl-plan"]
    (copy / "behavior_tests" / "test_modality.py").unlink()
    for folder, refused in (("behavior_tests/own", False), ("behavior_tests", True), (".", True)):
        done = subprocess.run([*command, folder], cwd=copy, capture_output=True, text=True, check=False)
        assert ("test_vision_and_language_balance: matches no test" in done.stderr) is refused, done.stdout


def test_a_plan_is_made_under_a_policy_that_is_about_its_tests(suite, own):
    command = ["plan", "scenes:5", "--suite", str(suite)]
    done = CliRunner().invoke(app, [*command, f"--vl-policy={own('[behaviors.test_gray_preserves]')}"])
    assert (done.exit_code, "Did you mean 'test_grey_preserves'?" in done.stderr) == (4, True)
    done = CliRunner().invoke(app, [*command, f"--vl-policy={own('[behaviors.test_grey_preserves]')}"])
    assert (done.exit_code, "test_grey_preserves[mlm]" in done.stdout) == (0, True)


def test_calibrate_proposes_a_policy_that_the_trusted_model_passes(suite, own, tmp_path):
    to, store = tmp_path / "proposed.toml", tmp_path / "scores.sqlite"
    policy = own("[[known]]\nbehavior = 'test_mirror_swaps'\nreason = 'x'\nuntil = 2027-01-31")
    said = ("--vl-model=tiny", "--vl-data=scenes:40", "--suite", suite, f"--vl-store={store}", f"--vl-policy={policy}")
    done = run_as_typed("policy", "calibrate", *said, f"--to={to}")
    assert done.returncode == 0, done.stderr
    assert (done.stdout, "pictures in" in done.stderr) == ("", True)
    proposed = load_policy(to)
    tables = {name: proposed.tables[name] for name in ("tolerances.mlm.masked-lm", "tolerances.itm.match-head")}
    assert tables["tolerances.mlm.masked-lm"]["within"] < 0.1
    assert tables["tolerances.mlm.masked-lm"]["by"] > 0.05
    assert tables["tolerances.itm.match-head"]["within"] < 0.1
    low, high = proposed.tables["behaviors.test_right_is_no_favourite"]["band"]
    assert 0 < high == -low
    assert (proposed.known[0].behavior, proposed.known[0].until) == ("test_mirror_swaps", date(2027, 1, 31))
    text = to.read_text()
    assert "model: tiny, fingerprint" in text
    assert re.search(
        r"# test_mirror_swaps\[mlm\], n = 40: all but \d of its margins are 0\.0\d\d at least\nby = ", text
    )
    again = run("calibrate", *said)  # from kept scores
    assert again.stdout == text


READ_AGAIN = r"""
required = ["color"]
[defaults]
band = [-1.0, 0.15]
[on]
invalid = "skip"
[tolerances.mlm.masked-lm]
within = 0.04
[biases."co\"l.or\u007f\u0001"]
by = 1
[behaviors."test \\ ]"]
allowed = 0
[[known]]
bias = "color"
metric = "itm"
reason = "it says \"why\" \\ 😀"
until = 2027-01-31
"""


def test_calibrate_proposes_for_ones_own_suite_what_is_about_its_tests_alone(suite, tmp_path):
    to = tmp_path / "proposed.toml"
    done = run("calibrate", "--vl-model=tiny", "--vl-data=scenes:40", "--suite", suite, f"--to={to}")
    assert done.exit_code == 0, done.stderr
    assert re.search(r"scoring: .*\nfitting the tolerances and bands of \d+ tests\n$", done.stderr)
    assert "test_vision_and_language_balance" not in to.read_text()
    assert run("show", "--suite", suite, f"--vl-policy={to}").exit_code == 0


def test_calibrate_prints_what_it_cannot_write(suite, tmp_path, monkeypatch):
    def come_meanwhile(*_):
        to.write_text("mine")
        return ["proposed"]

    to = tmp_path / "proposed.toml"
    monkeypatch.setattr("vlcheck.studies.policy_calibration.policy_lines", come_meanwhile)
    done = run("calibrate", "--vl-model=tiny", "--vl-data=scenes:40", "--suite", suite, f"--to={to}")
    assert (done.exit_code, done.stdout, to.read_text()) == (4, "proposed\n", "mine")
    assert "is there already; name a file that is not. The policy is printed instead." in done.stderr


def test_calibrate_proposes_nothing_from_a_model_that_passes_nothing(suite, tmp_path):
    to = tmp_path / "proposed.toml"
    model = f"{ROOT}/benchmarks/sabotaged.py:not_a_number"
    done = run("calibrate", "--vl-model", model, "--vl-data=scenes:40", "--suite", suite, f"--to={to}")
    assert done.exit_code == 4
    assert "passes none of the tests; nothing can be proposed from it" in done.stderr
    assert not to.exists()


def test_a_policy_that_is_written_is_read_again(own):
    policy = load_policy(own(READ_AGAIN))
    because = {("on", "invalid"): "a\n[defaults]\nallowed = 0.9\x1b\u2028"}
    path = own("\n".join(to_toml(policy, because)))
    again = load_policy(path)
    assert again.tables == policy.tables
    assert again.known == policy.known
    assert again.required == policy.required == ("color",)
    assert "\n# a\\n[defaults]\\nallowed" in path.read_text()


def test_a_model_without_the_tests_metrics_cannot_be_calibrated(suite, monkeypatch, tmp_path):
    monkeypatch.setenv("VLCHECK_TEST_DATA", "scenes:5")
    (suite / f"{tmp_path.name}.py").write_text(SUITE.replace('"itm"', '"mlm"').replace('("mlm", "mlm")', '("mlm",)'))
    said = ("--vl-model", f"{ROOT}/tests/doubles.py:matches_only", "--vl-data=scenes:5")
    done = run("calibrate", *said, "--suite", suite)
    assert done.exit_code == 4
    assert "MatchesOnly: has no metric that one of the tests asks" in done.stderr
