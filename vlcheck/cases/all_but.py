"""Words that are known by those which are missing: of a data set with a thousand categories, nearly all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class AllBut(Set[str]):
    """A set that shares its elements with others of its kind.

    Attributes:
        whole: what all of them are made of.
        missing: what this one has not.
        more: what it has, missing or not.
    """

    whole: Set[str]
    missing: frozenset[str]
    more: frozenset[str]

    def __contains__(self, word: object) -> bool:
        return word in self.more or (word in self.whole and word not in self.missing)

    def __iter__(self) -> Iterator[str]:
        yield from self.more
        yield from (word for word in self.whole if word not in self.more and word not in self.missing)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    # Of words alone, which is narrower than what sets in general promise.
    def __or__(self, other: Set[str]) -> AllBut:  # type: ignore[override]
        return AllBut(self.whole, self.missing, self.more | other)

    @classmethod
    def _from_iterable(cls, words: Iterable[str]) -> frozenset[str]:  # type: ignore[override]
        """What the other operators come to."""
        return frozenset(words)
