"""Sets of words that are stored as complements, since with a thousand categories they contain nearly all words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class AllBut(Set[str]):
    """A set of words that shares its elements with others of its kind.

    Attributes:
        whole: the words of the lexicon.
        missing: words that it does not contain.
        more: words that it contains even if they are in `missing`.
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

    # The operand has to be a set of words, which is narrower than for sets in general.
    def __or__(self, other: Set[str]) -> AllBut:  # type: ignore[override]
        return AllBut(self.whole, self.missing, self.more | other)

    @classmethod
    def _from_iterable(cls, words: Iterable[str]) -> frozenset[str]:  # type: ignore[override]
        """Return the result of other operators as a plain set."""
        return frozenset(words)
