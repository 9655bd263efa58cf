"""What a test function states."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import pytest

from vlcheck.errors import UsageError, nearest

if TYPE_CHECKING:
    from vlcheck.behaviors.behavior import Behavior
    from vlcheck.behaviors.tables import Table
    from vlcheck.cases import Selection
    from vlcheck.expect.base import Expectation
    from vlcheck.metrics.kinds import Metric
    from vlcheck.perturb import Each, Perturbation
    from vlcheck.policy.policy import Subject

ARGUMENT = "verdict"
_CLASH = pytest.StashKey[str]()


@dataclass(frozen=True, kw_only=True)
class Stated:
    """A behavior as its test states it, under one metric; the test function and its file add names and docstrings.

    Attributes:
        amiss: what is wrong with it, and what to write: its test fails with that, and nothing is asked for it.
    """

    metric: Metric
    cases: Selection
    expect: Expectation
    perturb: Perturbation | Each | None
    given: Perturbation | None
    tables: tuple[Table, ...]
    amiss: str = ""

    def behavior(self, item: pytest.Function) -> Behavior:
        """Bind to the test function. Raises UsageError where its file names no bias."""
        from vlcheck.behaviors.behavior import (
            Behavior,  # pytest imports this file in every run: numpy and Pillow have to wait
        )

        bias = getattr(item.module, "BIAS", None)
        if not isinstance(bias, str) or not bias:
            raise UsageError(f'{item.path}: names no bias; add a line like BIAS = "color" above its tests.')
        return Behavior(
            name=item.originalname,
            bias=bias,
            bias_doc=(inspect.getdoc(item.module) or "").partition("\n\n")[0],
            doc=inspect.getdoc(item.function) or "",
            cases=self.cases,
            expect=self.expect,
            perturb=self.perturb,
            given=self.given,
            tables=self.tables,
        )


def behavior(
    *,
    cases: Selection,
    expect: Expectation,
    metrics: Sequence[Metric],
    perturb: Perturbation | Each | None = None,
    given: Perturbation | None = None,
    tables: Sequence[Table] = (),
) -> pytest.MarkDecorator:
    """State a behavior; the test gets its verdict, once for each metric.

    Args:
        cases: which cases it is about, e.g. `with_target("object")`.
        expect: from scores to margins, e.g. `Preserved()`.
        metrics: of "mlm", "itm" and, for models of regions, "mrc"; the metric is the parameter's id, so -k mlm selects.
        perturb: what is done between before and after, e.g. `Grayscale()`; `Each(...)` of several.
        given: what is done to before and after alike, e.g. `Bare()`.
        tables: what the results show beside the verdict.

    What is amiss in any of these (a class in place of an object, no name, no dataclass) fails the test, and it alone.

    Raises:
        ValueError: no metric, or one that there is not: its test would be skipped, and nothing be red.
    """
    from vlcheck.behaviors.statement import complaint  # what pytest imports in every run needs neither numpy nor Pillow

    _check_metrics(metrics)
    amiss = complaint(cases=cases, expect=expect, perturb=perturb, given=given, tables=tables)
    parts: dict[str, Any] = {"cases": cases, "expect": expect, "perturb": perturb, "given": given}
    parts |= {"tables": () if amiss else tuple(tables), "amiss": amiss}
    statements = [Stated(metric=metric, **parts) for metric in metrics]
    parameters = [pytest.param(statement, id=statement.metric) for statement in statements]
    return pytest.mark.parametrize(ARGUMENT, parameters, indirect=True)


def _check_metrics(metrics: Sequence[Metric]) -> None:
    from vlcheck.metrics.kinds import Metric  # brings Pillow, as the file of tests has done by now

    known = get_args(Metric)
    if isinstance(metrics, str) or not metrics:
        raise ValueError(f'behavior: metrics={metrics!r} has to name one or more of {", ".join(known)}, e.g. ("itm",)')
    for metric in metrics:
        if metric not in known:
            raise ValueError(f"behavior: there is no metric {metric!r}. {nearest(metric, known)}")


def stated(item: object) -> Stated | None:
    """What a collected test states, or None for a test of another kind."""
    call = getattr(item, "callspec", None)
    statement = call.params.get(ARGUMENT) if call else None
    return statement if isinstance(statement, Stated) else None


def sound(chosen: Sequence[tuple[pytest.Function, Stated]]) -> list[tuple[pytest.Function, Stated]]:
    """Those of the tests that can be judged."""
    return [(item, statement) for item, statement in chosen if not amiss(item)]


def amiss(item: pytest.Item) -> str:
    """What is wrong with what a test states, alone or beside others; "" where nothing is."""
    statement = stated(item)
    return item.stash.get(_CLASH, statement.amiss if statement else "")


def hold_apart(chosen: Sequence[tuple[pytest.Function, Stated]]) -> None:
    """Note at each test what is wrong beside others: two classes with one name, by which scores and tables are kept."""
    if not chosen:
        return
    from vlcheck.behaviors.statement import named, shipped  # in no run of other projects

    owners: dict[str, str] = {str(vars(kind)["name"]): _where(kind) for kind in shipped()}
    for item, its in chosen:
        parts = () if its.amiss else named(expect=its.expect, perturb=its.perturb, given=its.given, tables=its.tables)
        for part in parts:
            where = _where(type(part))
            owner = owners.setdefault(part.name, where)
            if owner != where:
                others = f"{where} has the name {part.name!r}, as {owner} has"
                item.stash[_CLASH] = f"{others}: what is kept goes by it. Give it one of its own."


def _where(kind: type) -> str:
    """A class by its file and name: a file that is imported twice makes one class twice."""
    module = sys.modules.get(kind.__module__)
    own = kind.__module__.startswith("vlcheck.")
    return f"{kind.__module__ if own else getattr(module, '__file__', None) or kind.__module__}: {kind.__qualname__}"


def claim(item: pytest.Item) -> str:
    """The name under which results keep what an item states: whoever repeats it under other names claims it once."""
    statement = stated(item)
    if statement is None or not isinstance(item, pytest.Function):
        return item.nodeid
    return f"{item.nodeid.removesuffix(item.name)}{item.originalname}[{statement.metric}]"


def subjects(chosen: Sequence[tuple[pytest.Function, Stated]]) -> list[Subject]:
    """The tests as a policy speaks of them. Raises UsageError where a file names no bias."""
    from vlcheck.policy.policy import Subject  # in no run of other projects

    behaviors = [(statement.behavior(item), statement.metric) for item, statement in chosen]
    return [Subject(behavior.name, behavior.bias, metric) for behavior, metric in behaviors]


def all_stated(items: Sequence[pytest.Item]) -> list[tuple[pytest.Function, Stated]]:
    """The tests that state a behavior, with what they state."""
    functions = [item for item in items if isinstance(item, pytest.Function)]
    return [(item, statement) for item in functions if (statement := stated(item))]
