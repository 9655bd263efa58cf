"""Foils: sentences that are false of a picture, and the tags of cases that have them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

FOIL = "foil"  # the tag of a case that only tests of foils ask about
PHENOMENA = (
    "replaced-object",
    "replaced-attribute",
    "replaced-relation",
    "swapped-object",
    "swapped-attribute",
    "added-object",
    "added-attribute",
    "existence",
    "plurality",
    "counting",
    "spatial-relation",
    "action",
    "coreference",
    "word-order",
)

# Choices between a caption and its foils, as results name them.
COIN = "a coin"
ITSELF = "the model with another picture"
CONTROL = "the control"
WITHOUT_PICTURE = "without_picture"  # the table of these choices in the results
PARTS = ("", ": from", ": to", ": lead", ": lead from", ": lead to", ": n")  # of a choice's figures in that table


@runtime_checkable
class AsksForTags(Protocol):
    """A selection of cases by their tags."""

    @property
    def kinds(self) -> tuple[str, ...]: ...

    @property
    def having(self) -> Iterable[str]: ...


def asks_foils(selection: object) -> bool:
    """Return True if a selection asks for cases with foils.

    Example:
        >>> from vlcheck import with_target
        >>> asks_foils(with_target("existence", having=["foil"])), asks_foils(with_target("object"))
        (True, False)
    """
    return isinstance(selection, AsksForTags) and FOIL in (*selection.kinds, *selection.having)
