"""What is in force where nothing is said: a copy of the suite is held to its own policy and words."""

from types import ModuleType

import pytest

from vlcheck.plugin import options
from vlcheck.suite import FIXTURES


@pytest.fixture
def fixtures(pytester):
    """A folder of fixtures with a policy and lexicons."""
    folder = pytester.path / "repository" / "fixtures"
    (folder / "lexicons").mkdir(parents=True)
    (folder / "policy.toml").write_text("")
    return folder


def settings(pytester, folder, *arguments):
    """The settings of a run whose conftest.py loads the fixtures in a folder."""
    config = pytester.parseconfig(*arguments)
    module = ModuleType(FIXTURES)
    module.__file__ = str(folder / "model.py")
    config.pluginmanager.register(module, FIXTURES)
    return options.read(config)


def test_policy_and_lexicons_are_those_beside_the_fixtures_that_are_loaded(pytester, fixtures):
    found = settings(pytester, fixtures)
    assert (found.policy, found.lexicons) == (fixtures / "policy.toml", fixtures / "lexicons")


def test_what_is_said_goes_before_them(pytester, fixtures):
    found = settings(pytester, fixtures, "--vl-policy=mine.toml", "--vl-lexicons=words")
    assert (found.policy, found.lexicons) == (pytester.path / "mine.toml", pytester.path / "words")


def test_fixtures_of_another_sort_have_none(pytester):
    found = settings(pytester, pytester.path)
    assert (found.policy, found.lexicons) == (None, None)
    assert options.read(pytester.parseconfig()).policy is None
