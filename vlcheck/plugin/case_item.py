"""A pytest item for every single case: it informs, and the behavior's own item alone gates."""

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
    """A case whose margin is not above 0."""


class CaseItem(pytest.Item):
    """One case of a behavior under one metric: xfailed where it violates, xpassed where it holds.

    Args:
        of: the behavior's own item.
        test: what that is a test of.
        case: one of its cases.
        source: where they are from.
        model_for: gives the model under test.
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
        self.function = of.function  # which other plugins look at
        self._of, self._test, self._case = of, test, case
        self._source, self._model_for = source, model_for
        self.own_markers += [mark for mark in of.own_markers if mark.name != "parametrize"]
        self.add_marker(pytest.mark.xfail(reason=INFORMS, raises=Violation, strict=False))

    @property
    def behavior(self) -> Behavior:
        """What the case is one of."""
        return self._test.behavior

    @property
    def _amiss(self) -> str:
        test = stated(self._of)  # as it is by now: beside others it may be wrong
        return test.amiss if test else ""

    def queries(self, trials: Trials) -> Iterator[Query]:
        """All that the case asks; nothing where its behavior cannot be judged, which the item itself says."""
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
        if not row.margin > 0:  # NaN is no more than 0 either
            raise Violation("\n".join(map(shown, row.lines())))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What is wrong in plain words, where it is not the code that is."""
        if isinstance(excinfo.value, UsageError):
            return message_of(excinfo.value)
        if isinstance(excinfo.value, Violation):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        """Where the behavior is stated."""
        path, line, _ = self._of.reportinfo()
        return path, line, self.name


def name_of(behavior: str, metric: str, case: str) -> str:
    """What an item of a case is called, by the behavior's and the case's name."""
    return f"{behavior}[{metric}-{case}]"


def beside_cases(items: Iterable[object], source: CaseSource, model_for: ModelFor) -> Iterator[object]:
    """A function's items, each followed by those of its cases; a case has one, however often its behavior is repeated.

    Raises:
        UsageError: where a case's picture cannot be used.
    """
    seen: set[Metric] = set()
    for item in items:
        yield item
        test = stated(item)
        if test and test.metric not in seen:
            seen.add(test.metric)
            yield from case_items(item, source, model_for)


def case_items(item: object, source: CaseSource, model_for: ModelFor) -> Iterator[CaseItem]:
    """An item for each case of the behavior that an item states; none where it states none, or claims a mean.

    Of cases that are only drawn where others do not count, those that the command line names have one.

    Raises:
        UsageError: where a case's picture cannot be used.
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
    with suppress(ForeignFault), contained():  # of which the behavior's own item is told
        cases = [*source.candidates(cases_of)] if named else source.select(cases_of)
    for at, case in enumerate(cases):
        name = name_of(test.function_name, test.metric, case.id)
        if at < source.images or name in named:
            yield CaseItem.from_parent(
                item.parent, name=name, of=item, test=test, case=case, source=source, model_for=model_for
            )
