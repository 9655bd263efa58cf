"""A bounded choice of cases from a table of any length."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field

from vlcheck.cases.case import Case
from vlcheck.cases.selection import order_rank

_Entry = tuple[int, int, str, Case]


@dataclass
class BestCases:
    """The cases that behaviors would choose first: of each target with its tags, those of the first images in order.

    Selections accept or refuse all cases of the same target and tags, and go through images in an order that the seed
    gives (`vlcheck.cases.selection`). So they choose the same cases of each target as from the whole table, and memory
    stays flat.

    Attributes:
        most: the largest number of cases of one target and tags.
        seed: determines the order of images.
    """

    most: int
    seed: int
    _groups: dict[Hashable, list[_Entry]] = field(default_factory=dict)
    _dropped: int = 0
    _added: int = 0

    def add(self, name: str, case: Case) -> None:
        """Keep a case, unless there are enough that come before it.

        Args:
            name: the name of its image.
            case: the case.
        """
        group = self._groups.setdefault((case.target, case.tags, case.bare is None), [])
        late = -int.from_bytes(order_rank(self.seed, name)[:8])
        self._added += 1
        heapq.heappush(group, (late, self._added, name, case))
        if len(group) > self.most:
            heapq.heappop(group)
            self._dropped += 1

    def by_image(self) -> dict[str, tuple[Case, ...]]:
        """Return the cases by the name of their image, in the order of the table."""
        entries = sorted((entry for group in self._groups.values() for entry in group), key=lambda entry: entry[1])
        cases: dict[str, tuple[Case, ...]] = {}
        for _, _, name, case in entries:
            cases[name] = (*cases.get(name, ()), case)
        return cases

    def dropped(self) -> Counter[str]:
        """Return how many cases were not kept, with the reason."""
        reason = f"table has more than {self.most} cases of one target and tags"
        return Counter({reason: self._dropped} if self._dropped else {})
