"""Photographs of COCO, and the facts that annotations and captions give about them."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from vlcheck.cases.box import Box
from vlcheck.cases.case import Case, word_pattern
from vlcheck.cases.encoded_image import EncodedImage
from vlcheck.cases.words import PhraseMatch, Token, article_of, tokenize, words_among
from vlcheck.datasets.boxes import is_seen
from vlcheck.datasets.coco.complement_set import AllBut
from vlcheck.datasets.lexicons.lexicon import Lexicons, Sense, with_near
from vlcheck.datasets.lexicons.tables import Number
from vlcheck.datasets.limbs import Pose

CROWDED = 2.0


class Instance(NamedTuple):
    """An annotated object.

    Attributes:
        category: the category's name.
        box: the box.
        area: the number of pixels that it covers.
        crowd: whether it is a crowd.
    """

    category: str
    box: Box
    area: float
    crowd: bool


@dataclass(frozen=True)
class Photograph:
    """A photograph as a COCO folder describes it.

    Attributes:
        name: its id, twelve digits.
        image: the picture.
        size: width and height in pixels, as listed.
        captions: its captions in the order of the file, with single spaces.
        instances: the annotated objects; None if the photograph was not annotated.
        persons: the persons with a marked wrist or ankle; None if no keypoints file lists the photograph.
        listed_in: the captions file that lists it.
        source: origin, for attribution.
        licence: licence under which it may be shown.
        sought: the categories that annotators searched for; only these are known to be absent if they have no instance.
        partial: the categories that may have more instances than annotated.
    """

    name: str
    image: EncodedImage
    size: tuple[int, int]
    captions: tuple[str, ...]
    instances: tuple[Instance, ...] | None
    persons: tuple[Pose, ...] | None
    listed_in: Path
    source: str
    licence: str
    sought: frozenset[str] = frozenset()
    partial: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ParsedCaption:
    """A caption and its words.

    Attributes:
        text: the text, with single spaces.
        tokens: its words.
        words: its words, each once.
        named: phrases that name a category or hint at one.
        colors: names of colors; a color word in another sense has the name "".
    """

    text: str
    tokens: tuple[Token, ...]
    words: frozenset[str]
    named: tuple[PhraseMatch[tuple[Sense, ...]], ...]
    colors: tuple[PhraseMatch[str], ...]

    @cached_property
    def hidden(self) -> frozenset[int]:
        """The indices of the words in its phrases: "dog" in "hot dog" names no dog."""
        phrases = (range(found.start, found.end) for found in self.named if found.end > found.start + 1)
        return frozenset(at for phrase in phrases for at in phrase)

    def names_once(self, word: str) -> bool:
        """Return True if it has the word exactly once, as a case demands of its target."""
        return len(word_pattern(word).findall(self.text)) == 1


@dataclass(frozen=True)
class PhotographFacts:
    """The facts of a photograph, from its instances, its captions and the lexicons.

    A category is *possible* if it was annotated, if a caption names it or hints at it, if annotators confuse it with
    one of these, or if nobody searched for it. All other categories are known to be absent.

    Attributes:
        photograph: the photograph.
        lexicons: the words.
        categories: the names of the data set's categories.
    """

    photograph: Photograph
    lexicons: Lexicons
    categories: tuple[str, ...]

    @cached_property
    def captions(self) -> tuple[ParsedCaption, ...]:
        """The captions, split into words."""
        book, colors = self.lexicons.phrasebook(self.categories), self.lexicons.color_names

        def parsed(text: str) -> ParsedCaption:
            tokens = tokenize(text)
            words = words_among(tokens)
            colored = tuple(colors.find(tokens)) if colors.may_find(words) else ()
            return ParsedCaption(text, tokens, words, tuple(book.find(tokens)), colored)

        return tuple(map(parsed, self.photograph.captions))

    @cached_property
    def senses(self) -> tuple[Sense, ...]:
        """The possible meanings of the phrases in the captions that name a category or hint at one."""
        return tuple(sense for caption in self.captions for found in caption.named for sense in found.meaning)

    @cached_property
    def said(self) -> frozenset[str]:
        """All words of all captions."""
        return frozenset().union(*(caption.words for caption in self.captions))

    @cached_property
    def said_colors(self) -> frozenset[str]:
        """The names of all colors that a caption names or hints at."""
        return self.lexicons.colors_among(self.said)

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """The number of instances of each category; a crowd, or one of a partial category, counts as at least two."""
        partial = self.photograph.partial
        return {
            category: sum(2 if one.crowd or category in partial else 1 for one in instances)
            for category, instances in self._instances.items()
        }

    @cached_property
    def _instances(self) -> Mapping[str, list[Instance]]:
        """The instances of each category."""
        instances: dict[str, list[Instance]] = {}
        for one in self.photograph.instances or ():
            instances.setdefault(one.category, []).append(one)
        return instances

    @cached_property
    def unsought(self) -> frozenset[str]:
        """The categories that nobody searched for."""
        return frozenset(self.categories).difference(self.photograph.sought, self.counts)

    @cached_property
    def possible(self) -> frozenset[str]:
        """The categories that are not known to be absent."""
        named = {sense.category for sense in self.senses}
        return with_near(named | set(self.counts), self.lexicons.confused_objects) | self.unsought

    @cached_property
    def present(self) -> Set[str]:
        """The words that are true of the photograph, or not known to be false of it."""
        known = self.said | self.said_colors | self._words(self.possible - self.unsought)
        if not self.unsought:
            return known
        owners = self.lexicons.owners(self.categories)
        false = {word for word in self._words(self._absent) if owners[word] <= self._absent}
        return AllBut(owners.keys(), frozenset(false), known)

    @cached_property
    def _absent(self) -> frozenset[str]:
        """The categories that are known to be absent."""
        return self.photograph.sought.intersection(self.categories) - self.possible

    def _words(self, categories: Iterable[str]) -> frozenset[str]:
        return frozenset().union(*map(self.lexicons.words, categories))

    @cached_property
    def likenesses(self) -> frozenset[str]:
        """The categories of living beings that are statues, toys or pictures according to a caption."""
        return frozenset(
            sense.category
            for caption in self.captions
            if self.lexicons.stops.may_liken(caption.words)
            for found in caption.named
            for sense in found.meaning
            if sense.category in self.lexicons.living
            and self.lexicons.stops.likens(caption.tokens, found.start, found.end)
        )

    @cached_property
    def grey(self) -> bool:
        """True if a caption says that the photograph has no color."""
        pictures = self.lexicons.grey_pictures
        captions = self.captions if pictures.may_find(self.said) else ()
        return any(True for caption in captions for _ in pictures.find(caption.tokens))

    @cached_property
    def legible(self) -> bool:
        """True if something suggests readable writing, or if nothing was annotated that would show it."""
        writing = self.lexicons.suggests_writing
        captions = self.captions if writing.may_find(self.said) else ()
        told = any(found.meaning for caption in captions for found in writing.find(caption.tokens))
        if told or self.photograph.instances is None:
            return True
        named = (sense.category for sense in self.senses if sense.target)
        shown = self.lexicons.writing.categories.keys() & {*self.counts, *named}
        return any(map(self._readable, shown))

    def _readable(self, category: str) -> bool:
        """Return True if an object of the category is large enough to read its writing, or is named without a box."""
        if category not in self.counts:
            return True
        least = self.lexicons.writing.categories[category] * max(self.photograph.size)
        return any(max(one.box.width, one.box.height) >= least for one in self._instances[category])

    @cached_property
    def tags(self) -> frozenset[str]:
        """The tags of all cases of the photograph."""
        return frozenset({"legible-text"} if self.legible else ())

    def absent(self, number: Number) -> tuple[str, ...]:
        """Return a word for each category that is known to be absent, in alphabetical order."""
        if number not in self._absent_words:
            canonical, present, absent = self.lexicons.canonical(self.categories, number), self.present, self._absent
            words = [word for name, word in canonical if name in absent and word not in present]
            self._absent_words[number] = tuple(dict.fromkeys(words))
        return self._absent_words[number]

    @cached_property
    def _absent_words(self) -> dict[Number, tuple[str, ...]]:
        return {}

    def boxes(self, category: str) -> tuple[Box, ...]:
        """Return the boxes of a category: those of crowds only if it has no others, and none if there may be more."""
        if category in self.photograph.partial:
            return ()
        instances = [one for one in self._instances.get(category, ()) if is_seen(one.box)]
        return tuple(one.box for one in [one for one in instances if not one.crowd] or instances)

    @cached_property
    def singles(self) -> Mapping[str, Box]:
        """The box of each category that has one instance, and of which no caption says that there are several."""
        several = {
            sense.category
            for sense in self.senses
            if sense.numbers == ("many",) and self.lexicons.category(sense.category).one
        }
        boxes = {name: self.boxes(name) for name, count in self.counts.items() if count == 1 and name not in several}
        return {name: box[0] for name, box in boxes.items() if box}

    def box(self, category: str | None) -> tuple[Box, ...]:
        """Return the box of a category that has one instance, else none, since it would be ambiguous."""
        return (self.singles[category],) if category and category in self.singles else ()

    def stands_out(self, category: str) -> bool:
        """Return True if the category is the only one, or covers at least twice the area of any other.

        A category that nobody searched for may cover all the rest of the photograph.
        """
        own = self._areas[category]
        return all(own >= CROWDED * area for other, area in self._areas.items() if other != category)

    @cached_property
    def _areas(self) -> Mapping[str, float]:
        """The area that each category covers; "" stands for the categories that nobody searched for."""
        areas = {category: sum(one.area for one in instances) for category, instances in self._instances.items()}
        if self.unsought:
            width, height = self.photograph.size
            areas[""] = width * height - sum(areas.values())
        return areas

    def called(self, category: str) -> str:
        """Return a category with its article, or the phrase that replaces both."""
        return self.lexicons.category(category).name or article(category)

    def told(self, category: str, words: frozenset[str]) -> bool:
        """Return True if a caption that names or hints at a category has one of the words; always True without words.

        Args:
            category: the category.
            words: the words.
        """
        naming = (
            caption
            for caption in self.captions
            if any(sense.category == category for found in caption.named for sense in found.meaning)
        )
        return not words or any(not words.isdisjoint(caption.words) for caption in naming)

    def names(self, caption: ParsedCaption) -> frozenset[str]:
        """Return tags for other things that a caption names: a side, in any sense, or a color that is lost in grey."""
        words, sides = caption.words, self.lexicons.sides
        tags = [] if words.isdisjoint(sides.words) and words.isdisjoint(sides.also) else ["names-side"]
        colors = self.lexicons.colors_among(words)
        tags += ["names-chromatic"] if any(self.lexicons.colors[name].kind == "chromatic" for name in colors) else []
        return frozenset(tags)

    def case(
        self,
        kind: str,
        parts: Sequence[str],
        *,
        caption: str,
        target: str,
        tags: Iterable[str] = (),
        bare: str | None = None,
        candidates: Callable[[], tuple[str, ...]] = tuple,
        about: frozenset[str],
        region: tuple[Box, ...] = (),
        other_region: tuple[Box, ...] = (),
    ) -> Draft:
        """Return the draft of a case on the photograph.

        Args:
            kind: the kind of the target, a tag.
            parts: the last parts of the case's id.
            caption: the caption.
            target: the word that is masked.
            tags: further tags.
            bare: a short text without the hint.
            candidates: returns the other words of the closed set.
            about: words that must be true of a picture for the caption to be true.
            region: boxes of the thing that the target names.
            other_region: boxes of the other thing of a relation.
        """
        tagged = self.tags | {kind, *tags}
        return Draft(self, kind, parts, caption, target, tagged, bare, candidates, about, region, other_region)


class Draft(NamedTuple):
    """A case of which only the parts are known that an index looks at; of most cases no more is ever needed.

    The attributes are those of `Case`, but for these:

    Attributes:
        facts: the facts of the photograph.
        kind: the kind of the target.
        parts: the last parts of the case's id.
        candidates: returns the other words of the closed set.
    """

    facts: PhotographFacts
    kind: str
    parts: Sequence[str]
    caption: str
    target: str
    tags: frozenset[str]
    bare: str | None
    candidates: Callable[[], tuple[str, ...]]
    about: frozenset[str]
    region: tuple[Box, ...]
    other_region: tuple[Box, ...]

    @property
    def id(self) -> str:
        """The case's id."""
        slug = re.sub(r"[^a-z0-9]+", "-", " ".join(self.parts).lower()).strip("-")
        return f"coco-{self.facts.photograph.name}-{self.kind}-{slug}"

    def case(self) -> Case:
        """Return the case."""
        photograph, present = self.facts.photograph, self.facts.present
        return Case(
            id=self.id,
            image=photograph.image,
            caption=self.caption,
            target=self.target,
            bare=self.bare,
            candidates=self.candidates(),
            about=self.about,
            present=present if self.about <= present else present | self.about,
            region=self.region,
            other_region=self.other_region,
            tags=self.tags,
            source=photograph.source,
            licence=photograph.licence,
        )


Finding = tuple[Hashable, Draft | str]
"""A possible subject of a case, with the case's draft, or the reason why there is none."""


def settle(findings: Iterable[Finding]) -> tuple[list[Draft], list[str]]:
    """Keep one case for each subject, the first; if a subject has none, keep its first reason.

    Returns:
        The drafts of the cases, and the reasons of the subjects without a case.
    """
    drafts: dict[Hashable, Draft] = {}
    reasons: dict[Hashable, str] = {}
    for thing, outcome in findings:
        if isinstance(outcome, str):
            reasons.setdefault(thing, outcome)
        else:
            drafts.setdefault(thing, outcome)
    return list(drafts.values()), [reason for thing, reason in reasons.items() if thing not in drafts]


def article(noun: str) -> str:
    """Return the noun with its indefinite article: "an apple", "a uniform"."""
    return f"{article_of(noun)} {noun}"
