"""The pictures that were opened when cases were chosen, and why some of them were left out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from vlcheck.cases.case import Case
from vlcheck.cases.duplicates import Copies
from vlcheck.cases.left_out import Reason
from vlcheck.errors import NotApplicable


@dataclass
class _Unfit:
    """The images that were left out for one reason, and the details for the first of them."""

    first: str
    names: set[str] = field(default_factory=set)


@dataclass
class LookedAt:
    """The images that were left out, and the copies of others, by name."""

    _unfit: dict[str, _Unfit] = field(default_factory=dict)
    _named: dict[str, str] = field(default_factory=dict)  # the first image of each key
    _again: dict[str, set[str]] = field(default_factory=dict)  # the others, of keys that have several
    _copies: Copies = field(default_factory=Copies)

    def leave_out(self, name: str, reason: NotApplicable) -> None:
        """Count an image once under a reason.

        Args:
            name: the image's name.
            reason: the reason; its cause, if there is one, has the details.
        """
        self._unfit.setdefault(str(reason), _Unfit(str(reason.__cause__ or ""))).names.add(name)

    def content(self, name: str, case: Case) -> str:
        """Return the key of the case's picture; images of equal keys are copies.

        Args:
            name: the image's name.
            case: a case on the image.
        """
        key = self._copies.key(case.image)
        if self._named.setdefault(key, name) != name:
            self._again.setdefault(key, set()).add(name)
        return key

    def left_out(self) -> Counter[str]:
        """Return how many images were left out, by reason."""
        told = {str(Reason(why, one.first)): len(one.names) for why, one in self._unfit.items()}
        copies = sum(map(len, self._again.values()))
        return Counter(told | ({"picture is a copy of another one": copies} if copies else {}))
