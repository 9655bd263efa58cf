"""The copy of the suite that is run is the one that judges: its policy and its words, from wherever it is run."""

import os
import shutil
import sys

import pytest

from tests.plugin.conftest import STATES
from vlcheck.suite.shipped import suite_files

SHIPPED = suite_files()
CONFTEST = 'pytest_plugins = ["fixtures.model"]'
OPTIONS = ("--vl-plan", "--vl-data=scenes:40", "-p", "no:cacheprovider")
ALLOWS = {0.1: "passes with 0 violations", 0.3: "passes with 6 violations"}  # by what a policy allows, of 40 images


def write_suite(folder, allowed):
    """Write a suite with a policy, and with one file of tests whose name no other suite's has."""
    (folder / "behavior_tests").mkdir(parents=True)
    (folder / "fixtures" / "lexicons").mkdir(parents=True)
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "fixtures" / "__init__.py").write_text("")
    for path in ("fixtures/model.py", "fixtures/lexicons/colors.toml"):
        (folder / path).write_bytes(SHIPPED[path])
    (folder / "fixtures" / "policy.toml").write_text(f"required = []\n[defaults]\nallowed = {allowed}\n")
    (folder / "behavior_tests" / f"test_{folder.name}.py").write_text(STATES.replace("\n    ", "\n"))
    return folder


@pytest.fixture
def two(pytester):
    return write_suite(pytester.path / "a", 0.1), write_suite(pytester.path / "b", 0.3)


@pytest.fixture
def plan(pytester, monkeypatch):
    """Plan some tests as a process of its own would: with no module of vlcheck's own suite imported."""

    def run(*arguments, cwd=".", path=()):
        with monkeypatch.context() as patch:
            patch.chdir(pytester.path / cwd)
            for name in [name for name in sys.modules if name.partition(".")[0] in ("fixtures", "conftest")]:
                patch.delitem(sys.modules, name)
            patch.setattr(sys, "path", [*map(str, path), *sys.path])
            return pytester.runpytest_inprocess(*OPTIONS, *map(str, arguments))

    return run


def held_to(result, allowed):
    return ALLOWS[allowed] in result.stdout.str()


def refused(result, *said):
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "pictures to encode" not in result.stdout.str()
    for text in said:
        assert str(text) in result.stderr.str()


@pytest.mark.parametrize("cwd", [".", "a", "b/behavior_tests"])
@pytest.mark.parametrize("said", [(), ("--noconftest",), ("--rootdir=.", "--confcutdir=.")], ids=str)
def test_a_suite_is_held_to_its_own_policy_from_wherever_it_is_run(pytester, two, plan, cwd, said):
    for folder, allowed in zip(two, ALLOWS, strict=True):
        named = os.path.relpath(folder / "behavior_tests", pytester.path / cwd)
        assert held_to(plan(named, *said, cwd=cwd), allowed)


def test_tests_of_two_suites_are_not_judged_by_one_of_them(two, plan):
    a, b = two
    result = plan("a/behavior_tests", "b/behavior_tests")
    refused(result, "the tests are of 2 suites", a / "fixtures", b / "fixtures", "--vl-policy and --vl-lexicons")
    refused(plan("behavior_tests", "../b/behavior_tests", cwd="a"), "the tests are of 2 suites")
    refused(plan("a/behavior_tests", "b/behavior_tests", "--noconftest"), "the tests are of 2 suites")
    refused(plan("a/behavior_tests", "b/behavior_tests", "--vl-policy=b/fixtures/policy.toml"), "2 suites")
    said = ("--vl-policy=b/fixtures/policy.toml", "--vl-lexicons=a/fixtures/lexicons")
    assert held_to(plan("a/behavior_tests", "b/behavior_tests", *said), 0.3)


def test_a_part_of_one_suite_is_not_judged_by_the_other_that_was_loaded(two, plan):
    a, b = two
    result = plan("b/behavior_tests", "-p", "fixtures.model", path=[a])
    refused(result, f"of the suite with {b}/fixtures, and fixtures.model was loaded from {a}/fixtures")


def test_fixtures_that_an_import_mode_finds_elsewhere_do_not_judge(two, plan):
    a, b = two
    result = plan("b/behavior_tests", "--import-mode=importlib", path=[a])
    refused(result, b / "fixtures", f"loaded from {a}/fixtures", "--import-mode")
    assert held_to(plan("b/behavior_tests", "--import-mode=importlib", path=[b]), 0.3)


def test_fixtures_elsewhere_on_the_path_give_way_to_those_beside_the_tests(two, plan):
    assert held_to(plan("b/behavior_tests", path=[two[0]]), 0.3)


def test_a_folder_of_a_suite_is_found_through_a_link(pytester, two, plan):
    (pytester.path / "linked").symlink_to("b")
    assert held_to(plan("linked/behavior_tests"), 0.3)


def test_tests_beside_no_fixtures_say_whose_policy_judges(pytester, two, plan):
    pytester.makepyfile(test_own=STATES)
    pytester.makeconftest(CONFTEST)
    result = plan("test_own.py", path=[two[1]])
    result.stdout.fnmatch_lines([f"vlcheck: there is no fixtures/ beside the tests; * those of {two[1]}/fixtures"])
    assert held_to(result, 0.3)
    assert "beside the tests; policy" not in plan("b/behavior_tests").stdout.str()


def test_single_cases_are_read_with_the_words_of_the_tests_suite(pytester, two, plan):
    (two[1] / "fixtures" / "lexicons" / "colors.toml").write_text("[mauve")
    result = plan("b/behavior_tests", "--vl-cases", "--noconftest")
    refused(result, two[1] / "fixtures" / "lexicons" / "colors.toml")
    (two[0] / "fixtures" / "policy.toml").unlink()
    shutil.rmtree(two[0] / "fixtures" / "lexicons")
    refused(plan("--vl-cases", "--noconftest"), "--vl-cases: the cases were read with the lexicons of vlcheck")
