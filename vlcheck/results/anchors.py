"""Anchors: the part of a page's address after "#" that leads to a verdict, or to a row of its evidence.

They are made of names alone: all pages of the same results have the same ones, and a link can be written before there
is a page.
"""

from __future__ import annotations

import re

from vlcheck._util.hashing import digest
from vlcheck.results.lasting_names import FILES

_METRIC = re.compile(r"[a-z]+(?:-[a-z]+)*")
_OTHERS = re.compile(r"[^a-z0-9]+")
_LONGEST = 60  # characters of a name that an anchor repeats
_DIGITS = 10  # hexadecimal digits that tell one name from others that are spelled alike


def verdict_anchor(test: str, behavior: str, metric: str) -> str:
    """Return the anchor of a verdict: small letters a to z, digits and hyphens.

    A test of the shipped suite has the name of its behavior and its metric. Any other test, e.g. one that is
    parametrized or is in another file, has some digits more, which no other test has.

    Args:
        test: the test's id, as the results have it.
        behavior: the behavior's name.
        metric: the metric.

    Example:
        >>> verdict_anchor("behavior_tests/test_robustness.py::test_crop_preserves[itm]", "test_crop_preserves", "itm")
        'crop-preserves-itm'
        >>> verdict_anchor("mine/test_robustness.py::test_crop_preserves[itm]", "test_crop_preserves", "itm")
        'crop-preserves-itm-77ffdb0a38'
    """
    name = _words(behavior.removeprefix("test_"), metric)
    return name if _is_shipped(test, behavior, metric) else _told_apart(name, test, behavior, metric)


def row_anchor(test: str, behavior: str, metric: str, case: str, perturbation: str = "") -> str:
    """Return the anchor of a row of the evidence: that of its verdict, the name of the case, and some digits.

    Args:
        test: the id of the verdict's test, as the results have it.
        behavior: the behavior's name.
        metric: the metric.
        case: the case's id.
        perturbation: the name of the edit; "" if there is none.

    Example:
        >>> test = "behavior_tests/test_robustness.py::test_crop_preserves[itm]"
        >>> row_anchor(test, "test_crop_preserves", "itm", "Case 7", "shuffle v1")
        'crop-preserves-itm-case-7-37805601b8'
    """
    name = "-".join(filter(None, (verdict_anchor(test, behavior, metric), _words(case))))
    return _told_apart(name, test, behavior, metric, case, perturbation)


def _told_apart(name: str, *parts: str) -> str:
    """Return a name with some digits that no other parts have."""
    return f"{name}-{digest(*parts)[:_DIGITS]}"


def _is_shipped(test: str, behavior: str, metric: str) -> bool:
    """Return whether a test has the place and the name of one of the shipped suite, so that its name is its own."""
    file = FILES.get(behavior.removeprefix("test_"))
    plain = behavior.startswith("test_") and _METRIC.fullmatch(metric) is not None
    return plain and test == f"behavior_tests/test_{file}.py::{behavior}[{metric}]"


def _words(*names: str) -> str:
    """Return names as words with hyphens between them, each cut if it is long."""
    return "-".join(filter(None, (_OTHERS.sub("-", name.lower())[:_LONGEST].strip("-") for name in names)))
