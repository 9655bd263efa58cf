"""Edits of the text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from types import MappingProxyType
from typing import ClassVar

from vlcheck._util.hashing import digest
from vlcheck.cases.case import MASK, Case, word_pattern
from vlcheck.cases.view import View
from vlcheck.cases.words import OPPOSITES, OTHER_SIDE, article_of
from vlcheck.errors import NotApplicable
from vlcheck.perturb.base import Labelled

# Neutral openings by the number of their tokens in BERT's vocabulary; each is true of any picture.
OPENINGS: Mapping[int, str] = MappingProxyType(
    {
        5: "what this picture shows :",
        10: "to whoever looks at it , this picture shows :",
        15: "to whoever looks at it for only one short moment , this picture shows :",
        20: "to whoever looks at it for one short moment and then says what there is , this picture shows :",
    }
)


def opposite(word: str) -> str:
    """Return the opposite side, or "above" for "below" and "below" for "above".

    Raises:
        NotApplicable: If the word has no opposite.

    Example:
        >>> opposite("left")
        'right'
    """
    try:
        return OPPOSITES[word]
    except KeyError:
        raise NotApplicable(f"{word!r} has no opposite") from None


@dataclass(frozen=True)
class Bare(Labelled):
    """Use the case's short text without the hint.

    Example:
        >>> from vlcheck import Case
        >>> from vlcheck.perturb import Solid, View
        >>> red = Solid((64, 48), (200, 0, 0))
        >>> case = Case(id="dog", image=red, caption="a man walks his dog", target="dog", bare="a photo of a [MASK]")
        >>> Bare()(View.of(case), ()).text
        'a photo of a dog'
    """

    name: ClassVar[str] = "bare"
    version: ClassVar[int] = 1

    def __call__(self, view: View, others: Sequence[Case]) -> View:
        if view.case.bare is None:
            raise NotApplicable("the case has no bare text")
        return replace(view, template=view.case.bare)


@dataclass(frozen=True)
class Sentences(Labelled):
    """Ask about whole sentences: the caption stands in the target's place, and its foils are the other candidates.

    Example:
        >>> from vlcheck import Case
        >>> from vlcheck.perturb import Solid, View
        >>> red = Solid((64, 48), (200, 0, 0))
        >>> case = Case(id="dog", image=red, caption="a dog", target="dog", foils=("two dogs",))
        >>> view = Sentences()(View.of(case), ())
        >>> view.template, view.text, view.candidates
        ('[MASK]', 'a dog', ('two dogs',))
    """

    name: ClassVar[str] = "sentences"
    version: ClassVar[int] = 1

    def __call__(self, view: View, others: Sequence[Case]) -> View:
        if not view.case.foils:
            raise NotApplicable("the case has no foils")
        return replace(view, template=MASK, target=view.case.caption, candidates=view.case.foils)


@dataclass(frozen=True)
class Untold(Labelled):
    """Mask the target in the text, to measure how much vision relies on language (Frank et al. 2021, arXiv:2109.04448).

    It is meant for queries about masked regions; queries of other metrics ask for the word itself.

    Example:
        >>> from vlcheck import Case
        >>> from vlcheck.perturb import Solid, Untold, View
        >>> case = Case(id="hand", image=Solid((64, 48), (200, 0, 0)), caption="a ball in his left hand", target="left")
        >>> view = View.of(case)
        >>> Untold()(view, ()).text
        'a ball in his [MASK] hand'
    """

    name: ClassVar[str] = "untold"
    version: ClassVar[int] = 1

    def __call__(self, view: View, others: Sequence[Case]) -> View:
        return replace(view, told=False)


@dataclass(frozen=True)
class Opening(Labelled):
    """Put a neutral opening before the text.

    Attributes:
        tokens: number of its tokens, one of OPENINGS.

    Example:
        >>> from vlcheck import Case
        >>> from vlcheck.perturb import Opening, Solid, View
        >>> case = Case(id="hand", image=Solid((64, 48), (200, 0, 0)), caption="a ball in his left hand", target="left")
        >>> view = View.of(case)
        >>> Opening(5)(view, ()).text
        'what this picture shows : a ball in his left hand'
    """

    tokens: int

    name: ClassVar[str] = "opening"
    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if self.tokens not in OPENINGS:
            raise ValueError(f"Opening: tokens is {self.tokens}; it has to be one of {', '.join(map(str, OPENINGS))}")

    def __call__(self, view: View, others: Sequence[Case]) -> View:
        return replace(view, template=f"{OPENINGS[self.tokens]} {view.template}")


@dataclass(frozen=True)
class ShuffleWords(Labelled):
    """Put the text's words, the mask among them, in another order, the same in every run.

    Example:
        >>> from vlcheck import Case
        >>> from vlcheck.perturb import ShuffleWords, Solid, View
        >>> case = Case(id="hand", image=Solid((64, 48), (200, 0, 0)), caption="a ball in his left hand", target="left")
        >>> view = View.of(case)
        >>> ShuffleWords()(view, ()).text
        'left in his a ball hand'
    """

    name: ClassVar[str] = "shuffle-words"
    version: ClassVar[int] = 1

    def __call__(self, view: View, others: Sequence[Case]) -> View:
        words = view.template.split()
        if len(set(words)) < 2:
            raise NotApplicable("the text has no two words that could change places")
        templates = (" ".join(_shuffled(words, f"{view.case.id} {attempt}")) for attempt in count())
        return replace(view, template=next(one for one in templates if one.split() != words))


def _shuffled(words: Sequence[str], seed: str) -> list[str]:
    return [words[at] for at in sorted(range(len(words)), key=lambda at: digest(seed, str(at)))]


@dataclass(frozen=True)
class Exchange(Labelled):
    """Exchange the target and the one other word of the closed set that the text names, so that the text becomes false.

    Both take their articles along. If only one of them has "a" or "an", the article is adapted to the new word.

    Example:
        >>> from vlcheck import Case
        >>> from vlcheck.perturb import Solid, View
        >>> red = Solid((64, 48), (200, 0, 0))
        >>> case = Case(id="cup", image=red, caption="a red cup on a blue box", target="red", candidates=("blue",))
        >>> Exchange()(View.of(case), ()).text
        'a blue cup on a red box'
    """

    name: ClassVar[str] = "exchange"
    version: ClassVar[int] = 2

    def __call__(self, view: View, others: Sequence[Case]) -> View:
        named = [word for word in view.candidates if word_pattern(word).search(view.template)]
        if len(named) != 1:
            raise NotApplicable(f"the text names {len(named) or 'no'} words that the target could change places with")
        (rival,) = named
        template = _with_articles_exchanged(view.template, view.target, rival)
        template = word_pattern(rival).sub(lambda found: _cased_as(found[0], view.target), template)
        candidates = tuple(view.target if word == rival else word for word in view.candidates)
        return replace(view, template=template, target=rival, candidates=candidates)


def _with_articles_exchanged(template: str, target: str, rival: str) -> str:
    """Adapt each "a" or "an" directly before the mask or the rival to the word that will follow it."""
    articles = [
        match for match in _ARTICLE.finditer(template) if match["word"].lower() in (MASK.lower(), rival.lower())
    ]
    if len(articles) == 2:
        fitting = [articles[1]["article"], articles[0]["article"]]
    else:
        fitting = [article_of(rival if match["word"] == MASK else target) for match in articles]
    for match, article in reversed(list(zip(articles, fitting, strict=True))):
        said = _cased_as(match["article"], article.lower())
        template = template[: match.start()] + said + template[match.end("article") :]
    return template


_ARTICLE = re.compile(rf"(?<![\w-])(?P<article>an?) (?=(?P<word>{re.escape(MASK)}|\w+)(?![\w-]))", re.IGNORECASE)


def _cased_as(old: str, new: str) -> str:
    return new.capitalize() if old[0].isupper() else new


@dataclass(frozen=True)
class SwapSides(Labelled):
    """Exchange left and right, in the text, the target and the closed set.

    Example:
        >>> from vlcheck import Case
        >>> from vlcheck.perturb import Solid, SwapSides, View
        >>> case = Case(id="hand", image=Solid((64, 48), (200, 0, 0)), caption="a ball in his left hand", target="left")
        >>> view = View.of(case)
        >>> SwapSides()(view, ()).text
        'a ball in his right hand'
    """

    name: ClassVar[str] = "swap-sides"
    version: ClassVar[int] = 1

    def __call__(self, view: View, others: Sequence[Case]) -> View:
        template = _SIDE_WORD.sub(_swapped, view.template)
        target = OTHER_SIDE.get(view.target, view.target)
        if (template, target) == (view.template, view.target):
            raise NotApplicable("the text names no side")
        candidates = tuple(OTHER_SIDE.get(word, word) for word in view.candidates)
        return replace(view, template=template, target=target, candidates=candidates)


_SIDE_WORD = re.compile("|".join(word_pattern(word).pattern for word in OTHER_SIDE), re.IGNORECASE)


def _swapped(match: re.Match[str]) -> str:
    word = match[0]
    other = OTHER_SIDE[word.lower()]
    return _cased_as(word, other)
