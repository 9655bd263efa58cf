"""The decorator with which a test function states a behavior; it binds the statement to the function.

pytest imports this module in every run of every project that has vlcheck: numpy and Pillow have to wait.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from vlcheck.errors import nearest

if TYPE_CHECKING:
    from vlcheck.behaviors.tables import Table
    from vlcheck.cases import Selection
    from vlcheck.expect.base import Expectation
    from vlcheck.metrics.kinds import Metric
    from vlcheck.perturb import Each, Perturbation

ATTRIBUTE = "__vlcheck__"
TestFunction = TypeVar("TestFunction", bound=Callable[..., object])


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A behavior as its test function states it; the function and its module add name, bias and docstrings.

    Attributes:
        metrics: under which metrics it is judged, each on its own.
        cases: selection of the cases that it is about.
        expect: from scores to margins.
        perturb: leads from before to after; None where a case is right or wrong on its own.
        given: done to before and after alike; None for nothing.
        tables: shown beside the verdict.
        amiss: what is wrong with the statement, and what to write instead; "" where nothing is.
    """

    metrics: tuple[Metric, ...]
    cases: Selection
    expect: Expectation
    perturb: Perturbation | Each | None
    given: Perturbation | None
    tables: tuple[Table, ...]
    amiss: str = ""


def behavior(
    *,
    cases: Selection,
    expect: Expectation,
    metrics: Sequence[Metric],
    perturb: Perturbation | Each | None = None,
    given: Perturbation | None = None,
    tables: Sequence[Table] = (),
) -> Callable[[TestFunction], TestFunction]:
    """State a behavior; the test gets its verdict, once for each metric.

    Args:
        cases: which cases it is about, e.g. `with_target("object")`.
        expect: from scores to margins, e.g. `Preserved()`.
        metrics: of "mlm", "itm" and, for models of regions, "mrc"; the metric is the parameter's id, so -k mlm selects.
        perturb: what is done between before and after, e.g. `Grayscale()`; `Each(...)` of several.
        given: what is done to before and after alike, e.g. `Bare()`.
        tables: what the results show beside the verdict.

    Returns:
        A decorator that binds the `Statement` to the test function, and returns the function.

    A mistake in any of these (a class in place of an object, no name, no dataclass) fails the test, and it alone.

    Raises:
        ValueError: no metric, or one that there is not: its test would be skipped, and nothing be red. Or a second
            statement for one function, which would take the place of the first.
    """
    from vlcheck.behaviors.statement import complaint

    _check_metrics(metrics)
    amiss = complaint(cases=cases, expect=expect, perturb=perturb, given=given, tables=tables)
    statement = Statement(
        metrics=tuple(metrics),
        cases=cases,
        expect=expect,
        perturb=perturb,
        given=given,
        tables=() if amiss else tuple(tables),
        amiss=amiss,
    )

    def bind(function: TestFunction) -> TestFunction:
        if ATTRIBUTE in vars(function):
            raise ValueError(f"behavior: {function.__name__} states one already; write a second test function")
        setattr(function, ATTRIBUTE, statement)
        return function

    return bind


def statement_of(function: Any, owner: Any = None) -> Statement | None:
    """Return the statement bound to a test function, else to its class; None where there is none.

    Args:
        function: any object of a test module.
        owner: the class that the function is a method of.
    """
    found = getattr(function, ATTRIBUTE, None) or getattr(owner, ATTRIBUTE, None)
    return found if isinstance(found, Statement) else None


def _check_metrics(metrics: Sequence[Metric]) -> None:
    from vlcheck.metrics.kinds import Metric  # brings Pillow, as the file of tests has done by now

    known = get_args(Metric)
    if isinstance(metrics, str) or not metrics:
        raise ValueError(f'behavior: metrics={metrics!r} has to name one or more of {", ".join(known)}, e.g. ("itm",)')
    for metric in metrics:
        if metric not in known:
            raise ValueError(f"behavior: there is no metric {metric!r}. {nearest(metric, known)}")
