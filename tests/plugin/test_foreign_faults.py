"""A fault of foreign code is one verdict's: all others are judged as ever."""

import pytest

FAULTS = """
    import os, sys
    from dataclasses import dataclass
    from typing import ClassVar

    import pytest

    from vlcheck.cases import with_target
    from vlcheck.cases.selection import Selection
    from vlcheck.expect import Preserved
    from vlcheck.perturb import Grayscale, OfThePicture
    from vlcheck import behavior

    BIAS = "color"

    class Unspeakable(Exception):
        def __str__(self):
            raise RuntimeError("no words")

    def fails(how):
        if how == "skips":
            pytest.skip("not today")
        if how == "ends":
            pytest.exit("enough", returncode=0)
        if how == "leaves":
            sys.exit(0)
        if how == "speechless":
            raise Unspeakable
        if how == "base":
            raise BaseException("of no kind")
        raise ZeroDivisionError(how)

    @dataclass(frozen=True)
    class Edit(OfThePicture):
        how: str
        name: ClassVar[str] = "edit"
        version: ClassVar[int] = 1

        def edit(self, image):
            fails(self.how)

    @dataclass(frozen=True)
    class Call(Edit):
        name: ClassVar[str] = "call"

        def __call__(self, view, others):
            fails(self.how)

    class Nameless(OfThePicture):
        def edit(self, image):
            return image

    class Chooses(Selection):
        def accepts(self, case):
            fails("leaves")

    class Expects(Preserved):
        def margins(self, sample, tolerances):
            fails("ends")

    def states(perturb=Grayscale(), cases=with_target("object"), expect=Preserved()):
        return behavior(cases=cases, perturb=perturb, expect=expect, metrics=("itm",))

    @states(Edit("divides"))
    def test_edit_divides(verdict): assert verdict.passed

    @states(Edit("skips"))
    def test_edit_skips(verdict): assert verdict.passed

    @states(Edit("speechless"))
    def test_edit_speechless(verdict): assert verdict.passed

    @states(Call("speechless"))
    def test_call_speechless(verdict): assert verdict.passed

    @states(Call("skips"))
    def test_call_skips(verdict): assert verdict.passed

    @states(Call("base"))
    def test_call_base(verdict): assert verdict.passed

    @states(Nameless())
    def test_nameless(verdict): assert verdict.passed

    @states(cases=Chooses(("object",)))
    def test_chooses(verdict): assert verdict.passed

    @states(expect=Expects())
    def test_expects(verdict): assert verdict.passed

    @states()
    def test_sound(verdict): assert verdict.passed
"""
AT_A_PICTURE = ("divides", "skips", "speechless")  # asked, and answered by what was raised
OF_THE_TEST = ("call_speechless", "call_skips", "call_base", "nameless", "chooses", "expects")


@pytest.mark.parametrize(("option", "sound"), [((), "pass"), (("--vl-sequential",), "not asked")])
def test_what_a_behaviors_own_code_raises_is_its_own_error(project, option, sound):
    project.pytester.makepyfile(test_states=FAULTS)
    result = project.run(*option)
    assert result.ret == 1
    statuses = {line["behavior"]: line["status"] for line in project.results("verdict")}
    assert statuses == {"test_sound": sound} | {f"test_edit_{name}": "invalid" for name in AT_A_PICTURE}
    (run,) = project.results("run")
    assert sorted(run["unjudged"]) == sorted(f"test_states.py::test_{name}[itm]" for name in OF_THE_TEST)
    text = result.stdout.str()
    for name in OF_THE_TEST:
        assert f"ERROR test_states.py::test_{name}[itm] - " in text
    assert "Nameless lacks a name" in text
    assert "Unspeakable: its message cannot be read" in text
    assert "edit: ZeroDivisionError: divides" in text


def test_the_cases_of_a_selection_that_raises_are_none(project):
    project.pytester.makepyfile(test_states=FAULTS)
    result = project.run("--vl-cases", "-k", "chooses")
    result.assert_outcomes(errors=1, deselected=9 + 40 * 8)  # none of the nameless one either
    assert result.ret == 1


@pytest.mark.parametrize("raised", ["SystemExit(0)", "pytest.skip.Exception('x')", "pytest.exit.Exception('x')"])
def test_what_a_model_raises_is_the_answer_to_what_it_was_asked(project, raised):
    (project.folder / "mine.py").write_text(f"""
import pytest
from tests.doubles import Competent, factory

class Leaves(Competent):
    def itm(self, encoded, texts, foils=None):
        raise {raised}

leaves = factory(Leaves)
""")
    result = project.run(f"--vl-model={project.folder / 'mine.py'}:leaves", "-k", "grayscale", model="")
    assert result.ret == 1
    assert {line["metric"]: line["status"] for line in project.results("verdict")} == {"mlm": "pass", "itm": "invalid"}


UNUSABLE = """
    from dataclasses import dataclass, replace
    from vlcheck.perturb import Labelled
    from test_states import *

    @dataclass(frozen=True)
    class Loud(Labelled):
        name, version = "loud", 1

        def __call__(self, view, others):
            return view.template.upper()

    @dataclass(frozen=True)
    class Low(Labelled):
        name, version = "low", 1

        def __call__(self, view, others):
            return replace(view, template=view.template.lower())

    @behavior(cases=with_target("object"), perturb=Loud(), expect=Preserved(), metrics=("itm",))
    def test_loud(verdict):
        assert verdict.passed

    @behavior(cases=with_target("object"), perturb=Low(), expect=Preserved(), metrics=("mlm", "itm"))
    def test_low(verdict):
        assert verdict.passed
"""


def test_what_a_perturbation_returns_is_an_error_of_its_test_where_no_model_can_be_asked_about_it(project):
    project.pytester.makepyfile(test_unusable=UNUSABLE)
    result = project.run("test_unusable.py")
    result.assert_outcomes(passed=4, errors=3)
    assert result.ret == 1
    text = result.stdout.str()
    assert "test_loud[itm] cannot be planned: loud v1: its __call__ returned str" in text
    assert "loud v1: its __call__ returned str ('NUMBER" in text
    for metric in ("mlm", "itm"):
        assert f"ERROR test_unusable.py::test_low[{metric}] - " in text
    assert "on the grass' has [MASK] 0 times; [MASK] stands for the word that is asked about" in text
    assert "foreign_code.py" not in text
