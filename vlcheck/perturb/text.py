"""Edits of the text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar

from vlcheck.cases.case import Case, word_pattern
from vlcheck.errors import NotApplicable
from vlcheck.perturb.view import View

OPPOSITES: Mapping[str, str] = MappingProxyType({"left": "right", "right": "left"})


def opposite(word: str) -> str:
    """The other side. Raises NotApplicable for a word that names none."""
    try:
        return OPPOSITES[word]
    except KeyError:
        raise NotApplicable(f"{word!r} names no side") from None


@dataclass(frozen=True)
class Bare:
    """The text without its hint."""

    name: ClassVar[str] = "bare"
    version: ClassVar[int] = 1

    @property
    def label(self) -> str:
        return f"{self.name} v{self.version}"

    def __call__(self, view: View, others: Sequence[Case]) -> View:
        if view.case.bare is None:
            raise NotApplicable("the case has no bare text")
        return replace(view, template=view.case.bare)


@dataclass(frozen=True)
class SwapSides:
    """Left for right and right for left, in the text, the target and the closed set."""

    name: ClassVar[str] = "swap-sides"
    version: ClassVar[int] = 1

    @property
    def label(self) -> str:
        return f"{self.name} v{self.version}"

    def __call__(self, view: View, others: Sequence[Case]) -> View:
        template = _SIDE.sub(_swapped, view.template)
        target = OPPOSITES.get(view.target, view.target)
        if (template, target) == (view.template, view.target):
            raise NotApplicable("the text names no side")
        candidates = tuple(OPPOSITES.get(word, word) for word in view.candidates)
        return replace(view, template=template, target=target, candidates=candidates)


_SIDE = re.compile("|".join(word_pattern(word).pattern for word in OPPOSITES), re.IGNORECASE)


def _swapped(match: re.Match[str]) -> str:
    word = match[0]
    other = OPPOSITES[word.lower()]
    return other.capitalize() if word[0].isupper() else other
