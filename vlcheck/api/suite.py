"""The tests of a suite that is run from Python, and the policy and lexicons that judge them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from vlcheck.api.arguments import NAMES, given_path
from vlcheck.behaviors.suite import BehaviorTest, asked, fitting, subjects, unfit
from vlcheck.cases import CaseSource
from vlcheck.errors import UsageError, argument, demand_type, nearest
from vlcheck.explain.request import Request
from vlcheck.policy.policy import Policy
from vlcheck.policy.toml_file import load_policy
from vlcheck.suite.shipped import (
    fixtures_above,
    lexicons_in,
    policy_in,
    policy_path,
    suite_folder,
    tests_beside,
    tests_here,
)


def tests_folder(suite: str | Path | None) -> Path:
    """Return the folder or file of the tests: that of `suite`, else that beside the user, else the shipped one.

    Raises:
        UsageError: there is none.
    """
    folder = given_path("suite", suite) or tests_here() or suite_folder() / "behavior_tests"
    if not folder.exists():
        raise UsageError(f"{argument('suite', folder)}: there is no such folder or file of tests.")
    return folder


def fitting_tests(tests: Sequence[BehaviorTest], source: CaseSource, *, demanded: bool) -> Sequence[BehaviorTest]:
    """Return the tests that the data has their kind of cases for; raise UsageError if a named one, or none, is left.

    Args:
        tests: the tests.
        source: the cases.
        demanded: whether the user named each of the tests.
    """
    found = fitting(tests, source)
    for test in tests:
        if (demanded or not found) and (why := unfit(test, source)):
            raise UsageError(f"{argument('tests', test.name)}: is not asked: {why}.")
    return found


@dataclass(frozen=True)
class SuiteTests:
    """The tests of a suite, and what judges them.

    Attributes:
        tests: all of them.
        fixtures: the folder with its policy and lexicons; None where it has none.
        whole: whether the tests are all that belong to the fixtures.
    """

    tests: Sequence[BehaviorTest]
    fixtures: Path | None
    whole: bool

    @classmethod
    def of(cls, folder: Path, tests: Sequence[BehaviorTest], *, names_all: bool) -> SuiteTests:
        """Find the fixtures of some tests in a folder; of several, the first where policy and lexicons are named.

        Args:
            folder: the folder, or a file of tests.
            tests: the tests.
            names_all: whether the user names both policy and lexicons.

        Raises:
            UsageError: there are several, and they are not named.
        """
        found = filter(None, map(fixtures_above, dict.fromkeys(test.path for test in tests)))
        folders = list({fixtures.resolve(): fixtures for fixtures in found}.values())
        if len(folders) > 1 and not names_all:
            raise UsageError(
                f"the tests are of {len(folders)} suites, each with a policy or lexicons of its own:"
                f" {', '.join(map(str, folders))}. Evaluate them one at a time, or name what holds for all: policy and"
                " lexicons."
            )
        fixtures = folders[0] if folders else None
        beside = tests_beside(fixtures) if fixtures else None
        whole = folder.is_dir() and (beside is None or beside.resolve().is_relative_to(folder.resolve()))
        return cls(tests, fixtures, whole)

    def policy(self, said: str | Path | Policy | None) -> Policy:
        """Return the policy that is said, else the suite's, else the shipped one; it has to fit the tests."""
        own = policy_in(self.fixtures) if self.fixtures else None
        policy = said if isinstance(said, Policy) else load_policy(given_path("policy", said) or own or policy_path())
        about = subjects(self.tests)
        policy.check(about)
        if self.whole and (said or own):
            policy.demand_tests(about)
        elif self.whole and self.fixtures:
            policy.demand_required(about)
        return policy

    def lexicons(self, said: str | Path | None) -> Path | None:
        """Return the folder of words that is said, else the suite's; None for the shipped words alone."""
        return given_path("lexicons", said) or (lexicons_in(self.fixtures) if self.fixtures else None)

    def asked(self, requests: Sequence[Request]) -> Sequence[BehaviorTest]:
        """Return the tests that can be asked with some methods of explanation."""
        return asked(self.tests, [request.tests for request in requests])

    def named(self, names: str | Collection[str] | None, requests: Sequence[Request]) -> Sequence[BehaviorTest]:
        """Return the tests that are named, with a metric or without, in the suite's order; all for None.

        Args:
            names: their names.
            requests: the methods of explanation that the run asks for.

        Raises:
            UsageError: there is no test of such a name.
        """
        tests = self.asked(requests)
        if names is None:
            return tests
        names = {names} if isinstance(names, str) else {*names}
        for name in names:
            demand_type("tests", name, str, NAMES)
        if not names:
            raise UsageError("tests: names nothing; leave it out for all tests of the suite.")
        known = {name for test in tests for name in (test.name, test.function_name)}
        for name in sorted(names):
            if name not in known:
                raise UsageError(f"tests: there is no test {name!r}. {nearest(name, known)}")
        return [test for test in tests if test.name in names or test.function_name in names]
