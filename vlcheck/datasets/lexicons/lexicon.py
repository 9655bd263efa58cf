"""The words for objects, colors, sides and persons, as questions about captions ask for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, Protocol, TypeVar

from vlcheck.cases.words import Phrasebook, Token
from vlcheck.datasets.lexicons.tables import (
    ColorWords,
    Held,
    Number,
    ObjectWords,
    Persons,
    Roles,
    Sides,
    Stops,
    Writing,
)

AROUND = 5  # number of words before and after a word for a side among which phrases are searched


class _HasNear(Protocol):
    @property
    def near(self) -> tuple[str, ...]: ...


Entry = TypeVar("Entry", bound=_HasNear)


class Living(NamedTuple):
    """The possible meaning of a word for a living being.

    Attributes:
        kind: the category that it names, or the word itself if it names none.
        numbers: singular, plural or both.
    """

    kind: str
    numbers: tuple[Number, ...]


class Sense(NamedTuple):
    """A possible meaning of a phrase.

    Attributes:
        category: the category.
        target: the word of the phrase that can be a target; None if the phrase only hints at the category.
        numbers: singular, plural or both.
    """

    category: str
    target: str | None = None
    numbers: tuple[Number, ...] = ()


@dataclass(frozen=True)
class Lexicons:
    """All lexicons of a run; each is a file in fixtures/lexicons."""

    objects: Mapping[str, ObjectWords]
    colors: Mapping[str, ColorWords]
    nouns: frozenset[str]
    persons: Persons
    roles: Roles
    sides: Sides
    held: Mapping[str, Held]
    aloft: Mapping[str, frozenset[str]]
    stops: Stops
    writing: Writing
    _books: dict[tuple[str, ...], Phrasebook[tuple[Sense, ...]]] = field(
        default_factory=dict, repr=False, compare=False
    )
    _canonical: dict[tuple[tuple[str, ...], Number], Sequence[tuple[str, str]]] = field(
        default_factory=dict, repr=False, compare=False
    )
    _words: dict[str, frozenset[str]] = field(default_factory=dict, repr=False, compare=False)
    _owners: dict[tuple[str, ...], Mapping[str, frozenset[str]]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @cached_property
    def confused_objects(self) -> Mapping[str, frozenset[str]]:
        """The categories that each may be confused with."""
        return _confused(self.objects)

    @cached_property
    def confused_colors(self) -> Mapping[str, frozenset[str]]:
        """The colors that each may be confused with."""
        return _confused(self.colors)

    def category(self, name: str) -> ObjectWords:
        """Return a category's words; a category without an entry is called by its name, if that is one word."""
        known = self.objects.get(name)
        return known or (ObjectWords(one=(name,)) if name.isalpha() else ObjectWords(also=(name,), candidate=False))

    def words(self, category: str) -> frozenset[str]:
        """Return all words that name a category or hint at it, and its name."""
        if category not in self._words:
            self._words[category] = self.category(category).every | {category}
        return self._words[category]

    def canonical(self, categories: tuple[str, ...], number: Number) -> Sequence[tuple[str, str]]:
        """Return each of these categories that a word stands for in a number, with the word, in the words' order.

        Args:
            categories: the names of categories.
            number: singular or plural.
        """
        if (categories, number) not in self._canonical:
            words = ((name, self.category(name).canonical(number)) for name in categories)
            named = [(name, word) for name, word in words if word]
            self._canonical[categories, number] = sorted(named, key=lambda pair: pair[1])
        return self._canonical[categories, number]

    def owners(self, categories: tuple[str, ...]) -> Mapping[str, frozenset[str]]:
        """Return, by word, the categories among these that it names or hints at."""
        if categories not in self._owners:
            owners: dict[str, set[str]] = {}
            for name in categories:
                for word in self.words(name):
                    owners.setdefault(word, set()).add(name)
            self._owners[categories] = {word: frozenset(names) for word, names in owners.items()}
        return self._owners[categories]

    def phrasebook(self, categories: tuple[str, ...]) -> Phrasebook[tuple[Sense, ...]]:
        """Return a finder of phrases that name these categories or hint at them; other phrases have no senses."""
        if categories not in self._books:
            senses: dict[str, list[Sense]] = {}
            for name in categories:
                for phrase, sense in _senses(name, self.category(name)):
                    senses.setdefault(phrase, []).extend([sense] if sense else [])
            self._books[categories] = Phrasebook({phrase: tuple(each) for phrase, each in senses.items()})
        return self._books[categories]

    @cached_property
    def color_names(self) -> Phrasebook[str]:
        """A finder of the names of colors; a color word in another sense, as in "white wine", is found as ""."""
        names = {word: name for name, color in self.colors.items() for word in color.words}
        return Phrasebook(names | dict.fromkeys(self.stops.colors, "") | dict.fromkeys(self.stops.grey, ""))

    @cached_property
    def color_kinds(self) -> Mapping[str, str]:
        """The kind of each word for a color: chromatic or achromatic."""
        return {word: color.kind for color in self.colors.values() for word in color.words}

    @cached_property
    def things(self) -> frozenset[str]:
        """All words that name a thing of any category, or hint at it."""
        return frozenset().union(*map(self.words, self.objects))

    @cached_property
    def grey_pictures(self) -> Phrasebook[bool]:
        """A finder of phrases that say that the whole photograph has no color."""
        return Phrasebook(dict.fromkeys(self.stops.grey, True))

    @cached_property
    def suggests_writing(self) -> Phrasebook[bool]:
        """A finder of words that suggest writing; a phrase in which they mean something else is found as False."""
        return Phrasebook(dict.fromkeys(self.writing.words, True) | dict.fromkeys(self.writing.never, False))

    def is_side(self, tokens: Sequence[Token], at: int) -> bool:
        """Return True if a "left" or "right" is a side, and not "was left open", "right next to" or "the right size".

        It is followed by what has two sides, such as "hand", or by "of"; or it stands alone behind an article or a
        possessive. Phrases of sides.toml come first.

        Args:
            tokens: the caption's words.
            at: index of the word for a side.
        """
        first = max(0, at - AROUND)
        for phrase in self._side_phrases.find(tokens[first : at + AROUND]):
            if phrase.start <= at - first < phrase.end:
                return phrase.meaning
        following = tokens[at + 1].word if at + 1 < len(tokens) and not tokens[at].gap.strip(" -") else ""
        if following in self.sides.parts or following in self.sides.places:
            return True
        before = tokens[at - 1] if at else None
        if before is None or not (before.possessive or before.word in self.sides.before):
            return False
        claims = following == "to" and (at < 2 or tokens[at - 2].word not in self.sides.aside)  # "the right to vote"
        return not claims and self.stops.closes(tokens, at)

    @cached_property
    def _side_phrases(self) -> Phrasebook[bool]:
        return Phrasebook(dict.fromkeys(self.sides.phrases, True) | dict.fromkeys(self.sides.never, False))

    @cached_property
    def living(self) -> frozenset[str]:
        """The categories of persons and animals."""
        return self.sides.animals | {self.persons.category}

    @cached_property
    def beings(self) -> Mapping[str, Living]:
        """The meaning of each word for a living being."""
        living: dict[str, Living] = {}
        numbers: tuple[Number, ...] = ("one", "many")
        for number in numbers:
            for kind, words in self._living(number):
                for word in words:
                    before = living[word].numbers if word in living else ()
                    living[word] = Living(kind or word, (*before, number))
        return living

    def _living(self, number: Number) -> Iterator[tuple[str, Iterable[str]]]:
        """Yield words for living beings in a number, with the category that they name; "" if they name none."""
        person = self.persons.category
        for name in (person, *sorted(self.sides.animals)):
            words = self.category(name)
            yield name, words.one if number == "one" else words.many
        yield person, self.roles.persons.get(number, frozenset())
        yield "", self.roles.animals.get(number, frozenset())

    @cached_property
    def acts(self) -> Phrasebook[str]:
        """A finder of acts between two beings, with the act's name; "" if both may act on each other."""
        acts = {phrase: name for name, phrases in self.roles.acts.items() for phrase in phrases}
        return Phrasebook(dict.fromkeys(self.roles.mutual, "") | acts)

    @cached_property
    def determiners(self) -> Phrasebook[bool]:
        """A finder of words that begin the phrase of a being."""
        return Phrasebook(dict.fromkeys(self.roles.determiners, True))

    @cached_property
    def joints(self) -> Phrasebook[bool]:
        """A finder of words that join two persons and their acts."""
        return Phrasebook(dict.fromkeys(self.roles.joints, True))

    def colors_among(self, words: frozenset[str]) -> frozenset[str]:
        """Return the colors that some words name or hint at."""
        known = self._colors_by_word
        return frozenset().union(*(known[word] for word in words & known.keys()))

    def may_color(self, words: frozenset[str]) -> bool:
        """Return False if none of some words names a color or hints at one."""
        return not self._colors_by_word.keys().isdisjoint(words)

    def colors_of(self, word: str) -> frozenset[str]:
        """Return the colors that a word names or hints at."""
        return self._colors_by_word.get(word, frozenset())

    @cached_property
    def _colors_by_word(self) -> dict[str, frozenset[str]]:
        colors: dict[str, set[str]] = {}
        for name, color in self.colors.items():
            for word in (*color.words, *color.also):
                colors.setdefault(word, set()).add(name)
        return {word: frozenset(names) for word, names in colors.items()}


