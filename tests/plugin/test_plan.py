"""What --vl-plan says before anything is scored."""

import re

import pytest
from typer.testing import CliRunner

from tests.plugin.conftest import ROOT, write_cases
from vlcheck.cli import app

pytestmark = pytest.mark.slow


def test_the_plan_names_n_what_it_tells_pictures_texts_and_time(project):
    result = project.run("--vl-plan")
    assert result.ret in (0, pytest.ExitCode.NO_TESTS_COLLECTED)
    result.stdout.fnmatch_lines(
        [
            "test * n * tells",
            "test_grayscale_preserves[[]mlm[]] * 40 * detects a rate of * passes with 0 violations at most",
            "80 pictures to encode, 240 texts to ask about them",
            "about *",
        ]
    )
    assert not (project.folder / "vlcheck-results.jsonl").exists()


def test_the_plan_is_what_the_run_then_asks(project, log):
    planned = project.run("--vl-plan", "-k", "another_image").stdout.str()
    pictures, texts = map(int, re.search(r"(\d+) pictures to encode, (\d+) texts", planned).groups())
    project.run("-k", "another_image", model="counting", subprocess=True)
    lines = log.read_text().splitlines()
    encoded = sum(line.startswith("encode") for line in lines)
    assert (encoded, len(lines) - encoded) == (pictures, texts)


@pytest.mark.parametrize("dist", ["load", "worksteal", "loadfile"])
def test_the_plan_needs_no_workers(project, dist):
    result = project.run("--vl-plan", "-n2", f"--dist={dist}", subprocess=True)
    assert "80 pictures to encode" in result.stdout.str()
    assert "INTERNALERROR" not in result.stdout.str() + result.stderr.str()


def test_the_plan_scores_no_photograph(project, log):
    project.run("--vl-plan", model="counting", subprocess=True)
    assert len({line for line in log.read_text().splitlines() if line.startswith("encode")}) == 1


def test_without_a_model_the_plan_leaves_out_the_time(project):
    text = project.run("--vl-plan", model="").stdout.str()
    assert "80 pictures to encode" in text
    assert "minutes" not in text


def test_the_plan_says_which_tests_cannot_pass(project):
    path = project.folder / "data" / "cases.jsonl"
    path.write_text("\n".join(path.read_text().splitlines()[:20]))
    text = project.run("--vl-plan").stdout.str()
    assert "detects a rate of 31 %" in text
    assert "violations at most" not in text
    (told,) = [line for line in text.splitlines() if "cannot pass" in line or "a pass needs" in line]
    assert told == "4 tests (color 4) cannot pass, and are not asked unless they fail: 20 images, a pass needs 29"
    assert text.count("detects a rate of 31 %") == 4


def test_the_plan_names_what_cannot_be_used(project):
    project.data = ""
    result = project.run("--vl-plan")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "--vl-data is missing" in result.stderr.str()


def test_a_model_that_cannot_be_timed_says_why(project):
    text = project.run("--vl-plan", model="encodes_nothing").stdout.str()
    assert "EncodesNothing cannot be timed. TypeError" in text


COMPARES_TEXTS = "the model only compares texts, and no other is known to be false; candidates name them"
COMPARES_WORDS = "the model only compares words, and no other is known to be false; candidates name them"


@pytest.mark.parametrize(
    ("model", "refused"), [("compares", {"itm": COMPARES_TEXTS}), ("fills", {"mlm": COMPARES_WORDS}), ("knows", {})]
)
def test_the_plan_says_why_cases_are_not_asked(project, model, refused):
    write_cases(project.folder / "data", 40, candidates=[])
    project.pytester.makepyfile(
        mine="""
        from tests.doubles import Compares, Competent, factory

        class Fills(Competent):
            def __post_init__(self):
                super().__post_init__()
                self.kinds = self.kinds | {"mlm": "candidates"}

        compares, fills, knows = map(factory, (Compares, Fills, Competent))
        """
    )
    text = project.run("--vl-plan", f"--vl-model=mine.py:{model}", model="").stdout.str()
    for metric in ("mlm", "itm"):
        row, *_ = [line.split() for line in text.splitlines() if line.startswith(f"test_grayscale_preserves[{metric}]")]
        assert row[1] == ("0" if metric in refused else "40")
    told = [line for line in text.splitlines() if line.startswith("not asked by test_grayscale")]
    for line, (metric, why) in zip(told, refused.items(), strict=True):
        assert line.startswith(f"not asked by test_grayscale_preserves[{metric}] (40 cases)")
        assert line.endswith(why)


def foreseen(text):
    """The lines that say which tests, and which required biases, cannot pass."""
    return [line for line in text.splitlines() if "cannot pass" in line or "no test can pass" in line]


REQUIRES = """
required = ["color"]
[behaviors.test_another_image_drops]
allowed = 0.3
"""


@pytest.mark.parametrize("said", [(), ("--vl-sequential",), ("--vl-cases",)], ids=str)
def test_the_plan_and_the_command_say_cannot_pass_in_the_words_of_the_run(project, monkeypatch, said):
    path = project.folder / "data" / "cases.jsonl"
    path.write_text("\n".join(path.read_text().splitlines()[:20]))
    (project.folder / "policy.toml").write_text(REQUIRES)
    monkeypatch.chdir(project.folder)
    said = (*said, "--vl-policy=policy.toml")
    run = foreseen(project.run(*said).stdout.str())
    n = 12 if "--vl-sequential" in said else 20
    few = f"(color 2) cannot pass, and are not asked unless they fail: {n} images, a pass needs "
    assert any(few in line for line in run)
    for model in ("competent", ""):
        assert foreseen(project.run(*said, "--vl-plan", model=model).stdout.str()) == run
        named = [f"--model={ROOT}/tests/doubles.py:{model}"] if model else []
        said_too = [one for one in said if one != "--vl-cases"]
        done = CliRunner().invoke(app, ["plan", project.data, "--suite=.", *named, *said_too])
        assert foreseen(done.stdout) == run, done.stderr


def test_the_plan_goes_by_the_ini_file_as_a_run_does(project, monkeypatch):
    (project.folder / "policy.toml").write_text("[defaults]\nallowed = 0.3")
    monkeypatch.chdir(project.folder)
    plan = ["plan", project.data, "--suite=."]
    assert "passes with 0 violations" in CliRunner().invoke(app, plan).stdout
    project.pytester.makeini("[pytest]\nvl_policy = policy.toml")
    done = CliRunner().invoke(app, plan)
    assert f"policy: {project.folder}/policy.toml" in done.stdout
    assert "passes with 6 violations" in done.stdout
    project.pytester.makeini("[pytest]\nvl_sequential = true")
    assert "tests (color 4) cannot pass" in CliRunner().invoke(app, plan).stdout


def test_a_test_that_is_marked_to_be_skipped_is_foreseen_by_neither(project):
    path = project.folder / "test_states.py"
    path.write_text(f"import pytest\n{path.read_text()}".replace("@behavior", "@pytest.mark.skip\n@behavior", 1))
    assert "test_grayscale_preserves" not in project.run("--vl-plan").stdout.str()


def test_the_plan_refuses_what_the_run_would_refuse(project):
    result = project.run("--vl-plan", "--vl-sequential", "--vl-baseline=before.jsonl")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "--vl-sequential: does not go with --vl-baseline" in result.stderr.str()
