"""The result of reading a data set: its cases, and the things that were left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from vlcheck.cases.case import Case
from vlcheck.cases.foils import FOIL
from vlcheck.cases.indexed import IndexedCases
from vlcheck.cases.selection import Outlined


@dataclass(frozen=True)
class Missing:
    """Files that the data lacks, and that would add cases.

    Attributes:
        files: their paths, relative to the data's folder.
        kinds: the kinds of cases (tags) that they would add; none means cases of every kind.
    """

    files: str
    kinds: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Offer:
    """The result of reading a data set.

    Attributes:
        cases: cases by the name of their image; the name does not depend on where the data is stored. Of large data
            they may be `IndexedCases`, which are made when they are asked for.
        left_out: number of things that were left out, by reason.
        check: checks the picture of a case. Raises NotApplicable if the picture does not fit the case's caption or
            boxes, and UsageError if the data has to be corrected first.
        missing: files that would add cases.
        doubts: possible mistakes in the data, each with the ids of the cases concerned.
        audit: checks every picture, if that is quick enough. Raises UsageError as `check` does.
        further: more cases of the same kinds on other pictures, in an endless series of blocks, for generated data.
    """

    cases: Mapping[str, tuple[Case, ...]]
    left_out: Counter[str] = field(default_factory=Counter)
    check: Callable[[Case], None] = lambda case: None
    missing: tuple[Missing, ...] = ()
    audit: Callable[[], None] = lambda: None
    doubts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    further: Iterable[Mapping[str, tuple[Case, ...]]] = ()

    @cached_property
    def all(self) -> Sequence[Case]:
        """All cases, in the data's order."""
        if isinstance(self.cases, IndexedCases):
            return self.cases.all
        return tuple(case for cases in self.cases.values() for case in cases)

    @property
    def outlines(self) -> Sequence[Outlined]:
        """The part of each case that a selection looks at; of `IndexedCases`, each distinct one."""
        return self.cases.index.outlines if isinstance(self.cases, IndexedCases) else self.all

    @cached_property
    def foils(self) -> bool:
        """True if there are cases that only tests of foils ask about."""
        return any(FOIL in case.tags for case in self.outlines)

    @cached_property
    def only_foils(self) -> bool:
        """True if there are no other cases."""
        return self.foils and all(FOIL in case.tags for case in self.outlines)