def _senses(category: str, words: ObjectWords) -> Iterator[tuple[str, Sense | None]]:
    for phrase in words.never:
        yield phrase, None
    for word in dict.fromkeys((*words.one, *words.many)):
        yield word, _sense(category, words, word)
    for phrase in words.phrases:
        heads = [word for word in phrase.split() if word in words.one or word in words.many]
        yield phrase, _sense(category, words, heads[-1])
    for phrase in words.also:
        yield phrase, Sense(category)


def _sense(category: str, words: ObjectWords, target: str) -> Sense:
    numbers: list[Number] = ["one"] if target in words.one else []
    return Sense(category, target, (*numbers, "many") if target in words.many else tuple(numbers))


def _confused(entries: Mapping[str, Entry]) -> Mapping[str, frozenset[str]]:
    """Return the entries that each may be confused with, in either direction.

    Args:
        entries: all entries by name; `near` lists those that an entry may be confused with.
    """
    near: dict[str, set[str]] = {}
    for name, entry in entries.items():
        for other in entry.near:
            near.setdefault(name, set()).add(other)
            near.setdefault(other, set()).add(name)
    return {name: frozenset(others) for name, others in near.items()}


def with_near(names: Iterable[str], confused: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Return the names with all entries that they may be confused with.

    Args:
        names: names of entries.
        confused: the entries that each may be confused with: `Lexicons.confused_objects` or `confused_colors`.
    """
    given = frozenset(names)
    return given.union(*(confused[name] for name in given & confused.keys()))
