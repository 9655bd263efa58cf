"""The inputs of a run: its cases, lexicons and policy, and the results that it is shown beside or compared with."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vlcheck.behaviors.suite import BehaviorTest, unfit
from vlcheck.errors import UsageError
from vlcheck.plugin import options
from vlcheck.plugin.scope import is_whole
from vlcheck.plugin.suites import fixtures_folder, judging_fixtures
from vlcheck.suite.shipped import lexicons_in, policy_in, policy_path

if TYPE_CHECKING:
    from vlcheck.cases import CaseSource
    from vlcheck.plugin.process import RunProcess
    from vlcheck.plugin.selection import SelectedTests
    from vlcheck.plugin.settings import Settings
    from vlcheck.policy.policy import Policy
    from vlcheck.results.file import ResultLines


class Inputs:
    """The inputs of a run, each read at first access."""

    def __init__(self, config: pytest.Config, settings: Settings, process: RunProcess, tests: SelectedTests) -> None:
        self._config, self._settings, self._process, self._tests = config, settings, process, tests

    @property
    def policy_path(self) -> Path:
        """The policy's file: as an option names it, else that of the tests' suite, else the shipped one.

        Raises:
            UsageError: the tests belong to several suites.
        """
        if self._settings.policy:
            return self._settings.policy
        fixtures = judging_fixtures(self._config)
        return (policy_in(fixtures) if fixtures else None) or policy_path()

    @property
    def lexicons(self) -> Path | None:
        """The folder of lexicons, found in the same way; None for the shipped ones alone.

        Raises:
            UsageError: the tests belong to several suites.
        """
        if self._settings.lexicons:
            return self._settings.lexicons
        fixtures = judging_fixtures(self._config)
        return lexicons_in(fixtures) if fixtures else None

    @property
    def source(self) -> CaseSource:
        """The cases, read at first access. May raise UsageError."""
        if isinstance(self._read, UsageError):
            raise self._read
        return self._read

    @cached_property
    def _read(self) -> CaseSource | UsageError:
        """The cases, or why they cannot be read: a hub that cannot be reached is not asked twice."""
        from vlcheck.datasets.registry import open_source  # not imported in runs of other projects

        try:
            self._settings.demand_data()
            columns = self._settings.columns
            return open_source(self._settings.data, lexicons=self.lexicons, columns=columns, run=self._process.folder)
        except UsageError as error:
            return error

    def read_ahead(self) -> None:
        """Read large data before workers start, which then open what was read; they report what is wrong with it."""
        from vlcheck.datasets.registry import reads_once  # not imported in runs of other projects

        with suppress(UsageError):
            _ = self.source if reads_once(self._settings.data) else None

    def why_unfit(self, test: BehaviorTest) -> str:
        """Return the reason why a test is not asked about the data, "" if it is or if there is no data."""
        source = self._source_with_foils()
        if source:
            return unfit(test, source)
        without = self._settings.data and not self._may_have_foils
        return f"foils are asked for, and {self._settings.data} offers none" if without and test.asks_foils else ""

    @property
    def _may_have_foils(self) -> bool:
        from vlcheck.datasets.registry import may_have_foils  # not imported in runs of other projects

        return may_have_foils(self._settings.data)

    def _source_with_foils(self) -> CaseSource | None:
        """Return the cases if they may have foils; None for data without foils, or data that cannot be read."""
        if not self._settings.data or not self._may_have_foils or isinstance(self._read, UsageError):
            return None  # what cannot be read is said when the tests are about to run
        return self.source

    @cached_property
    def policy(self) -> Policy:
        """The policy on the day of the run. May raise UsageError, e.g. if it does not fit the tests."""
        return self.policy_from(self._settings.policy).as_of(self._process.started.date())

    def policy_from(self, said: Path | None) -> Policy:
        """Read a policy, and check that it fits the tests.

        Args:
            said: the policy's file; None for `policy_path`.

        Raises:
            UsageError: it cannot be read, or does not fit the tests.
        """
        from vlcheck.policy.toml_file import load_policy  # not imported in runs of other projects

        policy = load_policy(said or self.policy_path)
        tests = self._tests.subjects
        policy.check(tests)
        if is_whole(self._config):
            fixtures = fixtures_folder(self._config)
            if said or self._settings.policy or (fixtures and policy_in(fixtures)):
                policy.demand_tests(tests)
            elif fixtures:  # the policy of the tests' own suite: each bias that it requires has to have a test
                policy.demand_required(tests)
        return policy

    @cached_property
    def beside(self) -> ResultLines | None:
        """The results to show beside: those of an earlier run, or of the control. May raise UsageError."""
        from vlcheck.results.file import read_beside  # not imported in runs of other projects

        if self._settings.control:
            from vlcheck.plugin.control import control_results  # brings torch

            return control_results(self._process.folder)
        return read_beside(self._settings.beside, self._settings.data) if self._settings.beside else None

    @cached_property
    def baseline(self) -> ResultLines | None:
        """The results of the previous release, which this run has to match. May raise UsageError."""
        from vlcheck.results.comparison import read_baseline
        from vlcheck.results.places import Places  # not imported in runs of other projects

        if not self._settings.baseline:
            return None
        places = Places(self._settings.results)
        of_control = places.of_control if self._settings.control else ()
        return read_baseline(self._settings.baseline, *places, *of_control)

    def demand_baseline(self) -> None:
        """Read the baseline; if it cannot be used, end the run at once."""
        try:
            _ = self.baseline
        except UsageError as error:
            raise pytest.UsageError(options.message_of(error)) from error
