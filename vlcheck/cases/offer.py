"""What a reader finds in its data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vlcheck.cases.case import Case


@dataclass(frozen=True)
class Missing:
    """Files that the data has not, and which would bring cases.

    Attributes:
        files: where they belong, below the data's folder.
        kinds: of the cases that they would bring (tags); none for cases of every kind.
    """

    files: str
    kinds: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Offer:
    """What a reader finds in its data.

    Attributes:
        cases: by the name of their image, which is the same wherever the data lies.
        left_out: how many things were left out, by reason.
        check: raises UsageError where the picture of a case that was chosen cannot be used.
        missing: what would bring more.
    """

    cases: Mapping[str, tuple[Case, ...]]
    left_out: Counter[str]
    check: Callable[[Case], None]
    missing: tuple[Missing, ...] = ()
