"""Anchors: the part of a page's address after "#" that leads to a verdict, or to a row of its evidence.

They are made of names alone: all pages of the same results have the same ones, and a link can be written before there
is a page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from vlcheck._util.hashing import digest

# Tests of the shipped suite. A file of it stays here when its tests move or get other names: old links are to hold.
_SHIPPED = re.compile(
    r"behavior_tests/test_(?:color|foils|modality|order|place|position|robustness)\.py"
    r"::(?P<behavior>test_[a-z0-9]+(?:_[a-z0-9]+)*)\[(?P<metric>[a-z]+(?:-[a-z]+)*)\]"
)
_OTHERS = re.compile(r"[^a-z0-9]+")
_LONGEST = 60  # characters of a name that an anchor repeats
_DIGITS = 10  # hexadecimal digits that tell one name from others that are spelled alike


def verdict_anchor(test: str, behavior: str, metric: str) -> str:
    """Return the anchor of a verdict: small letters a to z, digits and hyphens.

    A test of the shipped suite has the name of its behavior and its metric. Any other test, e.g. one that is
    parametrized or is in another folder, has some digits more, which no other test has.

    Args:
        test: the test's id, as the results have it.
        behavior: the behavior's name.
        metric: the metric.

    Example:
        >>> verdict_anchor("behavior_tests/test_order.py::test_words_are_bound[itm]", "test_words_are_bound", "itm")
        'words-are-bound-itm'
        >>> verdict_anchor("mine/test_order.py::test_words_are_bound[itm]", "test_words_are_bound", "itm")
        'words-are-bound-itm-cfb16e456e'
    """
    name = _words(behavior.removeprefix("test_"), metric)
    return name if _is_shipped(test, behavior, metric) else _told_apart(name, test, behavior, metric)


def verdict_anchors(keys: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str, str], str]:
    """Return the anchors of a page's verdicts, by test, behavior and metric.

    If two files of the suite have tests of one name, as the shipped suite does not, the later one has the digits.
    """
    found: dict[str, tuple[str, str, str]] = {}
    for key in keys:
        anchor = verdict_anchor(*key)
        found[_told_apart(anchor, *key) if anchor in found else anchor] = key
    return {key: anchor for anchor, key in found.items()}


def row_anchor(test: str, behavior: str, metric: str, case: str, perturbation: str = "") -> str:
    """Return the anchor of a row of the evidence: that of its verdict, the name of the case, and some digits.

    Args:
        test: the id of the verdict's test, as the results have it.
        behavior: the behavior's name.
        metric: the metric.
        case: the case's id.
        perturbation: the name of the edit; "" if there is none.

    Example:
        >>> test = "behavior_tests/test_order.py::test_words_are_bound[itm]"
        >>> row_anchor(test, "test_words_are_bound", "itm", "Case 7", "shuffle v1")
        'words-are-bound-itm-case-7-3630f92503'
    """
    name = "-".join(filter(None, (verdict_anchor(test, behavior, metric), _words(case))))
    return _told_apart(name, test, behavior, metric, case, perturbation)


def _told_apart(name: str, *parts: str) -> str:
    """Return a name with some digits that no other parts have."""
    return f"{name}-{digest(*parts)[:_DIGITS]}"


def _is_shipped(test: str, behavior: str, metric: str) -> bool:
    """Return whether a test has the place and the name of one of the shipped suite, so that its name is its own."""
    found = _SHIPPED.fullmatch(test)
    return found is not None and found.groups() == (behavior, metric) and len(behavior) <= _LONGEST


def _words(*names: str) -> str:
    """Return names as words with hyphens between them, each cut if it is long."""
    return "-".join(filter(None, (_OTHERS.sub("-", name.lower())[:_LONGEST].strip("-") for name in names)))
