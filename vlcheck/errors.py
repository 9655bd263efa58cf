"""What a user can get wrong, what does not apply, and what foreign code raises: exceptions of every floor."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_JOINERS = "\u200c\u200d"  # without which Persian, Hindi and families of emoji fall apart


class UsageError(Exception):
    """Input that vlcheck cannot work with; the message names the option, file or line, and what would be accepted."""


class NotApplicable(Exception):
    """A question that makes no sense for a case; the message is the reason under which it is counted."""


class ForeignFault(Exception):
    """An exception of code that is not vlcheck's: a model, a perturbation, a selection or an expectation."""


def printable(text: str, most: int = 300) -> str:
    """Foreign text as a terminal can show it: control characters escaped, cut where it is long."""
    shown = "".join(
        one if one.isprintable() or one in _JOINERS else one.encode("unicode_escape").decode() for one in text
    )
    return shown if len(shown) <= most else f"{shown[: most - 4]} ..."


def closest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like another, else the one that is but for its case; None where none is."""
    names = sorted(known)
    if meant := difflib.get_close_matches(name, names, n=1):
        return meant[0]
    folded = {one.casefold(): one for one in reversed(names)}
    return next((folded[one] for one in difflib.get_close_matches(name.casefold(), sorted(folded), n=1)), None)


def nearest(name: str, known: Iterable[str]) -> str:
    """Say which known name is meant, or list them all.

    Args:
        name: what was asked for.
        known: what there is.

    Returns:
        A sentence to end an error message with.
    """
    names = sorted(known)
    if meant := closest(name, names):
        return f"Did you mean {meant!r}?"
    return f"Known: {', '.join(names)}."
