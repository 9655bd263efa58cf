"""Edits of the phrase around the target: its other words are removed, or the whole phrase."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, get_args

from vlcheck.cases.case import MASK, Case
from vlcheck.cases.view import View
from vlcheck.errors import NotApplicable
from vlcheck.perturb.base import Labelled

Without = Literal["nothing", "phrase", "all"]

# Words that can stand before a noun in its phrase. The lists are short on purpose: a verb taken for an adjective, as in
# "a man riding horses", would remove what the caption says of something else.
_DETERMINERS = (
    "a|an|the|this|that|these|those|some|several|many|few|his|her|its|their|my|your|our|one|two|three|four|five|six|seven"
    "|eight|nine|ten"
)
_ADJECTIVES = (
    "red|orange|yellow|green|blue|purple|pink|brown|black|white|gray|grey|silver|golden|dark|light|bright|colorful|big"
    "|small|little|large|huge|tiny|giant|long|short|tall|old|young|new|adult|baby|wooden|metal|plastic|glass|stone"
    "|furry|fluffy|striped|spotted|beautiful|pretty|cute|fresh|ripe"
)
_PHRASE = re.compile(
    rf"(?:(?<![\w-])(?P<determiner>{_DETERMINERS})\s+)?"
    rf"(?P<adjectives>(?:(?<![\w-])(?:{_ADJECTIVES})(?:,?\s+and\s+|,\s*|\s+))*){re.escape(MASK)}",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class MaskPhrase(Labelled):
    """Remove the adjectives before the target, so that with the target the whole phrase that names the thing is masked.

    Only colors, sizes, ages, materials and a few other adjectives are known. The article becomes "a", since "an" was
    chosen for the adjective.

    Source:
        Frank et al. 2021, arXiv:2109.04448, mask all words of a phrase, each by a mask of its own.

    Example:
        >>> from vlcheck import Case
        >>> from vlcheck.perturb import Solid, View
        >>> red = Solid((64, 48), (200, 0, 0))
        >>> case = Case(id="dog", image=red, caption="a man with an old, brown dog", target="dog")
        >>> MaskPhrase()(View.of(case), ()).template
        'a man with a [MASK]'
    """

    name: ClassVar[str] = "mask-phrase"
    version: ClassVar[int] = 1

    def __call__(self, view: View, others: Sequence[Case]) -> View:
        return replace(view, template=_PHRASE.sub(_unadorned, view.template, count=1))


def _unadorned(phrase: re.Match[str]) -> str:
    """Return a phrase without its adjectives."""
    if not phrase["adjectives"]:
        return phrase[0]
    determiner = phrase["determiner"] or ""
    if determiner.lower() == "an":
        determiner = determiner[0]
    return f"{determiner} {MASK}".lstrip()


@dataclass(frozen=True)
class AfterCaption(Labelled):
    """Ask the case's short text after its caption, to measure how much vision relies on language.

    If the region of the thing is removed from the picture, only the caption can tell what it shows. A model that
    predicts words or matches texts is asked for it by the short text: "a man walks his dog, a photo of a [MASK]". A
    model with a head for regions needs no such text: see `vlcheck.perturb.Untold`.

    Attributes:
        without: words that are removed from the caption: "nothing"; the "phrase" that names the thing, for which "it"
            stands in; or "all", which leaves the short text alone.

    Example:
        >>> from vlcheck import Case
        >>> from vlcheck.perturb import Solid, View
        >>> red = Solid((64, 48), (200, 0, 0))
        >>> case = Case(id="dog", image=red, caption="A man walks his dog.", target="dog", bare="a photo of a [MASK]")
        >>> for without in ("nothing", "phrase", "all"):
        ...     print(AfterCaption(without)(View.of(case), ()).text)
        A man walks his dog, a photo of a dog
        A man walks it, a photo of a dog
        a photo of a dog
    """

    without: Without = "nothing"

    name: ClassVar[str] = "after-caption"
    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if self.without not in get_args(Without):
            raise ValueError(f"AfterCaption: {self.without!r} is none of {', '.join(get_args(Without))}")

    def __call__(self, view: View, others: Sequence[Case]) -> View:
        case = view.case
        if case.bare is None:
            raise NotApplicable("the case has no bare text")
        if self.without == "all":
            return replace(view, template=case.bare)
        told = case.caption if self.without == "nothing" else _PHRASE.sub("it", case.masked, count=1)
        return replace(view, template=f"{told.rstrip(' .')}, {case.bare}")
