"""The words and phrases of a caption."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from functools import lru_cache
from itertools import starmap
from operator import attrgetter
from types import MappingProxyType
from typing import Generic, NamedTuple, TypeVar

Meaning = TypeVar("Meaning")

_CURLY = "\u2019"
_WORDS = re.compile(rf"([^\W_]+(?:['{_CURLY}][^\W_]+)*)([\W_]*)")  # each with what follows it
_word = attrgetter("word")
_GLUE = re.compile(r"\s+|-")


class Token(NamedTuple):
    """A word of a text.

    Attributes:
        word: the word in lower case, without a possessive 's.
        possessive: whether it had one.
        gap: the text between it and the next word, or the end.
    """

    word: str
    possessive: bool
    gap: str


class PhraseMatch(NamedTuple, Generic[Meaning]):
    """A phrase found in a text.

    Attributes:
        start: the index of its first token.
        end: the index after its last one.
        meaning: the phrase's meaning.
    """

    start: int
    end: int
    meaning: Meaning


def tokenize(text: str) -> tuple[Token, ...]:
    """Split a text into words; a hyphen ends one, an apostrophe does not."""
    return tuple(starmap(_token, _WORDS.findall(text)))


@lru_cache(maxsize=1 << 14)  # most words of captions are few
def _token(said: str, gap: str) -> Token:
    word = said.lower().replace(_CURLY, "'")
    bare = word.removesuffix("'s")
    return Token(bare, bare != word, gap)


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text, in lower case."""
    return words_among(tokenize(text))


def words_among(tokens: Iterable[Token]) -> frozenset[str]:
    """Return the words of some tokens, each once."""
    return frozenset(map(_word, tokens))


def join_tokens(tokens: Sequence[Token]) -> str:
    """Write words as a text again, in lower case, without the text after the last one."""
    words = (token.word + ("'s" if token.possessive else "") + token.gap for token in tokens)
    return "".join(words).rstrip(" .,!?")


def article_of(noun: str) -> str:
    """Return the indefinite article of a noun: "an" for apple, "a" for uniform."""
    word = noun.lower()
    return "an" if word[0] in "aeiou" and not word.startswith(("uni", "use", "eu", "one")) else "a"


class Phrasebook(Generic[Meaning]):
    """A finder of phrases in texts; the longest phrase wins, so that "hot dog" hides "dog".

    Args:
        meanings: the meaning of each phrase; a phrase is one or more words in lower case.
    """

    def __init__(self, meanings: Mapping[str, Meaning]) -> None:
        self._phrases: dict[str, list[tuple[list[str], Meaning]]] = {}  # what follows a first word, the longest first
        known = {tuple(phrase.split()): meaning for phrase, meaning in meanings.items()}
        for (first, *rest), meaning in sorted(known.items(), key=lambda one: len(one[0]), reverse=True):
            self._phrases.setdefault(first, []).append((rest, meaning))

    def may_find(self, words: Set[str]) -> bool:
        """Return False if no phrase of this book can occur in a text with these words."""
        return not self._phrases.keys().isdisjoint(words)

    def find(self, tokens: Sequence[Token]) -> Iterator[PhraseMatch[Meaning]]:
        """Yield each phrase of this book that occurs in a text, from left to right, without overlap."""
        free = 0
        begins = [start for start, token in enumerate(tokens) if token.word in self._phrases]
        for start in begins:
            if start >= free and (found := self._at(tokens, start)):
                yield found
                free = found.end

    def _at(self, tokens: Sequence[Token], start: int) -> PhraseMatch[Meaning] | None:
        following = tokens[start + 1].word if start + 1 < len(tokens) else ""
        for rest, meaning in self._phrases[tokens[start].word]:
            if not rest or (rest[0] == following and _continues(tokens, start, rest)):
                return PhraseMatch(start, start + 1 + len(rest), meaning)
        return None


def _continues(tokens: Sequence[Token], start: int, rest: list[str]) -> bool:
    """Return True if these words follow a token, and spaces or hyphens alone are between."""
    end = start + 1 + len(rest)
    same = [token.word for token in tokens[start + 1 : end]] == rest
    return same and all(_GLUE.fullmatch(token.gap) for token in tokens[start : end - 1])


OTHER_SIDE: Mapping[str, str] = MappingProxyType({"left": "right", "right": "left"})


OPPOSITES: Mapping[str, str] = MappingProxyType({**OTHER_SIDE, "above": "below", "below": "above"})
