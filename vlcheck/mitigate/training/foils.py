"""Negatives that a bag of words cannot tell from a caption, and captions whose order says nothing.

A model that is never shown such negatives can match captions by the words that they have.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import cache
from itertools import combinations, combinations_with_replacement, groupby
from random import Random

from vlcheck.cases.words import article_of
from vlcheck.mitigate.sides import shipped_lexicons
from vlcheck.mitigate.training.vocabulary import color_words, is_plural, thing_words

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_WORD_OR_COMMA = re.compile(rf"{_WORD.pattern}|,")
_LONGEST = 6  # words of a phrase on one side of "and"
_LISTING = frozenset({",", "and", "or"})  # between the members of a list
# Further phrases whose two sides may change places; those of roles.toml are between two living beings.
_MUTUAL = ("across from", "adjacent to", "alongside", "along with", "far from", "opposite", "or", "together with")
_POSTURES = ("ed", "ing")  # endings of "parked next to", "standing beside"


def order_foils(caption: str, things: Collection[str] | None = None) -> tuple[str, ...]:
    """Return the captions in which two colors, or two things, of a caption have changed places.

    Exchanges that keep the caption true are left out: of the members of a list, of the two sides of "next to" and the
    like, and of two colors of one thing. So are those of a singular and a plural, which grammar alone tells.

    Args:
        caption: the caption.
        things: the words for things and persons; None stands for those of the shipped lexicons.

    Example:
        >>> order_foils("a red ball on a blue box")
        ('a blue ball on a red box', 'a red box on a blue ball')
        >>> order_foils("a ball and a box")
        ()
    """
    return tuple(dict.fromkeys(foil for foil, _ in _foils(caption, things)))


def _foils(caption: str, things: Collection[str] | None) -> Iterator[tuple[str, str]]:
    """Yield each foil, and the text between the two words that changed places."""
    words = list(_WORD.finditer(caption))
    for kind in (color_words(), thing_words() if things is None else frozenset(things)):
        named = [match for match in words if match[0].lower() in kind]
        for one, other in combinations(named, 2):
            if kind is not color_words() and is_plural(one[0]) != is_plural(other[0]):
                continue
            foil, between = _exchanged(caption, one, other), caption[one.end() : other.start()]
            if not (_says_the_same(caption, foil) or _joins_directly(between)):
                yield foil, between


def _exchanged(caption: str, one: re.Match[str], other: re.Match[str]) -> str:
    """Return the caption with two words exchanged, and "a" or "an" adapted."""
    between = caption[one.end() : other.start()]
    start = _with_article(caption[: one.start()], other[0])
    return start + other[0] + _with_article(between, one[0]) + one[0] + caption[other.end() :]


def _with_article(text: str, word: str) -> str:
    return re.sub(r"\b(a|an)(?=\s+$)", article_of(word), text)


def _joins_directly(between: str) -> bool:
    """Return True if nothing but "and" is between two words, as between the colors of "a red and white bus"."""
    return set(_WORD.findall(between.lower())) <= {"and", "or"}


def _says_the_same(caption: str, foil: str) -> bool:
    """Return True if a foil is the caption with the two phrases around a word such as "and" exchanged, or as it was."""
    was, now = (_WORD_OR_COMMA.findall(text.lower()) for text in (caption, foil))
    return was == now or any(
        now == _turned(was, first - one, first, last, last + other)
        for first, last in _joints(was)
        for one in range(1, min(first, _LONGEST) + 1)
        for other in range(1, _LONGEST + 1)
    )


def _turned(words: list[str], start: int, first: int, last: int, end: int) -> list[str]:
    """Return the words with those before the joint from `first` to `last` and those after it exchanged."""
    return [*words[:start], *words[last:end], *words[first:last], *words[start:first], *words[end:]]


def _joints(words: list[str]) -> Iterator[tuple[int, int]]:
    """Yield the begin and the end of what may be between two phrases that change places: a joint, or part of a list."""
    for (first, _), (_, last) in combinations_with_replacement(_list_joints(words), 2):
        yield first, last
    for first, word in enumerate(words):
        for phrase in _mutual().get(word, ()):
            if tuple(words[first : first + len(phrase)]) == phrase:
                yield first, first + len(phrase)
                if first and words[first - 1].endswith(_POSTURES) and words[first - 1] not in thing_words():
                    yield first - 1, first + len(phrase)


def _list_joints(words: list[str]) -> Iterator[tuple[int, int]]:
    """Yield the begin and the end of each run of commas, "and" and "or"."""
    for is_joint, run in groupby(enumerate(words), key=lambda one: one[1] in _LISTING):
        if is_joint:
            places = [at for at, _ in run]
            yield places[0], places[-1] + 1


@cache
def _mutual() -> dict[str, list[tuple[str, ...]]]:
    """Return these words and phrases by their first word."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for phrase in (*shipped_lexicons().roles.mutual, *_MUTUAL):
        words = tuple(phrase.split())
        found.setdefault(words[0], []).append(words)
    return found


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
    return any("and" in _WORD.findall(between.lower()) for _, between in _foils(caption, things))


def present_foils(caption: str, present: Collection[str], group: Collection[str]) -> tuple[str, ...]:
    """Return the captions in which one category is replaced by another one that the picture has, too.

    They are made of captions that relate a category of the group to something else, as in "a woman holds a ball"; and
    they are taken for false, as if nobody holds two things. A caption that names nothing else is left alone: "a photo
    of a box" is as true as "a photo of a ball" if the picture shows both.

    Args:
        caption: the caption.
        present: the words for the categories that are annotated in the picture.
        group: the words for categories that can stand for one another, e.g. those of a supercategory.

    Example:
        >>> present_foils("a woman holds a ball", {"woman", "ball", "orange"}, {"ball", "orange"})
        ('a woman holds an orange',)
        >>> present_foils("a photo of a ball", {"woman", "ball", "orange"}, {"ball", "orange"})
        ()
    """
    words = list(_WORD.finditer(caption))
    said = {match[0].lower() for match in words}
    if len(said & frozenset(present)) < 2:
        return ()
    others = sorted((frozenset(present) & frozenset(group)) - said)
    named = [match for match in words if match[0].lower() in frozenset(present) & frozenset(group)]
    return tuple(
        _with_article(caption[: one.start()], other) + other + caption[one.end() :] for one in named for other in others
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
    foils = order_foils(caption, things)
    return rng.choice(foils) if foils else shuffle_words(caption, rng)


def shuffle_words(caption: str, rng: Random) -> str:
    """Return the words of a caption in another order, which is not that of the two sides of "and" exchanged.

    Args:
        caption: a caption of two different words or more.
        rng: random numbers.

    Raises:
        ValueError: no order of the words differs from the caption's own.
    """
    words = caption.split()
    if len(set(words)) < 2:
        raise ValueError(f"{caption!r} has no two words that could change places")
    while " ".join(words) == caption or _says_the_same(caption, " ".join(words)):
        rng.shuffle(words)
    return " ".join(words)
