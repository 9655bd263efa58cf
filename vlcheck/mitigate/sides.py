"""Texts about a mirrored picture: left and right change places, where the words can be mirrored at all."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache

import msgspec

from vlcheck._util.hashing import digest
from vlcheck.cases.case import filled
from vlcheck.cases.words import OTHER_SIDE, tokenize, words_of
from vlcheck.datasets.lexicons.lexicon import Lexicons
from vlcheck.datasets.lexicons.toml_files import load_lexicons
from vlcheck.suite.shipped import lexicons_path

_SIDE = re.compile(rf"(?<![^\W_])(?:{'|'.join(OTHER_SIDE)})(?![^\W_])", re.IGNORECASE)
_TURNS = frozenset({"clockwise", "anticlockwise", "counterclockwise"})
_KEPT = 10_000  # texts


@cache
def shipped_lexicons() -> Lexicons:
    """Return the shipped lexicons; they are read once a process."""
    return load_lexicons(lexicons_path())


@cache
def lexicons_key() -> str:
    """Return a digest of the words by which a text is mirrored."""
    lexicons = shipped_lexicons()
    tables = (lexicons.sides, lexicons.writing, lexicons.stops, _TURNS)
    return digest(*(msgspec.json.encode(table, order="deterministic").decode() for table in tables))


def exchange_sides(caption: str) -> str:
    """Return the caption with "left" and "right" exchanged, also in "left-hand".

    Example:
        >>> exchange_sides("A man with a ball in his left hand")
        'A man with a ball in his right hand'
    """
    return _SIDE.sub(_other, caption)


def _other(match: re.Match[str]) -> str:
    other = OTHER_SIDE[match[0].lower()]
    return other.upper() if match[0].isupper() else other.capitalize() if match[0][0].isupper() else other


def can_be_mirrored(caption: str) -> bool:
    """Return True if the caption with exchanged sides is true of the mirrored picture, as far as its words tell.

    It is not if the caption suggests writing, which a mirror would turn, uses "left" or "right" in another sense, or
    has a word for a side or a turn that has no counterpart, such as "lefty" or "clockwise".

    Example:
        >>> can_be_mirrored("a dog to the left of a bed"), can_be_mirrored("a dog right behind a stop sign")
        (True, False)
    """
    lexicons, tokens = shipped_lexicons(), tokenize(caption)
    if any(found.meaning for found in lexicons.suggests_writing.find(tokens)):
        return False
    if not (lexicons.sides.also | _TURNS).isdisjoint(token.word for token in tokens):
        return False
    return all(lexicons.is_side(tokens, at) for at, token in enumerate(tokens) if token.word in OTHER_SIDE)


@lru_cache(_KEPT)
def mirrored_text(text: str) -> str | None:
    """Return the text about the mirrored picture, whose own mirrored text is this one again; None if there is none.

    Example:
        >>> mirrored_text("a dog to the left of a bed")
        'a dog to the right of a bed'
        >>> mirrored_text("a clock that runs clockwise") is None
        True
    """
    mirrored = exchange_sides(text)
    back = exchange_sides(mirrored) == text  # "lEFT" would come back as "left"
    return mirrored if back and can_be_mirrored(text) and can_be_mirrored(mirrored) else None


def mirrored_template(template: str, words: Iterable[str]) -> tuple[str, tuple[str, ...]] | None:
    """Return a text and its words as they are about the mirrored picture; None if the text cannot be mirrored.

    The words need not be true of the picture, so that one that suggests writing does not matter.

    Args:
        template: the text; it may have "[MASK]".
        words: the words for the mask, or asked about beside the text.

    Example:
        >>> mirrored_template("a dog to the [MASK] of a bed", ["left", "right"])
        ('a dog to the [MASK] of a bed', ('right', 'left'))
    """
    asked, mirrored = tuple(words), mirrored_text(template)
    if mirrored is None or any(mirrored_text(filled(template, word)) is None for word in asked if _names_side(word)):
        return None
    return mirrored, tuple(map(exchange_sides, asked))


def mirrored_texts(texts: Iterable[str]) -> tuple[str, ...] | None:
    """Return texts as they are about the mirrored picture; None if one of them cannot be mirrored."""
    mirrored = []
    for text in texts:
        other = mirrored_text(text)
        if other is None:
            return None
        mirrored.append(other)
    return tuple(mirrored)


def _names_side(word: str) -> bool:
    return not (OTHER_SIDE.keys() | shipped_lexicons().sides.also | _TURNS).isdisjoint(words_of(word))
