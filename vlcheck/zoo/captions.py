"""Captions of a scene: true sentences about it, the words in them that only the picture shows, and false variants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from random import Random

from vlcheck.cases.box import Box
from vlcheck.cases.case import MASK
from vlcheck.cases.picture import Picture
from vlcheck.cases.words import OPPOSITES
from vlcheck.datasets.scenes.cases import HIS, VERBS, WITH
from vlcheck.datasets.scenes.rendering import SIDE
from vlcheck.datasets.scenes.sampling import ACHROMATIC, COLORS, PEOPLE, SIDES, WORDS, act, alone, duo, pair
from vlcheck.datasets.scenes.scene import Limb, Side
from vlcheck.perturb.place import CELLS, Paste
from vlcheck.perturb.text import OPENINGS
from vlcheck.zoo.curriculum import Kind, Stage

Thing = tuple[str, str]  # word and color

_ACTS = ("act", "back")  # a person faces the viewer, or turns the back, which swaps the person's left and right
CUT_OUT = 0.25  # share of the scenes with one thing in which it is cut out and pasted elsewhere
_OFF_CENTER = 0.1  # distance from the middle, as a share of the picture's side, from which a thing is on a side
_OPPOSITE = {**OPPOSITES, "top": "bottom", "bottom": "top"}


@dataclass(frozen=True)
class Facts:
    """The facts of a picture.

    Attributes:
        kind: the kind of scene.
        things: (word, color) of each thing; of a pair, the left or the upper one first.
        places: for each thing that nobody holds, "left" or "right" and "top" or "bottom", as far as they are clear.
        who: for each thing that somebody holds, the person.
        side: the side of the hand or foot that acts, "left" or "right".
        limb: the limb that acts, "hand" or "foot".
        grey: True if no colors but white, black and gray can be told.
        around: words of further things in the picture, which no true sentence names.
    """

    kind: Kind
    things: tuple[Thing, ...]
    places: tuple[tuple[str, ...], ...] = ()
    who: tuple[str, ...] = ()
    side: Side = "left"
    limb: Limb = "hand"
    grey: bool = False
    around: tuple[str, ...] = ()

    def mirrored(self) -> Facts:
        """Return the facts of the mirrored picture."""
        turned = replace(self, side=SIDES[self.side == SIDES[0]], places=self._turned(SIDES))
        return turned._reversed() if self.kind == "beside" else turned

    def upside_down(self) -> Facts:
        """Return the facts of the picture turned upside down; no person may be in it."""
        turned = replace(self, places=self._turned(("top", "bottom")))
        return turned._reversed() if self.kind == "stacked" else turned

    def own_places(self, at: int) -> list[str]:
        """Return the places of a thing that it does not share with another thing.

        Args:
            at: index of the thing.
        """
        others = {place for one, places in enumerate(self.places) if one != at for place in places}
        return [place for place in self.places[at] if place not in others]

    def shows(self, color: str) -> bool:
        """Return True if a color can be told from the picture."""
        return color in ACHROMATIC or not self.grey

    def _turned(self, words: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        return tuple(tuple(_OPPOSITE[word] if word in words else word for word in place) for place in self.places)

    def _reversed(self) -> Facts:
        return replace(self, things=self.things[::-1], places=self.places[::-1])


@dataclass(frozen=True)
class Slot:
    """A word in a sentence that only the picture shows.

    Attributes:
        word: the true word.
        wrong: words that would make the sentence false.
        where: True for a word of place or side.
    """

    word: str
    wrong: tuple[str, ...]
    where: bool = False


@dataclass(frozen=True)
class Sentence:
    """A true sentence, and other sentences that are false.

    Attributes:
        parts: fixed words and slots.
        false: whole sentences that are false of the same picture.
    """

    parts: tuple[str | Slot, ...]
    false: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The sentence as text."""
        return " ".join(part if isinstance(part, str) else part.word for part in self.parts)

    @property
    def slots(self) -> list[int]:
        """The indices of the slots among the parts."""
        return [at for at, part in enumerate(self.parts) if isinstance(part, Slot)]

    def masked(self, rng: Random, stage: Stage) -> tuple[str, tuple[str, ...]]:
        """Return the sentence with one or more slots masked, and the masked words in order.

        Args:
            rng: random numbers.
            stage: decides which slots are masked how often.
        """
        one = self._chosen(rng, stage)
        masked = {one} | {at for at in self.slots if stage.masks and rng.random() < stage.masks}
        words = tuple(part.word for at, part in enumerate(self.parts) if at in masked and isinstance(part, Slot))
        parts = tuple(MASK if at in masked else part for at, part in enumerate(self.parts))
        return replace(self, parts=parts).text, words

    def falsified(self, rng: Random, stage: Stage) -> str:
        """Return the sentence with one change that makes it false: a wrong word, another order, or another sentence.

        Args:
            rng: random numbers.
            stage: decides how often each change is made.
        """
        if rng.random() < stage.shuffled:
            return shuffled(self.text, rng)
        if self.false and rng.random() < 0.5:
            return rng.choice(self.false)
        return self.replaced(rng, stage)

    def replaced(self, rng: Random, stage: Stage) -> str:
        """Return the sentence with one slot's word replaced by a wrong one.

        Args:
            rng: random numbers.
            stage: decides which slot is chosen how often.
        """
        at = self._chosen(rng, stage)
        slot = self.parts[at]
        word = slot if isinstance(slot, str) else rng.choice(slot.wrong)
        return replace(self, parts=(*self.parts[:at], word, *self.parts[at + 1 :])).text

    def _chosen(self, rng: Random, stage: Stage) -> int:
        weights = [stage.where if part.where else 1.0 for part in self.parts if isinstance(part, Slot)]
        return rng.choices(self.slots, weights)[0]


