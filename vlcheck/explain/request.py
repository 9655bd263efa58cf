"""The requests of `--vl-explain`: methods of explanation, each with a number of cases."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from vlcheck.behaviors.binding import ABLATION, MM_SHAP
from vlcheck.errors import UsageError, argument, nearest, parameter
from vlcheck.explain.attribution.method import AttributionMethod
from vlcheck.explain.attribution.registry import METHODS, SHIPPED

WITH_TESTS = (MM_SHAP, ABLATION, *SHIPPED)  # methods with tests of their own: maps of other methods are no metric
MOST_WORST = 10_000  # cases of which a run makes maps


@dataclass(frozen=True)
class Request:
    """A method of explanation, and the number of cases that it is for.

    Attributes:
        method: one of WITH_TESTS, or a registered attribution method.
        worst: number of cases of the run, the worst first, from 1 to MOST_WORST; None if it is not said.
    """

    method: str
    worst: int | None = None

    @property
    def said(self) -> str:
        """The request as `parse_request` reads it."""
        return self.method if self.worst is None else f"{self.method}:{self.worst}"

    @property
    def tests(self) -> str:
        """The method whose tests are judged as well; "" for METHOD:K of an attribution method: it only maps cases."""
        only_maps = self.method in METHODS and self.worst
        return self.method if self.method in WITH_TESTS and not only_maps else ""


def parse_requests(text: str) -> tuple[Request, ...]:
    """Read METHOD[:K] of one or several methods, with commas between them.

    Raises:
        UsageError: there is no such method, K is no whole number from 1 to MOST_WORST, a method is named twice, or two
            of them ask for the tests of maps.

    Example:
        >>> parse_requests("mmshap,gradcam:20")
        (Request(method='mmshap', worst=None), Request(method='gradcam', worst=20))
    """
    requests = tuple(parse_request(part.strip()) for part in text.split(","))
    _demand_once(text, [request.method for request in requests])
    judged = [request.method for request in requests if request.method in METHODS and request.tests]
    if len(judged) > 1:
        raise UsageError(
            f"{argument('explain', text)}: {' and '.join(judged)} ask for the tests of maps, which a run judges by one"
            f" method. Say how many cases each of the others explains, e.g. {judged[1]}:10."
        )
    return requests


def parse_request(text: str) -> Request:
    """Read METHOD[:K]; K is for attribution methods alone.

    Raises:
        UsageError: there is no such method, K is no whole number from 1 to MOST_WORST, or the method explains no worst
            cases.

    Example:
        >>> parse_request("gradcam:20")
        Request(method='gradcam', worst=20)
    """
    method, colon, worst = text.partition(":")
    known = (MM_SHAP, ABLATION, *METHODS)
    if not text:
        raise UsageError(f"{parameter('explain')}: there is no such method as an empty name: METHOD[:K],...")
    if method not in known:
        raise UsageError(f"{argument('explain', text)}: there is no such method. {nearest(method, known)}")
    if colon and method not in METHODS:
        said = f"METHOD:K explains the K worst cases; {method} adds tests of all cases, and is accepted without :K"
        raise UsageError(f"{argument('explain', text)}: {said}.")
    if colon and not (re.fullmatch("[1-9][0-9]{0,4}", worst) and int(worst) <= MOST_WORST):
        accepted = f"a whole number from 1 on, at most {MOST_WORST:,}"
        said = f"METHOD:K explains the K worst cases, and K has to be {accepted}, e.g. {method}:20"
        raise UsageError(f"{argument('explain', text)}: {said}.")
    return Request(method, int(worst) if colon else None)


def parse_methods(text: str) -> tuple[AttributionMethod, ...]:
    """Read the names of attribution methods with commas between; "" for none.

    Raises:
        UsageError: there is no such method, or one is named twice.

    Example:
        >>> [method.title for method in parse_methods("gradcam,saliency")]
        ['Grad-CAM', 'Gradient saliency']
    """
    names = [name.strip() for name in text.split(",")] if text else []
    for name in names:
        if name not in METHODS:
            raise UsageError(f"{argument('explain', text)}: {name!r} gives no map. {nearest(name, METHODS)}")
    _demand_once(text, names)
    return tuple(METHODS[name] for name in names)


def _demand_once(text: str, names: Sequence[str]) -> None:
    """Raise UsageError if one of the names occurs twice."""
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            raise UsageError(f"{argument('explain', text)}: {name} is named {names.count(name)} times; once is enough.")
