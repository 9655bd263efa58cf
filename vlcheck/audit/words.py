"""The words that an audit looks for, from the lexicons, and the words of a caption."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from vlcheck.cases.words import OPPOSITES, Phrasebook, Token, tokenize
from vlcheck.datasets.lexicons.lexicon import Lexicons, Sense

VERTICALS = frozenset(OPPOSITES) - {"left", "right"}
_LONGEST = 4  # words of a thing's name that are looked at
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def split_words(text: str) -> list[str]:
    """Return the words of a caption in lower case; a hyphen ends a word, an apostrophe does not.

    Example:
        >>> split_words("A man's left-hand glove.")
        ['a', "man's", 'left', 'hand', 'glove']
    """
    return _WORD.findall(text.lower().replace("\u2019", "'"))


class ColorMention(NamedTuple):
    """A color in a caption, and the noun that it stands before.

    Attributes:
        color: the color's name.
        noun: the name of the noun's category, or else the noun; "" if no known noun follows, or one for a person.
    """

    color: str
    noun: str


@dataclass(frozen=True)
class AuditWords:
    """The words that an audit looks for.

    Attributes:
        lexicons: the lexicons of the run.
    """

    lexicons: Lexicons

    @cached_property
    def sides(self) -> frozenset[str]:
        """The words that name a side: left, right, leftmost, ..."""
        return self.lexicons.sides.words | self.lexicons.sides.also

    @cached_property
    def parts(self) -> frozenset[str]:
        """The parts of the body that have sides, in singular: hand, foot, arm, leg."""
        return self.lexicons.sides.parts

    @cached_property
    def color_starts(self) -> frozenset[str]:
        """The words that name a color; a caption without one of them names no color."""
        return frozenset(
            word for color in self.lexicons.colors.values() for name in color.words for word in name.split()
        )

    @cached_property
    def things(self) -> Phrasebook[tuple[Sense, ...]]:
        """A finder of the names of things."""
        return self.lexicons.phrasebook(tuple(self.lexicons.objects))

    def sides_of(self, text: str) -> Iterator[str]:
        """Yield each "left" or "right" of a caption that is a side: "the left of", "his left hand", "the left side".

        "Left" and "right" have other senses: "was left open", "right next to", "the right size".
        """
        tokens = tokenize(text)
        for at, token in enumerate(tokens):
            if token.word in self.lexicons.sides.words and self.lexicons.is_side(tokens, at):
                yield token.word

    def hands_of(self, text: str) -> Iterator[str]:
        """Yield the side of each hand, foot, arm or leg that a caption names with its side: "his left hand"."""
        tokens = tokenize(text)
        for token, following in pairwise(tokens):
            if token.word in self.lexicons.sides.words and following.word in self.parts and not token.gap.strip(" -"):
                yield token.word

    def colors_of(self, text: str) -> list[ColorMention]:
        """Return the colors of a caption, each with the noun directly after it.

        A color word in another sense, as in "white wine", is left out.
        """
        tokens = tokenize(text)
        found = [one for one in self.lexicons.color_names.find(tokens) if one.meaning]
        return [ColorMention(one.meaning, self._noun(tokens, one.end)) for one in found]

    def _noun(self, tokens: Sequence[Token], start: int) -> str:
        """Return the name of the known noun that begins at a token, right after a space; "" if there is none."""
        if start == len(tokens) or not tokens[start - 1].gap.isspace():
            return ""
        found = next(self.things.find(tokens[start : start + _LONGEST]), None)
        if found and found.start == 0 and found.meaning:
            category = found.meaning[0].category
            return "" if category == self.lexicons.persons.category else category
        word = tokens[start].word
        return word if word in self.lexicons.nouns else ""
