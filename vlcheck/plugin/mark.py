"""The tests that pytest collects, as `vlcheck.behaviors.suite` knows them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest

from vlcheck.behaviors.binding import statement_of
from vlcheck.behaviors.suite import BehaviorTest, held_apart

if TYPE_CHECKING:
    from vlcheck.metrics.kinds import Metric

ARGUMENT = "verdict"
_CLASH = pytest.StashKey[str]()


def parametrize(metafunc: pytest.Metafunc) -> None:
    """Give a test function that states a behavior an item for each of its metrics."""
    statement = statement_of(metafunc.function, metafunc.cls)
    if statement:
        metafunc.parametrize(ARGUMENT, statement.metrics, ids=statement.metrics, indirect=True)


def stated(item: object) -> BehaviorTest | None:
    """Return the test of a behavior that a collected item is, or None for an item of another kind."""
    call = getattr(item, "callspec", None)
    metric: Metric | None = call.params.get(ARGUMENT) if call else None
    if metric is None or not isinstance(item, pytest.Function):
        return None
    statement = statement_of(item.function, item.cls)
    if statement is None or metric not in statement.metrics:
        return None
    return BehaviorTest(
        id=f"{item.nodeid.removesuffix(item.name)}{item.originalname}[{metric}]",
        name=item.name,
        function_name=item.originalname,
        function=item.function,
        module=item.module,
        path=item.path,
        statement=statement,
        metric=metric,
        skipped=item.get_closest_marker("skip") is not None,
        clash=item.stash.get(_CLASH, ""),
    )


def all_stated(items: Iterable[pytest.Item]) -> list[BehaviorTest]:
    """Return the tests of behaviors among some items."""
    return [test for item in items if (test := stated(item))]


def hold_apart(items: Iterable[pytest.Item]) -> None:
    """Store at each item the conflict of its test with another one, if there is any."""
    stating = [item for item in items if stated(item)]
    for item, test in zip(stating, held_apart(all_stated(stating)), strict=True):
        item.stash[_CLASH] = test.clash


def claim(item: pytest.Item) -> str:
    """Return the name of an item's test in the results; repetitions of a test by other plugins share one name."""
    test = stated(item)
    return test.id if test else item.nodeid


if not TYPE_CHECKING:  # otherwise a type checker would accept any name

    def __getattr__(name: str) -> object:
        from vlcheck._moved import find_name

        return find_name(__name__, name)
