"""A test that states what cannot be judged fails alone, with what to write; the others are judged."""

import pytest
from typer.testing import CliRunner

from vlcheck.cli import app

AMISS = """
    from dataclasses import dataclass
    from vlcheck.expect.base import BaseExpectation
    from vlcheck.perturb import OfThePicture
    from test_states import *

    class Plain(OfThePicture):
        name, version = "plain", 1

        def edit(self, image):
            return image

    @dataclass(frozen=True)
    class Second(OfThePicture):
        name, version = "grayscale", 1

        def edit(self, image):
            return image

    class Near(BaseExpectation):
        def margins(self, sample, tolerances):
            return {"": 1.0}

    @behavior(cases=with_target("object"), perturb=Plain(), expect=Preserved(), metrics=("itm",))
    def test_plain(verdict):
        assert verdict.passed

    @behavior(cases=with_target("object"), perturb=Second(), expect=Preserved(), metrics=("itm",))
    def test_second(verdict):
        assert verdict.passed

    @behavior(cases="object", expect=Preserved(), metrics=("itm",))
    def test_no_cases(verdict):
        assert verdict.passed

    @behavior(cases=with_target("object"), expect=Near(), metrics=("itm",), tables=3)
    def test_near(verdict):
        assert verdict.passed

    del test_grayscale_preserves, test_another_image_drops
"""
SAID = (
    "perturb: Plain is no dataclass: add @dataclass(frozen=True) above the class",
    "test_amiss.py: Second has the name 'grayscale', as vlcheck.perturb.color: Grayscale has",
    'cases: str is no selection of cases; write with_target("object"), say.',
    "expect: Near is no dataclass: add @dataclass(frozen=True) above the class",
)


@pytest.fixture
def amiss(project):
    project.pytester.makepyfile(test_amiss=AMISS)
    return project


@pytest.mark.parametrize("options", [(), ("--vl-cases",), ("-x", "--maxfail=9")], ids=str)
def test_it_fails_alone_and_the_others_are_judged(amiss, options):
    result = amiss.run(*options)
    text = result.stdout.str()
    assert "INTERNALERROR" not in text + result.stderr.str()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert result.parseoutcomes()["errors"] == 4
    for said in SAID:
        assert said in text
    assert {line["behavior"]: line["status"] for line in amiss.results("verdict")} == {
        "test_grayscale_preserves": "pass",
        "test_another_image_drops": "pass",
    }
    assert len(amiss.results("run")[0]["unjudged"]) == 4


def test_the_plan_and_the_commands_say_it_too(amiss, monkeypatch):
    text = amiss.run("--vl-plan").stdout.str()
    assert f"test_plain[itm] cannot be judged. {SAID[0]}" in text
    assert "80 pictures to encode" in text
    monkeypatch.chdir(amiss.folder)
    done = CliRunner().invoke(app, ["plan", amiss.data, "--suite=."])
    assert (done.exit_code, f"test_amiss.py::test_plain[itm]: {SAID[0]}" in done.stderr) == (4, True)


STATED = """
    from test_amiss import Second
    from test_states import Preserved, behavior, with_target

    BIAS = "color"

    @behavior(cases=with_target("object"), perturb=Second(), expect=Preserved(), metrics=("itm",))
    def test_{}(verdict):
        assert verdict.passed
"""


def test_one_class_may_serve_several_files(amiss):
    shared = AMISS.replace('"grayscale", 1', '"second", 1').partition("    @behavior(cases=with_target")[0]
    amiss.pytester.makepyfile(test_amiss=f"{shared}    del test_grayscale_preserves, test_another_image_drops")
    amiss.pytester.makepyfile(test_one=STATED.format("one"), test_two=STATED.format("two"))
    amiss.run().assert_outcomes(passed=4, skipped=2)  # its edit changes nothing
