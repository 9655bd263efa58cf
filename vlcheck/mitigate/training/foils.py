"""Negatives that differ from a caption in the order of its words alone, and captions whose order says nothing.

A model that is never shown such negatives can match captions as bags of words.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import cache
from itertools import combinations, pairwise
from random import Random

from vlcheck.cases.words import article_of
from vlcheck.mitigate.sides import shipped_lexicons
from vlcheck.mitigate.training.vocabulary import color_words, thing_words

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_ARTICLES = frozenset({"a", "an", "the"})
_LINKS = frozenset({"of", "on", "in", "at", "to", "with", "and", "by", "for", "his", "her", "their", *_ARTICLES})


def order_foils(caption: str, things: Collection[str] | None = None) -> tuple[str, ...]:
    """Return the captions in which two colors, or two things, of a caption have changed places.

    Exchanges that keep the caption true are left out: the two sides of "and", "next to" and the like, and two colors
    of one thing.

    Args:
        caption: the caption.
        things: the words for things and persons; None stands for those of the shipped lexicons.

    Example:
        >>> order_foils("a red ball on a blue box")
        ('a blue ball on a red box', 'a red box on a blue ball')
        >>> order_foils("a ball and a box")
        ()
    """
    return tuple(dict.fromkeys(_foils(caption, thing_words() if things is None else frozenset(things))))


def _foils(caption: str, things: frozenset[str]) -> Iterator[str]:
    words = list(_WORD.finditer(caption))
    for kind in (color_words(), things):
        named = [match for match in words if match[0].lower() in kind]
        for one, other in combinations(named, 2):
            foil = _exchanged(caption, one, other)
            if not (_says_the_same(caption, foil) or _joined_directly(caption, one, other)):
                yield foil


def _exchanged(caption: str, one: re.Match[str], other: re.Match[str]) -> str:
    """Return the caption with two words exchanged, and "a" or "an" adapted."""
    between = caption[one.end() : other.start()]
    start = _with_article(caption[: one.start()], other[0])
    return start + other[0] + _with_article(between, one[0]) + one[0] + caption[other.end() :]


def _with_article(text: str, word: str) -> str:
    return re.sub(r"\b(a|an)(?=\s+$)", article_of(word), text)


def _joined_directly(caption: str, one: re.Match[str], other: re.Match[str]) -> bool:
    """Return True if nothing but "and" is between two words, as between the colors of "a red and white bus"."""
    return set(_WORD.findall(caption[one.end() : other.start()])) <= {"and", "or"}


def _says_the_same(caption: str, foil: str) -> bool:
    """Return True if the foil has the caption's parts on either side of a word such as "and", in any order."""
    was, now = caption.lower().rstrip(" ."), foil.lower().rstrip(" .")
    return was == now or any(
        sorted(map(str.strip, joint.split(was))) == sorted(map(str.strip, joint.split(now)))
        for joint in _joints()
        if joint.search(was)
    )


@cache
def _joints() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(rf"\b{re.escape(phrase)}\b") for phrase in (*shipped_lexicons().roles.mutual, "or"))


def joins_exchangeable(caption: str, things: Collection[str] | None = None) -> bool:
    """Return True if a caption joins by "and" what could change places, and would then say something else.

    Leave such captions out if the audit finds both orders of them for the same picture: which of the two is true
    cannot be learnt from them.

    Args:
        caption: the caption.
        things: the words for things and persons; None stands for those of the shipped lexicons.

    Example:
        >>> joins_exchangeable("a red ball and a blue box"), joins_exchangeable("a red ball on a blue box")
        (True, False)
    """
    return "and" in _WORD.findall(caption.lower()) and bool(order_foils(caption, things))


def is_word_salad(caption: str) -> bool:
    """Return True if an article or a preposition has no word after it that it could belong to.

    This finds most captions whose words were shuffled, and no well-formed one of the kind "a man holds a red ball".
    """
    words = _WORD.findall(caption.lower())
    return any(
        (word in _ARTICLES and following in _LINKS) or (word in _LINKS and not following)
        for word, following in pairwise([*words, ""])
    )


def draw_foil(caption: str, rng: Random, things: Collection[str] | None = None) -> str:
    """Return a negative of a caption: one of its order foils, or else its words in another order.

    Args:
        caption: a caption of two different words or more.
        rng: random numbers.
        things: the words for things and persons; None stands for those of the shipped lexicons.

    Raises:
        ValueError: no order of the words differs from the caption's own.
    """
    if foils := order_foils(caption, things):
        return rng.choice(foils)
    words = caption.split()
    if len(set(words)) < 2:
        raise ValueError(f"draw_foil: {caption!r} has no two words that could change places")
    while " ".join(words) == caption or _says_the_same(caption, " ".join(words)):
        rng.shuffle(words)
    return " ".join(words)
