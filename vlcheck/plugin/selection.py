"""The tests of a run: those that pytest collected, those that were left out, and those that are to run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vlcheck._util.numbers import counted
from vlcheck.behaviors.suite import BehaviorTest, subjects
from vlcheck.plugin.case_item import CaseItem
from vlcheck.plugin.mark import all_stated, hold_apart, stated
from vlcheck.plugin.scope import is_whole

if TYPE_CHECKING:
    from vlcheck.explain.request import Request
    from vlcheck.plugin.process import RunProcess
    from vlcheck.policy.policy import Subject


class SelectedTests:
    """The tests of a run, from collection to selection.

    Attributes:
        collected: the tests before any of them is deselected.
        complete: True if the whole suite was collected, and no test deselected.
        chosen: the tests of behaviors that are to run.
        single: the items of single cases that are to run.
        unasked: tests that need an explanation for which the run does not ask.
        undecided: True if behaviors were collected, and none is selected yet.
    """

    def __init__(self, config: pytest.Config, process: RunProcess) -> None:
        self._config, self._process = config, process
        self.collected: Sequence[pytest.Item] = ()
        self.complete = False
        self.chosen: list[BehaviorTest] = []
        self.single: list[CaseItem] = []
        self.unasked: list[BehaviorTest] = []
        self._unfit: list[tuple[BehaviorTest, str]] = []  # the data has none of their kind of cases, with the reason
        self._found = False
        self._selected = False

    @property
    def undecided(self) -> bool:
        return self._found and not self._selected

    @property
    def subjects(self) -> Sequence[Subject]:
        """The tests that a policy has to fit: those that were collected, and those that were left out."""
        return subjects([*all_stated(self.collected), *self.unasked, *(test for test, _ in self._unfit)])

    def find(self, made: object, requests: Sequence[Request]) -> object:
        """Return the items of a function without those that need an explanation for which the run does not ask.

        Args:
            made: whatever pytest made of a function; returned unchanged if it is no list of items.
            requests: the methods of explanation for which the run asks.
        """
        if not isinstance(made, list):
            return made
        methods = [request.tests for request in requests]
        tests = [(item, stated(item)) for item in made]
        self.unasked += [test for _, test in tests if test and not test.asked_with(methods)]
        asked = [item for item, test in tests if not test or test.asked_with(methods)]
        self._found = self._found or any(map(stated, asked))
        return asked

    def leave_unfit(self, items: list[pytest.Item], why_unfit: Callable[[BehaviorTest], str]) -> None:
        """Leave out the tests that the data has none of the cases for: those of foils, or all others.

        Args:
            items: all collected items; those of other tests are taken out.
            why_unfit: returns the reason why a test is not asked about the data, "" if it is.

        Raises:
            pytest.UsageError: such a test was named by its id, or all tests of behaviors are such tests.
        """
        tests = {item: test for item in items if (test := stated(item))}
        reasons = {item: why_unfit(test) for item, test in tests.items()}
        self._unfit = [(test, reasons[item]) for item, test in tests.items() if reasons[item]]
        left_out = [item for item in items if reasons.get(item)]
        items[:] = [item for item in items if not reasons.get(item)]
        if not self._process.is_worker:
            _demand_fit(self._unfit, self._config.args, any_left=bool(items))
        if left_out:
            self._config.hook.pytest_deselected(items=left_out)

    def said_of_unfit(self) -> list[str]:
        """Return a line for each reason why tests are left out, with their number."""
        counts = Counter(reason for _, reason in self._unfit)
        return [f"vlcheck: {counted(n, 'test')} left out: {reason}" for reason, n in counts.items()]

    def select(self, session: pytest.Session) -> bool:
        """Store which tests are to run; return True if behaviors were selected, or all that were collected left out."""
        self._selected = True
        hold_apart(self.collected)
        self.chosen = all_stated(session.items)
        self.single = [item for item in session.items if isinstance(item, CaseItem)]
        self.complete = is_whole(self._config) and len(session.items) == len(self.collected)
        emptied = not session.items and any(map(stated, self.collected))
        return bool(self.chosen or self.single or emptied)


def _demand_fit(left_out: Sequence[tuple[BehaviorTest, str]], named: Sequence[str], *, any_left: bool) -> None:
    """Raise pytest.UsageError if a test is left out that was named by its id, or if no test is left.

    Args:
        left_out: the tests that are left out, with the reasons.
        named: the paths and ids on the command line.
        any_left: whether any test is left.
    """
    ids = [Path(path).name + f"::{name}" for path, _, name in (one.partition("::") for one in named) if name]
    for test, why in left_out:
        own = test.id.rpartition("/")[2]
        if not any_left or any(own == one or own.startswith((f"{one}[", f"{one}::")) for one in ids):
            raise pytest.UsageError(f"{test.id} is not asked: {why}.")