def shuffled(text: str, rng: Random) -> str:
    """Return the words in another order; an exchange of the two sides of an "and" does not count as another order.

    Args:
        text: two words or more.
        rng: random numbers.
    """
    words = text.split()
    while sorted(" ".join(words).split(" and ")) == sorted(text.split(" and ")):
        rng.shuffle(words)
    return " ".join(words)


def invent(rng: Random, kind: Kind, thing: Thing | None = None) -> tuple[Picture, Facts]:
    """Invent a picture of a kind.

    Args:
        rng: random numbers.
        kind: the kind of scene.
        thing: (word, color) of the only thing in a scene of kind "alone"; random if None.

    Returns:
        The picture and its facts.
    """
    first, second = ((word, rng.choice(COLORS)) for word in rng.sample(WORDS, 2))
    if kind == "alone":
        return _alone(rng, thing or first)
    if kind == "duo":
        who = tuple(rng.sample(PEOPLE, 2))
        scene = duo(rng, (who[0], first), (who[1], second))
        return Picture(scene), Facts(kind, (first, second), who=who)
    if kind in _ACTS:
        who, side = (rng.choice(PEOPLE),), rng.choice(SIDES)
        feet = 0.7 if first[0] == "ball" else 0.4  # "kicks" gets as frequent as the verbs of other things
        limb: Limb = "foot" if rng.random() < feet else "hand"
        scene = act(rng, who[0], first, side=side, limb=limb, back=kind == "back")
        return Picture(scene), Facts(kind, (first,), who=who, side=side, limb=limb)
    scene = pair(rng, first, second, upright=kind == "stacked")
    return Picture(scene), Facts(kind, (first, second), places=_places(thing.box for thing in scene.things))


def _alone(rng: Random, thing: Thing) -> tuple[Picture, Facts]:
    scene = alone(rng, *thing)
    picture, box = Picture(scene), scene.things[0].box
    if rng.random() < CUT_OUT:
        piece = Paste(box, rng.choice(CELLS))
        picture, box = picture.then(piece), piece.place(scene.size)
    return picture, Facts("alone", (thing,), places=_places([box]))


def _places(boxes: Iterator[Box] | Sequence[Box]) -> tuple[tuple[str, ...], ...]:
    return tuple(_place(box) for box in boxes)


def _place(box: Box) -> tuple[str, ...]:
    x = (box.x + box.width / 2) / SIDE - 0.5
    y = (box.y + box.height / 2) / SIDE - 0.5
    across = [("left", "right")[x > 0]] if abs(x) > _OFF_CENTER else []
    along = [("top", "bottom")[y > 0]] if abs(y) > _OFF_CENTER else []
    return (*across, *along)


def true_caption(facts: Facts, rng: Random, stage: Stage) -> Sentence:
    """Return a true sentence about a picture.

    Args:
        facts: the facts of the picture.
        rng: random numbers.
        stage: decides how often the sentence is about places or sides.
    """
    if facts.kind in _ACTS:
        return _of_a_hand(facts, rng) if rng.random() < stage.sides else _of_an_act(facts, rng)
    if facts.kind == "duo":
        return _of_two_people(facts, rng)
    if rng.random() < stage.places:
        at = rng.randrange(len(facts.things))
        if own := facts.own_places(at):
            return _of_a_place(facts, rng, at, rng.choice(own))
    if facts.kind == "alone":
        return _of_one(facts, rng)
    return _of_a_relation(facts, rng) if rng.random() < stage.sides else _both(facts, rng)


def _of_a_place(facts: Facts, rng: Random, at: int, place: str) -> Sentence:
    slot = Slot(place, (_OPPOSITE[place],), where=True)
    return Sentence((*_named(facts, facts.things[at], rng, rng.random() < 0.3), "on", "the", slot))


def _of_one(facts: Facts, rng: Random) -> Sentence:
    (thing,) = facts.things
    start = ("a", "photo", "of") if rng.random() < 0.4 else ()
    return Sentence((*start, *_named(facts, thing, rng, rng.random() < 0.6)), _untellable(facts, thing))


def _of_a_relation(facts: Facts, rng: Random) -> Sentence:
    words = ("left", "right") if facts.kind == "beside" else ("above", "below")
    turned = rng.random() < 0.5
    one, other = facts.things[::-1] if turned else facts.things
    slot = Slot(words[turned], (words[not turned],), where=True)
    relation = ("to", "the", slot, "of") if facts.kind == "beside" else (slot,)
    colored = rng.random() < 0.25
    parts = (*_named(facts, one, rng, colored), *relation, *_named(facts, other, rng, colored))
    swapped = Sentence(("a", other[0], *relation, "a", one[0])).text
    return Sentence(parts, (swapped,))


