"""The request of `--vl-explain`: a method of explanation, and a number of cases."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vlcheck.behaviors.binding import ABLATION, MM_SHAP
from vlcheck.errors import UsageError, argument, nearest
from vlcheck.explain.attribution.method import AttributionMethod
from vlcheck.explain.attribution.registry import METHODS, SHIPPED

WITH_TESTS = (MM_SHAP, ABLATION, *SHIPPED)  # methods with tests of their own: maps of other methods are no metric


@dataclass(frozen=True)
class Request:
    """A method of explanation, and the number of cases that it is for.

    Attributes:
        method: one of WITH_TESTS, or a registered attribution method.
        worst: number of cases of the run, the worst first, at least 1; None if it is not said.
    """

    method: str
    worst: int | None = None

    @property
    def tests(self) -> str:
        """The method whose tests are judged as well; "" for METHOD:K of an attribution method: it only maps cases."""
        only_maps = self.method in METHODS and self.worst
        return self.method if self.method in WITH_TESTS and not only_maps else ""


def parse_request(text: str) -> Request:
    """Read METHOD[:K]; K is for attribution methods alone.

    Raises:
        UsageError: there is no such method, K is no whole number from 1 on, or the method explains no worst cases.

    Example:
        >>> parse_request("gradcam:20")
        Request(method='gradcam', worst=20)
    """
    method, colon, worst = text.partition(":")
    known = (MM_SHAP, ABLATION, *METHODS)
    if method not in known:
        raise UsageError(f"{argument('explain', text)}: there is no such method. {nearest(method, known)}")
    if colon and method not in METHODS:
        said = f"METHOD:K explains the K worst cases; {method} adds tests of all cases, and is accepted without :K"
        raise UsageError(f"{argument('explain', text)}: {said}.")
    if colon and not re.fullmatch("[1-9][0-9]*", worst):
        said = f"METHOD:K explains the K worst cases, and K has to be a whole number from 1 on, e.g. {method}:20"
        raise UsageError(f"{argument('explain', text)}: {said}.")
    return Request(method, int(worst) if colon else None)


def parse_methods(text: str) -> tuple[AttributionMethod, ...]:
    """Read the names of attribution methods with commas between; "" for none.

    Raises:
        UsageError: there is no such method.

    Example:
        >>> [method.title for method in parse_methods("gradcam,saliency")]
        ['Grad-CAM', 'Gradient saliency']
    """
    names = text.split(",") if text else []
    for name in names:
        if name not in METHODS:
            raise UsageError(f"{argument('explain', text)}: {name!r} gives no map. {nearest(name, METHODS)}")
    return tuple(METHODS[name] for name in names)
