"""The words that the cures know: those of the shipped lexicons."""

from __future__ import annotations

from functools import cache

from vlcheck.mitigate.sides import shipped_lexicons


@cache
def thing_words() -> frozenset[str]:
    """Return the single words for things, animals and persons."""
    lexicons = shipped_lexicons()
    return frozenset(word for word in lexicons.things | lexicons.nouns | lexicons.beings.keys() if " " not in word)


@cache
def color_words() -> frozenset[str]:
    """Return the names of colors."""
    return frozenset(shipped_lexicons().color_kinds)
