"""What a reader finds in its data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

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
        check: looks at the picture of a case. Raises NotApplicable where it does not fit what is said of it, and
            UsageError where the data has to be mended first.
        missing: what would bring more.
        doubts: what may not be meant, and the ids of the cases of which it is said.
        audit: looks at every picture, where that takes no longer than a person waits. Raises UsageError as `check`.
        further: more cases like these, in blocks of other pictures and without end, where the data is made up.
    """

    cases: Mapping[str, tuple[Case, ...]]
    left_out: Counter[str] = field(default_factory=Counter)
    check: Callable[[Case], None] = lambda case: None
    missing: tuple[Missing, ...] = ()
    audit: Callable[[], None] = lambda: None
    doubts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    further: Iterable[Mapping[str, tuple[Case, ...]]] = ()
