"""Pytest items for single cases: they inform; only the behavior's own item decides."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from vlcheck._util.foreign_code import contained
from vlcheck.errors import ForeignFault, UsageError
from vlcheck.plugin.mark import stated
from vlcheck.plugin.options import message_of
from vlcheck.plugin.reporters.lines import shown

if TYPE_CHECKING:
    from vlcheck.behaviors.behavior import Behavior
    from vlcheck.behaviors.suite import BehaviorTest
    from vlcheck.behaviors.trials import Trials
    from vlcheck.cases import Case, CaseSource
    from vlcheck.evaluation.evaluator import ModelUnderTest
    from vlcheck.metrics.kinds import Metric
    from vlcheck.metrics.query import Query

ModelFor = Callable[[pytest.Item], "ModelUnderTest"]
INFORMS = "a case informs; the behavior as a whole has the verdict"


class Violation(Exception):
    """Raised by a case whose margin is not above 0."""


class CaseItem(pytest.Item):
    """One case of a behavior under one metric: xfailed if it violates the expectation, xpassed if not.

    Args:
        of: the behavior's own item.
        test: the test of that item.
        case: the case.
        source: the data that the case is from.
        model_for: returns the model under test.
    """

    def __init__(
        self,
        *,
        of: pytest.Function,
        test: BehaviorTest,
        case: Case,
        source: CaseSource,
        model_for: ModelFor,
        **node: Any,
    ) -> None:
        super().__init__(**node)
        self.metric = test.metric
        self.function = of.function  # other plugins read it
        self._of, self._test, self._case = of, test, case
        self._source, self._model_for = source, model_for
        self.own_markers += [mark for mark in of.own_markers if mark.name != "parametrize"]
        self.add_marker(pytest.mark.xfail(reason=INFORMS, raises=Violation, strict=False))

    @property
    def behavior(self) -> Behavior:
        """The behavior whose case this is."""
        return self._test.behavior

    @property
    def _amiss(self) -> str:
        test = stated(self._of)  # again, since it may conflict with a test that was collected later
        return test.amiss if test else ""

    def queries(self, trials: Trials) -> Iterator[Query]:
        """Yield all queries of the case; none if its behavior cannot be judged, which the behavior's item reports."""
        if self._amiss:
            return
        with suppress(ForeignFault):
            for trial in trials.of_case(self.behavior, self.metric, self._case):
                yield from trial.queries()

    def runtest(self) -> None:
        if self._amiss:
            pytest.fail(self._amiss, pytrace=False)
        model = self._model_for(self)
        if reason := model.lacks(self.metric):
            pytest.skip(shown(reason))
        row = model.examine(self.behavior, self.metric, self._case)
        if row.margin is None:
            pytest.skip(shown(row.reason))
        if not row.margin > 0:  # true of NaN, too
            raise Violation("\n".join(map(shown, row.lines())))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return a violation or a usage error as plain text, any other error with its traceback.

        Args:
            excinfo: the exception.
            style: pytest's style of tracebacks.
        """
        if isinstance(excinfo.value, UsageError):
            return message_of(excinfo.value)
        if isinstance(excinfo.value, Violation):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        """Return the file and line of the behavior's test, and the name of the item."""
        path, line, _ = self._of.reportinfo()
        return path, line, self.name


def name_of(behavior: str, metric: str, case: str) -> str:
    """Return the name of a case's item.

    Args:
        behavior: the behavior's name.
        metric: the metric's name.
        case: the case's id.
    """
    return f"{behavior}[{metric}-{case}]"


def beside_cases(items: Iterable[object], source: CaseSource, model_for: ModelFor) -> Iterator[object]:
    """Yield a function's items, each followed by those of its cases.

    A case has one item, even if its test is repeated by a plugin.

    Args:
        items: the function's items.
        source: the data.
        model_for: returns the model under test.

    Raises:
        UsageError: a case's picture cannot be used.
    """
    seen: set[Metric] = set()
    for item in items:
        yield item
        test = stated(item)
        if test and test.metric not in seen:
            seen.add(test.metric)
            yield from case_items(item, source, model_for)


def case_items(item: object, source: CaseSource, model_for: ModelFor) -> Iterator[CaseItem]:
    """Yield an item for each case of the behavior that an item states; none if it states none, or expects a mean.

    If the command line names cases, those beyond the number of images that was asked for have an item, too.

    Args:
        item: the item of a test function.
        source: the data.
        model_for: returns the model under test.

    Raises:
        UsageError: a case's picture cannot be used.
    """
    test = stated(item)
    if (
        test is None
        or test.amiss
        or test.statement.expect.claim == "mean"
        or not isinstance(item, pytest.Function)
        or not item.parent
    ):
        return
    named = {argument.rpartition("::")[2] for argument in item.config.args if argument.endswith("]")}
    cases: Sequence[Case] = ()
    cases_of = test.statement.cases
    with suppress(ForeignFault), contained():  # the behavior's own item reports it
        cases = [*source.candidates(cases_of)] if named else source.select(cases_of)
    for at, case in enumerate(cases):
        name = name_of(test.function_name, test.metric, case.id)
        if at < source.images or name in named:
            yield CaseItem.from_parent(
                item.parent, name=name, of=item, test=test, case=case, source=source, model_for=model_for
            )
