"""A set of words that is stored as its complement: with a thousand categories it holds nearly all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class AllBut(Set[str]):
    """A set that shares its elements with others of its kind.

    Attributes:
        whole: the words of the lexicon.
        missing: those that it does not hold.
        more: words that it holds, missing or not.
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
        """Return the result of the other operators, which is a plain set."""
        return frozenset(words)
