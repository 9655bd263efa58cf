"""The files of words, as records: a table of words for objects, colors, persons, sides and so on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Annotated, Literal

from msgspec import Meta, Struct

from vlcheck.cases.words import Token
from vlcheck.datasets.scenes.scene import Limb

Number = Literal["one", "many"]
_Word = Annotated[str, Meta(pattern=r"\S")]
_Share = Annotated[float, Meta(ge=0, le=1)]
_LIST = Meta(description='a list of words, like ["bus", "buses"]')
_Words = Annotated[tuple[_Word, ...], _LIST]
_WordSet = Annotated[frozenset[_Word], _LIST]
_Groups = Annotated[Mapping[str, _WordSet], Meta(description="a table of lists of words")]
_Shares = Annotated[Mapping[str, _Share], Meta(description="a table of shares from 0 to 1, like bus = 0.1")]
_Text = Annotated[str, Meta(description="a text")]
_Flag = Annotated[bool, Meta(description="true or false")]
OF = 3  # number of words before a noun among which "of" is searched


class LexiconTable(Struct, frozen=True, forbid_unknown_fields=True):
    """A file of words, or a table of one."""


class ObjectWords(LexiconTable, frozen=True, kw_only=True):
    """The words of a category; objects.toml explains each list."""

    one: _Words = ()
    many: _Words = ()
    phrases: _Words = ()
    also: _Words = ()
    never: _Words = ()
    near: _Words = ()
    candidate: _Flag = True
    name: _Text = ""

    def __post_init__(self) -> None:
        """Raise ValueError unless each phrase has one of the single words."""
        single = (*self.one, *self.many)
        for word in single:
            if " " in word:
                raise ValueError(f"{word!r} is a phrase; one and many hold single words.")
        for phrase in self.phrases:
            if not set(phrase.split()).intersection(single):
                raise ValueError(f"the phrase {phrase!r} has none of the words in one and many.")

    @property
    def every(self) -> frozenset[str]:
        """All words and phrases that name it or hint at it."""
        return frozenset((*self.one, *self.many, *self.phrases, *self.also))

    def canonical(self, number: Number) -> str | None:
        """Return the word that represents it in closed sets of a number, if it has one."""
        words = self.one if number == "one" else self.many
        return words[0] if words and self.candidate else None


class ColorWords(LexiconTable, frozen=True, kw_only=True):
    """The words of a color; colors.toml explains each list."""

    kind: Literal["chromatic", "achromatic"]
    words: _Words
    also: _Words = ()
    near: _Words = ()

    def __post_init__(self) -> None:
        """Raise ValueError unless it has a word."""
        if not self.words:
            raise ValueError("words has to hold the color's name.")


class Nouns(LexiconTable, frozen=True, kw_only=True):
    """The words that are nouns; nouns.toml explains them."""

    words: _WordSet


class Persons(LexiconTable, frozen=True, kw_only=True):
    """The category of persons, and the groups of words that contradict each other; persons.toml explains them."""

    category: _Text
    contrary: _Groups

    def disputed(self, word: str, said: frozenset[str]) -> bool:
        """Return True if the captions have a word of another group than the word's own.

        Args:
            word: the word.
            said: all words of the captions.
        """
        groups = [words for words in self.contrary.values() if word in words]
        return bool(groups) and any(words & said for words in self.contrary.values() if words not in groups)


class Sides(LexiconTable, frozen=True, kw_only=True):
    """The words for left and right, and the words that make them a hand's; sides.toml explains each list."""

    words: _WordSet
    also: _WordSet = frozenset()
    possessors: _WordSet
    aside: _WordSet = frozenset()
    animals: _WordSet = frozenset()
    parts: _WordSet
    before: _WordSet = frozenset()
    places: _WordSet = frozenset()
    phrases: _Words = ()
    never: _Words = ()
    verticals: _Words = ("above", "below")
    level: _Words = ()
    mirrors: _WordSet = frozenset()


class Held(LexiconTable, frozen=True, kw_only=True):
    """The way in which a thing is held; held.toml explains each key."""

    limb: Limb = "hand"
    word: _Text
    said: _WordSet = frozenset()


class Aloft(LexiconTable, frozen=True, kw_only=True):
    """The words for a thing in the air; aloft.toml explains them."""

    said: _WordSet = frozenset()


class Roles(LexiconTable, frozen=True, kw_only=True):
    """Acts between living beings; roles.toml explains each list."""

    determiners: _Words
    modifiers: _WordSet = frozenset()
    auxiliaries: _WordSet = frozenset()
    turns: _WordSet = frozenset()
    mutual: _Words = ()
    doings: _WordSet = frozenset()
    generic: _WordSet = frozenset()
    joints: _Words = ()
    acts: _Groups
    persons: _Groups
    animals: _Groups
    sexes: _Groups
    ages: _Groups

    def exclude(self, one: str, other: str) -> bool:
        """Return True if no person is called by both words.

        Args:
            one: a word for a person.
            other: another word for a person.
        """
        for groups in (self.sexes, self.ages):
            told = [{name for name, words in groups.items() if word in words} for word in (one, other)]
            if all(told) and told[0].isdisjoint(told[1]):
                return True
        return False


class Stops(LexiconTable, frozen=True, kw_only=True):
    """Contexts in which a word does not have its usual sense; stops.toml explains each list."""

    colors: _Words
    grey: _Words
    depictions: _WordSet
    quotes: _WordSet = frozenset()
    materials: _WordSet = frozenset()
    denials: _WordSet
    before: _WordSet
    after: _WordSet
    endings: _Words
    compounds: _WordSet
    shades: _WordSet

    def unsettles(self, words: Set[str]) -> str:
        """Return why nothing that a caption of these words names is known to be present, or ""."""
        if not self.denials.isdisjoint(words):
            return "caption says what is not there"
        settled = self.depictions.isdisjoint(words) and self.quotes.isdisjoint(words)
        return "" if settled else "caption is about a depiction"

    def may_liken(self, words: Set[str]) -> bool:
        """Return False if no being can be a likeness in a caption of these words."""
        return not (self.depictions.isdisjoint(words) and self.materials.isdisjoint(words))

    def likens(self, tokens: Sequence[Token], start: int, end: int) -> bool:
        """Return True if a living being is a likeness: "stuffed bear", "statue of a brown bear" or "bear statue".

        Args:
            tokens: the caption's words.
            start: index of the first word for the being.
            end: index after the last one.
        """
        words = [token.word for token in tokens]
        heads = [words[at - 1] for at in range(max(start - OF, 1), start) if words[at] == "of"]
        following = words[end : end + 1] if tokens[end - 1].gap.isspace() and not tokens[end - 1].possessive else []
        nouns = [word for word in (*heads, *following) if not word.endswith(self.endings)]
        return not self.depictions.isdisjoint(nouns) or not self.materials.isdisjoint(words[:start][-1:])

    def closes(self, tokens: Sequence[Token], last: int) -> bool:
        """Return True if a noun ends with this token, instead of continuing as in "bus stop" or "cat's".

        Args:
            tokens: the caption's words.
            last: index of the token.
        """
        token = tokens[last]
        if token.possessive or token.gap == "-":
            return False
        if last + 1 == len(tokens) or token.gap.strip():
            return True
        following = tokens[last + 1].word
        verb = any(following.endswith(end) and len(following) > len(end) + 2 for end in self.endings)
        return following in self.after or (verb and following not in self.compounds)


class Writing(LexiconTable, frozen=True, kw_only=True):
    """Signs of readable writing in a photograph; writing.toml explains each list."""

    words: _Words
    never: _Words = ()
    categories: _Shares
