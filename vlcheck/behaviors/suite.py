"""The tests of a suite that state behaviors, whoever collected them: pytest, or `vlcheck.behaviors.collect`.

Imported in every run of pytest: numpy and Pillow have to wait.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from vlcheck.behaviors.binding import Statement
from vlcheck.errors import UsageError

if TYPE_CHECKING:
    from vlcheck.behaviors.behavior import Behavior
    from vlcheck.cases import CaseSource
    from vlcheck.metrics.kinds import Metric
    from vlcheck.policy.policy import Subject


@dataclass(frozen=True, eq=False, kw_only=True)
class BehaviorTest:
    """A test of a suite: the behavior that its function states, under one metric.

    Attributes:
        id: its id in results, e.g. "behavior_tests/test_color.py::test_grayscale_preserves_objects[mlm]".
        name: pytest's name, e.g. "test_grayscale_preserves_objects[mlm]"; plugins that repeat a test add to it.
        function_name: name of the function in its module or class.
        function: the test function.
        module: the module that defines it.
        path: the module's file.
        statement: the behavior that the function states.
        metric: one of the statement's.
        skipped: whether it is marked to be skipped.
        clash: a message that names its conflict with another test; "" if there is none.
    """

    id: str
    name: str
    function_name: str
    function: Callable[..., object]
    module: ModuleType
    path: Path
    statement: Statement
    metric: Metric
    skipped: bool = False
    clash: str = ""

    @property
    def amiss(self) -> str:
        """Return what is wrong with what it states, alone or beside other tests; "" where nothing is."""
        return self.clash or self.statement.amiss

    @property
    def asks_foils(self) -> bool:
        """Return True if it asks about cases with foils, which only some data has."""
        from vlcheck.cases.foils import asks_foils  # brings numpy and Pillow, as the file of tests has done by now

        return not self.amiss and asks_foils(self.statement.cases)

    def asked_with(self, methods: Collection[str]) -> bool:
        """Return True if it is asked in a run with some methods of explanation."""
        from vlcheck.metrics.registry import METRICS  # brings numpy and Pillow, as the file of tests has done by now

        own, metric = self.statement.explain, METRICS[self.metric]
        return (not own or own in methods) and any(map(metric.asked_with, ("", *methods)))

    @cached_property
    def behavior(self) -> Behavior:
        """Return the behavior, with names and docstrings. Raises UsageError where the module names no bias."""
        from vlcheck.behaviors.behavior import Behavior

        bias = self.statement.bias or getattr(self.module, "BIAS", None)
        if not isinstance(bias, str) or not bias:
            raise UsageError(f'{self.path}: names no bias; add a line like BIAS = "color" above its tests.')
        return Behavior(
            name=self.function_name,
            bias=bias,
            bias_doc=(inspect.getdoc(self.module) or "").partition("\n\n")[0],
            doc=inspect.getdoc(self.function) or "",
            cases=self.statement.cases,
            expect=self.statement.expect,
            perturb=self.statement.perturb,
            given=self.statement.given,
            tables=self.statement.tables,
        )


def sound(tests: Iterable[BehaviorTest]) -> list[BehaviorTest]:
    """Return those of the tests that can be judged."""
    return [test for test in tests if not test.amiss]


def asked(tests: Iterable[BehaviorTest], methods: Collection[str] = ()) -> list[BehaviorTest]:
    """Return the tests that can be asked in a run.

    Args:
        tests: all tests.
        methods: the run's methods of explanation.
    """
    return [test for test in tests if test.asked_with(methods)]


def fitting(tests: Iterable[BehaviorTest], source: CaseSource) -> list[BehaviorTest]:
    """Return the tests that can be asked about a source: those of foils where it offers them, else all others.

    Args:
        tests: the tests.
        source: the cases.
    """
    return [test for test in tests if not unfit(test, source)]


def unfit(test: BehaviorTest, source: CaseSource) -> str:
    """Return why a test is not asked about a source; "" if it is.

    Args:
        test: the test; one that cannot be judged is reported as such, whatever the source.
        source: the cases.
    """
    return "" if test.amiss else source.unfit(test.statement.cases)


def demand_sound(tests: Iterable[BehaviorTest]) -> None:
    """Raise UsageError where one of the tests cannot be judged."""
    for test in tests:
        if test.amiss:
            raise UsageError(f"{test.id}: {test.amiss}")


def held_apart(tests: Sequence[BehaviorTest]) -> list[BehaviorTest]:
    """Return the tests, each with its `clash`: two classes with one name, by which scores and tables are kept."""
    if not tests:
        return []
    from vlcheck.behaviors.statement import shipped

    owners: dict[str, str] = {str(vars(kind)["name"]): _where(kind) for kind in shipped()}
    return [replace(test, clash=_clash(test.statement, owners)) for test in tests]


def subjects(tests: Iterable[BehaviorTest]) -> list[Subject]:
    """Return the tests as a policy speaks of them. Raises UsageError where a module names no bias."""
    from vlcheck.policy.policy import Subject

    return [Subject(test.behavior.name, test.behavior.bias, test.metric) for test in tests]


def _clash(statement: Statement, owners: dict[str, str]) -> str:
    """Return whose name a part of the statement has; `owners` gains the names that are new."""
    from vlcheck.behaviors.statement import named

    clash = ""
    if statement.amiss:
        return ""
    of = statement
    for part in named(expect=of.expect, perturb=of.perturb, given=of.given, tables=of.tables):
        where = _where(type(part))
        owner = owners.setdefault(part.name, where)
        if owner != where:
            others = f"{where} has the name {part.name!r}, as {owner} has"
            clash = f"{others}: what is kept goes by it. Give it one of its own."
    return clash


def _where(kind: type) -> str:
    """Return a class by its file and name: a file that is imported twice makes one class twice."""
    module = sys.modules.get(kind.__module__)
    own = kind.__module__.startswith("vlcheck.")
    return f"{kind.__module__ if own else getattr(module, '__file__', None) or kind.__module__}: {kind.__qualname__}"