def _both(facts: Facts, rng: Random) -> Sentence:
    """Return a sentence that names two things, one or both with their color, and a false one with exchanged colors."""
    one, other = facts.things if rng.random() < 0.5 else facts.things[::-1]
    colored = rng.random() < 0.6
    parts = (*_named(facts, one, rng, True), "and", *_named(facts, other, rng, colored))
    if one[1] == other[1] or not (facts.shows(one[1]) and facts.shows(other[1])):
        return Sentence(parts)
    color = f"{one[1]} " if colored else ""
    return Sentence(parts, (f"a {other[1]} {one[0]} and a {color}{other[0]}",))


def _of_an_act(facts: Facts, rng: Random) -> Sentence:
    (thing,), (person,) = facts.things, facts.who
    word = thing[0]
    fate = rng.random()
    if fate < 0.35:
        return Sentence(("a", "photo", "of", *_named(facts, thing, rng, rng.random() < 0.3)), _untellable(facts, thing))
    if fate < 0.8 and (word == "ball") == (facts.limb == "foot"):
        # The verb fits the thing in false sentences too, so that the text alone does not reveal them.
        other = rng.choice([other for other in WORDS if other != word])
        parts: tuple[str | Slot, ...] = ("a", _person(person), *VERBS[word].split(), "a", _thing(facts, word))
        return Sentence(parts, (f"a {person} {VERBS[other]} a {other}",))
    return Sentence(tuple(_doing(facts, rng)), _untellable(facts, thing))


def _of_a_hand(facts: Facts, rng: Random) -> Sentence:
    side = Slot(facts.side, (_OPPOSITE[facts.side],), where=True)
    _, preposition = WITH[facts.limb]
    return Sentence((*_doing(facts, rng), preposition, HIS[facts.who[0]], side, facts.limb))


def _doing(facts: Facts, rng: Random) -> Iterator[str | Slot]:
    does, _ = WITH[facts.limb]
    yield from ("a", _person(facts.who[0]), does, *_named(facts, facts.things[0], rng, rng.random() < 0.3))


def _of_two_people(facts: Facts, rng: Random) -> Sentence:
    """Return a sentence that says what one or both of two people hold, and a false one with the things exchanged."""
    at = rng.randrange(2)
    one, other = facts.things[at], facts.things[1 - at]
    does, _ = WITH["hand"]
    person, partner = facts.who[at], facts.who[1 - at]
    clause = ("a", _person(person), does, *_named(facts, one, rng, rng.random() < 0.2))
    if rng.random() < 0.5:
        return Sentence(clause, (f"a {person} {does} a {other[0]}",))
    further = ("and", "a", _person(partner), does, *_named(facts, other, rng, rng.random() < 0.2))
    return Sentence((*clause, *further), (f"a {person} {does} a {other[0]} and a {partner} {does} a {one[0]}",))


def _named(facts: Facts, thing: Thing, rng: Random, colored: bool) -> Iterator[str | Slot]:
    """Yield the words for a thing, with its color if `colored` and if the picture allows it to be told."""
    word, color = thing
    yield "a"
    if colored and facts.shows(color):
        yield Slot(color, tuple(one for one in COLORS if one != color))
    yield _thing(facts, word)


def _thing(facts: Facts, word: str) -> Slot:
    there = {one for one, _ in facts.things}
    return Slot(word, tuple(one for one in WORDS if one not in there))


def _person(word: str) -> Slot:
    return Slot(word, tuple(one for one in PEOPLE if one != word))


def _untellable(facts: Facts, thing: Thing) -> tuple[str, ...]:
    """Return sentences that name a thing's color if the picture is grey, so that nobody can tell if they are true."""
    word, color = thing
    return () if facts.shows(color) else (f"a {color} {word}", f"a photo of a {color} {word}")


def opening(rng: Random) -> str:
    """Return the start of a sentence that says nothing about the picture, such as "what this picture shows ".

    Half of them are whole, the others begin at a random word. They have no punctuation, since ALBEF reads none.
    """
    words = [word for word in rng.choice(list(OPENINGS.values())).split() if word.isalpha()]
    start = rng.randrange(len(words)) if rng.random() < 0.5 else 0
    return "".join(f"{word} " for word in words[start:])


def vocabulary() -> list[str]:
    """Return BERT's special tokens and every word that occurs in a sentence."""
    said: Sequence[str] = (
        "a", "photo", "of", "to", "the", "on", "in", "with", "and", "his", "her", "hand", "foot",
        "left", "right", "above", "below", "top", "bottom", *WORDS, *COLORS, *PEOPLE,
        *chain.from_iterable(verb.split() for verb in VERBS.values()), *(does for does, _ in WITH.values()),
        *chain.from_iterable(text.split() for text in OPENINGS.values()),
    )  # fmt: skip
    return ["[PAD]", "[UNK]", "[CLS]", "[SEP]", MASK, *dict.fromkeys(said)]
