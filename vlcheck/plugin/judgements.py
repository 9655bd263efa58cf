"""The judgements of a test, kept at its item for the reports of pytest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from vlcheck.evaluation.evidence import Judgement

JUDGEMENTS = pytest.StashKey["list[Judgement]"]()


def keep_judgement(
    item: pytest.Item, judgement: Judgement, properties: Callable[[Judgement], Iterable[tuple[str, object]]]
) -> None:
    """Keep a judgement for the reports of an item, in place of that of an earlier attempt, e.g. if a test is rerun.

    Args:
        item: the test.
        judgement: the judgement.
        properties: gives the properties of a judgement in JUnit's file.
    """
    others = [one for one in item.stash.get(JUDGEMENTS, []) if one.of != judgement.of]
    item.stash[JUDGEMENTS] = held = [*others, judgement]
    foreign = [(name, value) for name, value in item.user_properties if not name.startswith("vlcheck_")]
    item.user_properties[:] = [*foreign, *chain.from_iterable(map(properties, held))]
