"""What --vl-plan says before anything is scored."""

import re

import pytest

from tests.plugin.conftest import write_cases


def test_the_plan_names_n_what_it_tells_pictures_texts_and_time(project):
    result = project.run("--vl-plan")
    assert result.ret in (0, pytest.ExitCode.NO_TESTS_COLLECTED)
    result.stdout.fnmatch_lines(
        [
            "test * n * tells",
            "test_grayscale_preserves[[]mlm[]] * 40 * finds a rate of * passes with 0 violations at most",
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
    assert "finds a rate of 31 %" in text
    assert "violations at most" not in text


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
        (row,) = [line.split() for line in text.splitlines() if line.startswith(f"test_grayscale_preserves[{metric}]")]
        assert row[1] == ("0" if metric in refused else "40")
    told = [line for line in text.splitlines() if line.startswith("not asked by test_grayscale")]
    for line, (metric, why) in zip(told, refused.items(), strict=True):
        assert line.startswith(f"not asked by test_grayscale_preserves[{metric}] (40 cases)")
        assert line.endswith(why)
