"""The words that the cures know: those of the shipped lexicons."""

from __future__ import annotations

from functools import cache

from vlcheck.mitigate.sides import shipped_lexicons

_SINGULAR_ENDINGS = ("ss", "us", "is")  # glass, bus, tennis
_PLURALS = frozenset({"cattle", "children", "feet", "geese", "men", "mice", "people", "police", "teeth", "women"})


@cache
def thing_words() -> frozenset[str]:
    """Return the single words for things, animals and persons."""
    lexicons = shipped_lexicons()
    return frozenset(word for word in lexicons.things | lexicons.nouns | lexicons.beings.keys() if " " not in word)


@cache
def color_words() -> frozenset[str]:
    """Return the names of colors."""
    return frozenset(shipped_lexicons().color_kinds)


def is_plural(word: str) -> bool:
    """Return True if a word for a thing stands with "are", as far as its ending tells.

    Example:
        >>> [is_plural(word) for word in ("cups", "pants", "firemen", "bus", "glass")]
        [True, True, True, False, False]
    """
    lower = word.lower()
    ends = lower.endswith("s") and not lower.endswith(_SINGULAR_ENDINGS)
    return ends or lower.endswith("men") or lower in _PLURALS
