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
ABLATION, MM_SHAP = "ablation", "mmshap"  # names in --vl-explain of tests that are collected only with them
TestFunction = TypeVar("TestFunction", bound=Callable[..., object])


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A behavior as its test function states it; the function and its module add name, bias and docstrings.

    Attributes:
        metrics: the metrics that judge it; each gives a verdict of its own.
        cases: the selection of cases that the model is asked about.
        expect: the expectation; it computes a case's margins from the model's scores.
        perturb: the change from the view before to the view after; None if the expectation compares no two views.
        given: a change that both views get, before `perturb`; None for none.
        tables: tables of further numbers that the results show beside the verdict.
        explain: ABLATION or MM_SHAP if the test is collected only in runs with that `--vl-explain`; else "".
        amiss: a message that names the mistake in the statement, and the correction; "" if there is no mistake.
        bias: the name of the bias that it belongs to; "" for that of its file, `BIAS`.
    """

    metrics: tuple[Metric, ...]
    cases: Selection
    expect: Expectation
    perturb: Perturbation | Each | None
    given: Perturbation | None
    tables: tuple[Table, ...]
    explain: str = ""
    amiss: str = ""
    bias: str = ""


def behavior(
    *,
    cases: Selection,
    expect: Expectation,
    metrics: Sequence[Metric],
    perturb: Perturbation | Each | None = None,
    given: Perturbation | None = None,
    tables: Sequence[Table] = (),
    explain: str = "",
    bias: str = "",
) -> Callable[[TestFunction], TestFunction]:
    """State a behavior; the test gets its verdict, once for each metric.

    Args:
        cases: the selection of cases that the model is asked about, e.g. `with_target("object")`.
        expect: the expectation, e.g. `Preserved()`; it computes a case's margins from the model's scores.
        metrics: one or more of "mlm", "itm" and, for models that read regions, "mrc". The metric is the id of the
            test's parameter, so that `pytest -k mlm` selects its tests.
        perturb: the change of picture or text whose effect is tested, e.g. `Grayscale()`, or `Each(...)` of several.
            None if the expectation compares no two views.
        given: a change that the views before and after `perturb` both get, e.g. `Bare()`.
        tables: tables of further numbers that the results show beside the verdict; they decide nothing.
        explain: "ablation" or "mmshap" for a test that is collected only in runs with that `--vl-explain`; "" for every
            run.
        bias: the name of the bias, if it is not that of the file, `BIAS`.

    Returns:
        A decorator that binds the `Statement` to the test function, and returns the function.

    Any other mistake in the arguments (a class in place of an object, no name, no dataclass) makes this test fail, and
    no other one.

    Raises:
        ValueError: `metrics` is empty or has an unknown metric, or `explain` is unknown, so that the test would be left
            out without a failure; `bias` is no text; or the function states a behavior already, which this one would
            replace.

    Example:
        >>> import vlcheck
        >>> from vlcheck.expect import Preserved
        >>> from vlcheck.perturb import Jpeg
        >>> @vlcheck.behavior(
        ...     cases=vlcheck.with_target("object"), perturb=Jpeg(quality=40), expect=Preserved(), metrics=["itm"]
        ... )
        ... def test_jpeg_preserves(verdict):
        ...     assert verdict.passed
    """
    from vlcheck.behaviors.statement import complaint

    _check_metrics(metrics)
    if explain not in ("", ABLATION, MM_SHAP):
        raise ValueError(f"behavior: explain={explain!r} has to be {ABLATION!r} or {MM_SHAP!r}, or left out")
    if not isinstance(bias, str):
        raise ValueError(f'behavior: bias={bias!r} has to be the name of a bias, e.g. "order", or left out')
    amiss = complaint(cases=cases, expect=expect, perturb=perturb, given=given, tables=tables)
    statement = Statement(
        metrics=tuple(metrics),
        cases=cases,
        expect=expect,
        perturb=perturb,
        given=given,
        tables=() if amiss else tuple(tables),
        explain=explain,
        amiss=amiss,
        bias=bias,
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
