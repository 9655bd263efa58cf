"""What a scene teaches: true sentences about it, the words that it decides, and what one change makes of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from random import Random
from typing import Literal

from vlcheck.cases.case import MASK
from vlcheck.cases.scene import Limb, Scene, Side
from vlcheck.cases.scene_drawing import SIDE
from vlcheck.cases.scene_making import ACHROMATIC, COLORS, OTHER_SIDE, PEOPLE, WORDS, act, alone, pair
from vlcheck.cases.scenes import HIS, SIDES, VERBS, WITH

Kind = Literal["alone", "beside", "stacked", "act"]
Thing = tuple[str, str]  # word and color

_OFF_CENTER = 0.1  # of the picture's side: what is farther from its middle is on a side
_OPPOSITE = {"left": "right", "right": "left", "top": "bottom", "bottom": "top"}


@dataclass(frozen=True)
class Facts:
    """What is true of a scene.

    Attributes:
        things: of a pair, the left or the upper one first.
        places: of one alone, "left" or "right", "top" or "bottom", where it is clear.
        who, side, limb: of an act.
        grey: whether colors cannot be told but white, black and gray.
    """

    kind: Kind
    things: tuple[Thing, ...]
    places: tuple[str, ...] = ()
    who: str = ""
    side: Side = "left"
    limb: Limb = "hand"
    grey: bool = False

    def mirrored(self) -> Facts:
        """What is true of the scene in a mirror."""
        if self.kind == "beside":
            return replace(self, things=self.things[::-1])
        places = tuple(_OPPOSITE[place] if place in OTHER_SIDE else place for place in self.places)
        return replace(self, side=OTHER_SIDE[self.side], places=places)

    def shows(self, color: str) -> bool:
        """Whether such a color can be told."""
        return color in ACHROMATIC or not self.grey


@dataclass(frozen=True)
class Slot:
    """A word that the picture decides, and words that would be false in its place."""

    word: str
    wrong: tuple[str, ...]
    weight: float = 1.0


@dataclass(frozen=True)
class Sentence:
    """A true sentence, and further ones that are false."""

    parts: tuple[str | Slot, ...]
    false: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return " ".join(part if isinstance(part, str) else part.word for part in self.parts)

    @property
    def slots(self) -> list[int]:
        return [at for at, part in enumerate(self.parts) if isinstance(part, Slot)]

    def masked(self, rng: Random) -> tuple[str, str]:
        """The sentence with one decided word masked, and that word."""
        weights = [part.weight for part in self.parts if isinstance(part, Slot)]
        at = rng.choices(self.slots, weights)[0]
        slot = self.parts[at]
        return self._with(at, MASK), slot if isinstance(slot, str) else slot.word

    def falsified(self, rng: Random) -> str:
        """The sentence with one change that makes it false."""
        if self.false and rng.random() < 0.5:
            return rng.choice(self.false)
        weights = [part.weight for part in self.parts if isinstance(part, Slot)]
        at = rng.choices(self.slots, weights)[0]
        slot = self.parts[at]
        return self._with(at, slot if isinstance(slot, str) else rng.choice(slot.wrong))

    def _with(self, at: int, word: str) -> str:
        return replace(self, parts=(*self.parts[:at], word, *self.parts[at + 1 :])).text


def invent(rng: Random) -> tuple[Scene, Facts]:
    """A scene and what is true of it."""
    kind: Kind = rng.choices(("alone", "beside", "stacked", "act"), (2, 4, 2, 4))[0]
    first, second = ((word, rng.choice(COLORS)) for word in rng.sample(WORDS, 2))
    if kind == "alone":
        scene = alone(rng, *first)
        return scene, Facts(kind, (first,), places=_places(scene))
    if kind != "act":
        return pair(rng, first, second, upright=kind == "stacked"), Facts(kind, (first, second))
    who, side = rng.choice(PEOPLE), rng.choice(SIDES)
    feet = 0.7 if first[0] == "ball" else 0.4  # a ball is kicked, so that its verb is said as often as others' are
    limb: Limb = "foot" if rng.random() < feet else "hand"
    scene = act(rng, who, first, side=side, limb=limb, back=rng.random() < 0.5)
    return scene, Facts(kind, (first,), who=who, side=side, limb=limb)


def tell(facts: Facts, rng: Random) -> Sentence:
    """A true sentence about a scene."""
    if facts.kind == "act":
        return _act(facts, rng)
    if facts.kind == "alone":
        return _alone(facts, rng)
    return _pair(facts, rng)


def _alone(facts: Facts, rng: Random) -> Sentence:
    (thing,) = facts.things
    if facts.places and rng.random() < 0.4:
        place = rng.choice(facts.places)
        slot = Slot(place, (_OPPOSITE[place],), 2.0)
        return Sentence((*_named(facts, thing, rng), "on", "the", slot), _untellable(facts, thing))
    start = ("a", "photo", "of") if rng.random() < 0.4 else ()
    return Sentence((*start, *_named(facts, thing, rng)), _untellable(facts, thing))


def _pair(facts: Facts, rng: Random) -> Sentence:
    first, second = facts.things
    if rng.random() < 0.25:
        return _both(facts, rng)
    if rng.random() < 0.1:
        return Sentence(("a", "photo", "of", *_named(facts, rng.choice(facts.things), rng)))
    words = ("left", "right") if facts.kind == "beside" else ("above", "below")
    turned = rng.random() < 0.5
    one, other = (second, first) if turned else (first, second)
    slot = Slot(words[turned], (words[not turned],), 3.0)
    relation = ("to", "the", slot, "of") if facts.kind == "beside" else (slot,)
    colored = rng.random() < 0.3
    parts = (*_named(facts, one, rng, colored), *relation, *_named(facts, other, rng, colored))
    swapped = Sentence((*_plain(other), *relation, *_plain(one))).text
    return Sentence(parts, (swapped,))


def _both(facts: Facts, rng: Random) -> Sentence:
    """Two things with their colors: the colors changed places make it false."""
    one, other = facts.things if rng.random() < 0.5 else facts.things[::-1]
    parts = (*_named(facts, one, rng, True), "and", *_named(facts, other, rng, True))
    if one[1] == other[1] or not (facts.shows(one[1]) and facts.shows(other[1])):
        return Sentence(parts)
    return Sentence(parts, (f"a {other[1]} {one[0]} and a {one[1]} {other[0]}",) * 2)


def _act(facts: Facts, rng: Random) -> Sentence:
    (thing,) = facts.things
    word = thing[0]
    who = Slot(facts.who, tuple(one for one in PEOPLE if one != facts.who))
    fate = rng.random()
    if fate < 0.12:
        return Sentence(("a", "photo", "of", *_named(facts, thing, rng, rng.random() < 0.3)), _untellable(facts, thing))
    if fate < 0.4 and (word == "ball") == (facts.limb == "foot"):
        return Sentence(("a", who, *VERBS[word].split(), *_named(facts, thing, rng, False)))
    does, preposition = WITH[facts.limb]
    start = ("a", who, does, *_named(facts, thing, rng, rng.random() < 0.3))
    if fate < 0.5:
        return Sentence(start, _untellable(facts, thing))
    side = Slot(facts.side, (OTHER_SIDE[facts.side],), 3.0)
    return Sentence((*start, preposition, HIS[facts.who], side, facts.limb))


def _named(facts: Facts, thing: Thing, rng: Random, colored: bool | None = None) -> Iterator[str | Slot]:
    """A thing, with its color where that is wanted and can be told."""
    word, color = thing
    there = {one for one, _ in facts.things}
    yield "a"
    if (rng.random() < 0.6 if colored is None else colored) and facts.shows(color):
        yield Slot(color, tuple(one for one in COLORS if one != color))
    yield Slot(word, tuple(one for one in WORDS if one not in there))


def _plain(thing: Thing) -> tuple[str, str]:
    return "a", thing[0]


def _untellable(facts: Facts, thing: Thing) -> tuple[str, ...]:
    """Of a grey picture: nobody can say this of it."""
    word, color = thing
    return () if facts.shows(color) else (f"a {color} {word}", f"a photo of a {color} {word}")


def _places(scene: Scene) -> tuple[str, ...]:
    (thing,) = scene.things
    x = (thing.box.x + thing.box.width / 2) / SIDE - 0.5
    y = (thing.box.y + thing.box.height / 2) / SIDE - 0.5
    across = [("left", "right")[x > 0]] if abs(x) > _OFF_CENTER else []
    along = [("top", "bottom")[y > 0]] if abs(y) > _OFF_CENTER else []
    return (*across, *along)


def vocabulary() -> list[str]:
    """Every word of every sentence, after BERT's special tokens."""
    said: Sequence[str] = (
        "a", "photo", "of", "to", "the", "on", "in", "with", "and", "his", "her", "hand", "foot",
        "left", "right", "above", "below", "top", "bottom", *WORDS, *COLORS, *PEOPLE,
        *chain.from_iterable(verb.split() for verb in VERBS.values()), *(does for does, _ in WITH.values()),
    )  # fmt: skip
    return ["[PAD]", "[UNK]", "[CLS]", "[SEP]", MASK, *dict.fromkeys(said)]
