"""What is in force where nothing is said: a copy of the suite is held to its own policy and words."""

from types import ModuleType

import pytest

from vlcheck.errors import UsageError
from vlcheck.plugin.run import Run
from vlcheck.plugin.settings import read_settings
from vlcheck.suite.shipped import FIXTURES, policy_path


@pytest.fixture
def fixtures(pytester):
    """A folder of fixtures with a policy and lexicons."""
    folder = pytester.path / "repository" / "fixtures"
    (folder / "lexicons").mkdir(parents=True)
    (folder / "policy.toml").write_text("")
    return folder


def in_force(pytester, folder, *arguments):
    """Policy and lexicons of a run whose conftest.py loads the fixtures in a folder."""
    config = pytester.parseconfig(*arguments)
    module = ModuleType(FIXTURES)
    module.__file__ = str(folder / "model.py")
    config.pluginmanager.register(module, FIXTURES)
    run = Run(config)
    return run.inputs.policy_path, run.inputs.lexicons


def test_policy_and_lexicons_are_those_beside_the_fixtures_that_are_loaded(pytester, fixtures):
    assert in_force(pytester, fixtures) == (fixtures / "policy.toml", fixtures / "lexicons")


def test_what_is_said_goes_before_them(pytester, fixtures):
    said = ("--vl-policy=mine.toml", "--vl-lexicons=words")
    assert in_force(pytester, fixtures, *said) == (pytester.path / "mine.toml", pytester.path / "words")


def test_fixtures_of_another_sort_have_none(pytester):
    assert in_force(pytester, pytester.path) == (policy_path(), None)
    assert Run(pytester.parseconfig()).inputs.policy_path == policy_path()


@pytest.mark.parametrize(
    ("others", "said"),
    [
        (["--vl-explain=saliency:3"], "--vl-compile: does not go with --vl-explain"),
        (["--vl-dtype=verified", "--vl-engine=ray:host:1"], "--vl-compile: --vl-engine ray:host:1 compiles .* in one"),
    ],
)
def test_compiling_does_not_go_with_everything(pytester, others, said):
    config = pytester.parseconfig("--vl-model=tiny", "--vl-data=scenes", "--vl-compile", *others)

    with pytest.raises(UsageError, match=said):
        read_settings(config).demand()


def test_a_model_without_layers_is_not_compiled(project):
    result = project.run("--vl-compile")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--vl-compile: * has no layers of PyTorch that are repeated*Leave it out*"])
