"""Runs of pytest on data with foils: which tests are collected, and what is said of the others."""

import json

import pytest

from tests.foil_cases import longer, write_foils
from vlcheck.datasets import registry

pytestmark = pytest.mark.slow

SUITE = """
    from vlcheck import behavior, with_target
    from vlcheck.expect import BeatsBlind, Preserved
    from vlcheck.perturb import Grayscale, Sentences

    BIAS = "grounding"
    FOILS = dict(given=Sentences(), expect=BeatsBlind(), metrics=("itm",))

    @behavior(cases=with_target("object"), perturb=Grayscale(), expect=Preserved(), metrics=("itm",), bias="color")
    def test_grey(verdict):
        assert verdict.passed

    @behavior(cases=with_target("replaced-object", having=["foil"]), **FOILS)
    def test_object(verdict):
        assert verdict.passed

    @behavior(cases=with_target("counting", having=["foil"]), **FOILS, bias="order")
    def test_count(verdict):
        assert verdict.passed
"""


@pytest.fixture
def foils(project, monkeypatch):
    """The user's project with foils as its data, and a suite of three tests."""
    project.pytester.makepyfile(test_states=SUITE)
    project.data = write_foils(project.folder / "data", 30)
    monkeypatch.setenv("VLCHECK_TEST_DATA", project.data)
    return project


def test_data_with_foils_is_asked_the_tests_of_its_foils_alone(foils):
    result = foils.run("-v")
    result.assert_outcomes(passed=1)
    assert result.ret == 0
    assert [line["behavior"] for line in foils.results("verdict")] == ["test_object"]
    (run,) = foils.results("run")
    assert (run["complete"], run["required"], run["unjudged"]) == (True, ["grounding"], [])
    text = result.stdout.str()
    assert "Passes 1 bias: grounding." in text
    assert "No test was run on" not in text
    assert "share of captions that beat their foils" in text
    assert "2 deselected" in text
    assert "vlcheck: 1 test left out: " in text
    assert "offers foils alone, and other cases are asked for" in text


def test_other_data_is_asked_everything_else(project):
    project.pytester.makepyfile(test_states=SUITE)
    result = project.run()
    assert result.ret == 0
    assert [line["behavior"] for line in project.results("verdict")] == ["test_grey"]
    assert project.results("run")[0]["complete"]


def test_data_of_both_kinds_is_asked_both(foils):
    path = foils.folder / "data" / "cases.jsonl"
    own = [json.loads(line) for line in path.read_text().splitlines()]
    with (foils.folder / "data" / "foils.jsonl").open("a") as file:
        file.write("\n" + "\n".join(map(json.dumps, own)))
    result = foils.run("--collect-only", "-q")
    assert {"test_grey[itm]", "test_object[itm]"} == {
        line.partition("::")[2] for line in result.outlines if "::" in line
    }


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("test_grey", "offers foils alone, and other cases are asked for."),
        ("test_count[itm]", "offers none of counting."),
    ],
)
def test_a_test_that_is_named_and_left_out_says_why(foils, name, said):
    result = foils.run(f"test_states.py::{name}")
    assert result.ret == 4
    assert said in result.stderr.str()
    assert f"test_states.py::{name.partition('[')[0]}[itm] is not asked:" in result.stderr.str()


def test_a_file_of_tests_of_which_none_is_left_says_why(project):
    project.pytester.makepyfile(test_states=SUITE.replace("def test_grey", "def check_grey"))
    result = project.run("test_states.py")
    assert result.ret == 4
    assert "test_states.py::test_object[itm] is not asked: foils are asked for, and jsonl:" in result.stderr.str()


def test_data_that_cannot_be_read_is_reported_as_ever(foils):
    foils.data = "jsonl:nothing.jsonl"
    result = foils.run()
    assert result.ret == 4
    assert "nothing.jsonl: cannot be read" in result.stderr.str()


def test_two_workers_collect_the_same(foils):
    result = foils.run("-n", "2", subprocess=True)
    assert result.ret == 0
    assert [line["status"] for line in foils.results("verdict")] == ["pass"]


def test_a_plan_says_what_can_be_told(foils):
    text = foils.run("--vl-plan", model="").stdout.str()
    assert "a lead of 0." in text
    assert "over choices without the picture" in text
    assert "test_grey" not in text


@pytest.mark.parametrize("arguments", [(), ("--vl-cases",), ("--vl-plan",)])
def test_data_that_cannot_be_read_is_asked_for_once(project, monkeypatch, arguments):
    asked, read = [], registry.open_source
    monkeypatch.setattr(registry, "open_source", lambda spec, **how: asked.append(spec) or read(spec, **how))
    project.data = "parquet:absent.parquet"
    result = project.run(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "absent.parquet: there is no such file" in result.stderr.str()
    assert asked == ["parquet:absent.parquet"]


def test_data_of_both_kinds_is_asked_no_test_that_it_has_no_case_for(foils):
    """One plain case beside foils brings the tests of its kind, and no verdict on any other."""
    line = json.loads((foils.folder / "data" / "foils.jsonl").read_text().splitlines()[0])
    plain = {key: value for key, value in line.items() if key not in ("foils", "id")} | {"tags": ["plural"]}
    with (foils.folder / "data" / "foils.jsonl").open("a") as file:
        file.write("\n" + json.dumps(plain))
    result = foils.run("--collect-only", "-q")
    assert {"test_object[itm]"} == {line.partition("::")[2] for line in result.outlines if "::" in line}
    assert "offers foils, and no case that it asks for" in result.stdout.str()


def test_a_plan_names_what_words_alone_tell(foils):
    foils.data = write_foils(foils.folder / "data", 30, longer)
    text = foils.run("--vl-plan", model="").stdout.str()
    assert (
        "test_object[itm] cannot pass, and is not asked: 30 images, words alone tell these foils (its length in" in text
    )
    assert "nothing: words alone tell these foils (its length in 100 % of 30 images)" in text
