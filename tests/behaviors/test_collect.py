"""Suites are collected without pytest as pytest collects them."""

import sys
from textwrap import dedent

import pytest

from vlcheck.behaviors.collect import collected
from vlcheck.behaviors.suite import asked
from vlcheck.errors import UsageError
from vlcheck.plugin.collect import collect
from vlcheck.suite.install import read_copy, write_copy
from vlcheck.suite.shipped import suite_folder

HEAD = """
import pytest
from vlcheck.cases import with_target
from vlcheck.expect import Preserved
from vlcheck.perturb import Grayscale
from vlcheck import behavior
BIAS = "color"
states = dict(cases=with_target("object"), perturb=Grayscale(), expect=Preserved(), metrics=("mlm", "itm"))
"""
ONE = "@behavior(**states)\ndef test_one(verdict): ...\n"


@pytest.fixture
def suite(tmp_path):
    """Writes the files of a suite."""

    def write(**files):
        for name, text in files.items():
            path = tmp_path / f"{name.replace('__', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text))
        return tmp_path

    return write


def ids(folder):
    with collected(folder) as tests:
        return [test.id for test in tests]


def test_the_shipped_suite_is_what_pytest_collects():
    by_pytest = collect(suite_folder() / "behavior_tests").tests
    with collected(suite_folder() / "behavior_tests") as tests:
        found = [(test.id, test.name, test.behavior) for test in asked(tests)]
    assert found == [(test.id, test.name, test.behavior) for test in by_pytest]


def test_order_names_and_classes_are_pytests(suite):
    folder = suite(
        test_b=HEAD + ONE,
        test_a=HEAD
        + """
class Base:
    @behavior(**states)
    def test_of_the_base(self, verdict): ...

class TestBoth(Base):
    @behavior(**states)
    def test_own(self, verdict): ...

class TestWithConstructor:
    def __init__(self): ...
    @behavior(**states)
    def test_never(self, verdict): ...

def test_of_another_kind(): ...

@pytest.mark.parametrize("times", (1, 2))
@behavior(**states)
def test_twice(verdict, times): ...

@pytest.mark.skip
@behavior(**states)
def test_skipped(verdict): ...
""",
        a__test_deeper=HEAD + ONE,
        z__own_test=HEAD + ONE,
        build__test_left_out=HEAD + ONE,
        helpers=HEAD + ONE,
    )
    (folder / "pytest.ini").touch()
    by_pytest = collect(folder).tests
    with collected(folder) as tests:
        assert [test.id for test in tests] == list(dict.fromkeys(test.id for test in by_pytest))
        assert {test.function_name for test in tests if test.skipped} == {"test_skipped"}
    assert {test.function_name for test in by_pytest if test.skipped} == {"test_skipped"}


def test_ids_start_where_pytests_do(suite):
    folder = suite(ml__behavior_tests__test_x=HEAD + ONE)
    assert ids(folder / "ml" / "behavior_tests") == [
        "behavior_tests/test_x.py::test_one[mlm]",
        "behavior_tests/test_x.py::test_one[itm]",
    ]
    (folder / "pytest.ini").touch()
    assert ids(folder / "ml" / "behavior_tests" / "test_x.py")[0] == "ml/behavior_tests/test_x.py::test_one[mlm]"
    assert ids(folder)[0] == collect(folder).tests[0].id == "ml/behavior_tests/test_x.py::test_one[mlm]"


def test_what_is_beside_the_tests_is_imported_and_forgotten(suite):
    first = suite(
        one__conftest="import sys; sys.path.append('set by one')",
        one__shared="WORD = 'one'",
        one__tests__helper="N = 1",
        one__tests__test_x=HEAD + ONE,
    )
    with_imports = HEAD + "from helper import N\nfrom shared import WORD\n" + ONE
    suite(one__tests__test_x=with_imports)
    suite(two__conftest="", two__shared="WORD = 'two'", two__tests__helper="N = 2", two__tests__test_x=with_imports)
    before, path = dict(sys.modules), list(sys.path)
    found = {}
    for name in ("one", "two"):
        with collected(first / name / "tests") as tests:
            found[name] = tests[0].module.WORD, tests[0].module.N
            assert ("set by one" in sys.path) is (name == "one")
    assert found == {"one": ("one", 1), "two": ("two", 2)}
    assert sys.path == path
    assert not {"test_x", "helper", "shared"} & (set(sys.modules) - before.keys())
    assert all(sys.modules[name] is module for name, module in before.items())


def test_packages_of_tests_are_imported_by_their_whole_name(suite):
    text = HEAD + "from .helper import N\n" + ONE
    folder = suite(tests__a____init__="", tests__a__helper="N = 3", tests__a__test_x=text)
    (folder / "tests" / "a" / "__init__.py").touch()
    with collected(folder) as tests:
        assert tests[0].module.__name__ == "a.test_x"
        assert tests[0].module.N == 3


def test_two_files_of_one_name_are_refused(suite):
    with pytest.raises(UsageError, match="a file of the same name is imported already"):
        ids(suite(a__test_x=HEAD + ONE, b__test_x=HEAD + ONE))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def test_other(): ...", "no test there states a behavior"),
        ("import nowhere_to_be_found", r"test_x.py: cannot be imported. ModuleNotFoundError"),
        ("raise SystemExit(3)", r"test_x.py: cannot be imported. SystemExit"),
        (HEAD + "@pytest.mark.skipif('1')\n" + ONE, "skipif has a text as its condition"),
        (HEAD + "@behavior(**states)\n" + ONE, "test_one states one already"),
    ],
)
def test_what_cannot_be_collected_is_said(suite, text, said):
    with pytest.raises(UsageError, match=said):
        ids(suite(helper="", test_x="import helper\n" + text))
    assert not {"helper", "test_x"} & set(sys.modules)


def test_a_file_that_is_skipped_has_no_tests(suite):
    folder = suite(test_a="import pytest\npytest.importorskip('nowhere_to_be_found')\n", test_b=HEAD + ONE)
    assert {one.partition("::")[0].rpartition("/")[2] for one in ids(folder)} == {"test_b.py"}


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UsageError, match="nowhere: there is no such folder of tests"):
        ids(tmp_path / "nowhere")


def test_tests_that_clash_say_so(suite):
    own = """
from dataclasses import dataclass
from typing import ClassVar
@dataclass(frozen=True)
class Own:
    name: ClassVar[str] = "own"
    version: ClassVar[int] = 1
    label = "own"
    def __call__(self, view, others): return view
@behavior(**states | {"perturb": Own()})
def test_own(verdict): ...
"""
    with collected(suite(test_a=HEAD + own, test_b=HEAD + own.replace("test_own", "test_other"))) as tests:
        assert [bool(test.amiss) for test in tests] == [False, False, True, True]


def test_a_suite_that_init_wrote_is_collected(tmp_path):
    write_copy(tmp_path / "mine", read_copy(tmp_path / "mine"))
    assert ids(tmp_path / "mine" / "behavior_tests") == ids(suite_folder() / "behavior_tests")
