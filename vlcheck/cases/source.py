"""Case sources: opened data from which each behavior selects its cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from typing import TYPE_CHECKING

from vlcheck._util.foreign_code import contained
from vlcheck._util.lazy import Lazy
from vlcheck.cases.case import Case
from vlcheck.cases.foils import asks_foils
from vlcheck.cases.offer import Offer
from vlcheck.cases.opened_images import LookedAt
from vlcheck.cases.selection import Selection, in_turn
from vlcheck.errors import ForeignFault, NotApplicable

REACH = 10  # candidates per requested image: the search ends even if fewer than a tenth of the images are usable


@dataclass(frozen=True)
class CaseSource:
    """Opened data from which each behavior selects its cases.

    Attributes:
        spec: the text that it was opened by.
        offer: the result of reading the data.
        images: number of images for each behavior, if the data has so many.
        seed: determines which images are chosen.
        words: digest of the words of the lexicons that the data was read with; "" if it was read without them.
    """

    spec: str
    offer: Offer
    images: int
    seed: int
    words: str = ""

    @property
    def cases(self) -> Sequence[Case]:
        """All cases of the data, before any choice, in the data's order."""
        return self.offer.all

    @cached_property
    def tags(self) -> frozenset[str]:
        """The tags of all cases."""
        return frozenset().union(*(case.tags for case in self.offer.outlines))

    @property
    def left_out(self) -> Counter[str]:
        """The number of things that were left out, by reason; pictures count as soon as they have been opened."""
        return self.offer.left_out + self._looked_at.left_out()

    def unfit(self, selection: Selection) -> str:
        """Return why a test with a selection is not asked about this data; "" if it is.

        Tests of foils are asked about data that offers such foils. Data with foils is asked another test only if it has
        a case that the test asks for, so that no test goes without a verdict for want of its kind of cases.

        Args:
            selection: the cases that the test asks for.
        """
        if asks_foils(selection):
            if any(map(selection.accepts, self.offer.outlines)):
                return ""
            of = f" of {' or '.join(selection.kinds)}" if self.offer.foils else ""
            return f"foils are asked for, and {self.spec} offers none{of}"
        if self.offer.only_foils:
            return f"{self.spec} offers foils alone, and other cases are asked for"
        return f"{self.spec} offers foils, and no case that it asks for" if self._lacks(selection) else ""

    def _lacks(self, selection: Selection) -> bool:
        """Return True for data with foils that has no case for a selection; False if its own code raises."""
        with suppress(ForeignFault), contained():  # reported when the test itself is judged
            return self.offer.foils and not any(map(selection.accepts, self.offer.outlines))
        return False

    def accepted(self, selection: Selection) -> Mapping[str, list[Case]]:
        """Return all cases that a selection accepts, chosen or not, by the name of their image.

        Args:
            selection: the selection.
        """
        found = {name: [case for case in cases if selection.accepts(case)] for name, cases in self.offer.cases.items()}
        return {name: cases for name, cases in found.items() if cases}

    def select(self, selection: Selection) -> tuple[Case, ...]:
        """Choose a behavior's cases: one a picture, balanced over the target words, the same in every process.

        Pictures that do not fit their case are left out and counted.

        Returns:
            The cases, no more than `images`; empty if the data has none.

        Raises:
            UsageError: If the data names a picture that cannot be used and has to be corrected.
        """
        if selection not in self._selected:
            self._selected[selection] = tuple(islice(self.candidates(selection), self.images))
        return self._selected[selection]

    def candidates(self, selection: Selection) -> Iterator[Case]:
        """Yield a behavior's cases: those of `select`, then more to replace cases that turn out not to count.

        The series ends at REACH times the requested number of images.

        Raises:
            UsageError: Under the same conditions as `select`.
        """
        if selection not in self._candidates:
            self._candidates[selection] = Lazy(islice(self._in_turn(selection), REACH * self.images))
        return iter(self._candidates[selection])

    def _in_turn(self, selection: Selection) -> Iterator[Case]:
        """Yield all cases that are asked for, block after block, up to the first block that has none."""
        for block in chain([self.offer.cases], self.offer.further):
            cases = in_turn(block, selection, seed=self.seed, identify=self._identify)
            if (first := next(cases, None)) is None:
                return
            yield first
            yield from cases

    @cached_property
    def fitting(self) -> tuple[Case, ...]:
        """All cases whose pictures fit them. Every picture is opened; raises UsageError as `select`."""
        named = ((name, case) for name, cases in self.offer.cases.items() for case in cases)
        return tuple(case for name, case in named if self._fits(name, case))

    def _identify(self, name: str, case: Case) -> str | None:
        return self._looked_at.content(name, case) if self._fits(name, case) else None

    def _fits(self, name: str, case: Case) -> bool:
        try:
            self.offer.check(case)
        except NotApplicable as reason:
            self._looked_at.leave_out(name, reason)
            return False
        return True

    @cached_property
    def _looked_at(self) -> LookedAt:
        return LookedAt()

    @cached_property
    def _selected(self) -> dict[Selection, tuple[Case, ...]]:
        return {}

    @cached_property
    def _candidates(self) -> dict[Selection, Lazy[Case]]:
        return {}


if not TYPE_CHECKING:  # else a type checker takes any name for one that is here

    def __getattr__(name: str) -> object:
        from vlcheck._moved import find_name

        return find_name(__name__, name)
