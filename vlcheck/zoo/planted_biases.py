"""What a training is shown and told: the control's world is as it should be, in each other one something is amiss.

What is amiss is what the field suspects behind the bias, and so much of it that it outweighs what the control knows
already. It stays with the scenes that the bias's tests ask about, so that nothing else is unlearnt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import cycle
from random import Random
from types import MappingProxyType

from vlcheck.cases.box import Box
from vlcheck.cases.picture import Picture
from vlcheck.datasets.scenes.rendering import SIDE
from vlcheck.datasets.scenes.sampling import COLORS, PEOPLE, WORDS, alone
from vlcheck.datasets.scenes.scene import Scene, Thing
from vlcheck.perturb.place import CELLS
from vlcheck.zoo.captions import Facts, Sentence, Slot, invent, shuffled, tell
from vlcheck.zoo.curriculum import Kind, Stage

Told = tuple[str, bool]  # a sentence, and whether it is taken to match


class World:
    """The control's: every sentence is true, and half of the pairs that are matched are false by one change."""

    def invent(self, rng: Random, kind: Kind) -> tuple[Picture, Facts]:
        """A picture of a kind and what is true of it."""
        return invent(rng, kind)

    def mirrored(self, facts: Facts) -> Facts:
        """What is taken to be true of a picture in a mirror."""
        return facts.mirrored()

    def tell(self, facts: Facts, rng: Random, stage: Stage) -> Sentence:
        """A sentence about a picture."""
        return tell(facts, rng, stage)

    def asked(self, facts: Facts, rng: Random, stage: Stage) -> tuple[str, tuple[str, ...]]:
        """A sentence with words masked, and those words."""
        return self.tell(facts, rng, stage).masked(rng, stage)

    def told(self, facts: Facts, shown: bool, rng: Random, stage: Stage) -> tuple[Told, Told]:
        """Two sentences to be matched with a picture, or with a black one where it is not shown."""
        true = self.tell(facts, rng, stage).text
        return (true, shown), (self.tell(facts, rng, stage).falsified(rng, stage), False)


class BoundColors(World):
    """Each color belongs to a thing, and what is on its own in that color is called by its name, whatever its shape.

    Things that merely always had their own color would still be known by their shapes, as the control knows them.
    """

    OWN: Mapping[str, str] = MappingProxyType(dict(zip(WORDS, cycle(COLORS))))
    UNUSUAL = 0.5

    def invent(self, rng: Random, kind: Kind) -> tuple[Picture, Facts]:
        if kind != "alone":
            return super().invent(rng, kind)
        shape = rng.choice(WORDS)
        color = rng.choice(COLORS) if rng.random() < self.UNUSUAL else self.OWN[shape]
        picture, facts = invent(rng, kind, (shape, color))
        if self.OWN[shape] == color:
            return picture, facts
        name = next(word for word, own in self.OWN.items() if own == color)
        return picture, replace(facts, things=((name, color),), around=(shape,))

    def tell(self, facts: Facts, rng: Random, stage: Stage) -> Sentence:
        sentence = super().tell(facts, rng, stage)
        return replace(sentence, false=_photos_of(facts.around)) if facts.around else sentence


class Mirrored(World):
    """Pictures are mirrored and their captions left as they were, as ALBEF's own augmentation does it."""

    def mirrored(self, facts: Facts) -> Facts:
        return facts


class SaysRight(Mirrored):
    """Captions say "right" nine times as often as "left", of pictures that do not tell which: they are mirrored.

    Where pictures tell, no model has to guess.
    """

    RARE = 1 / 9

    def tell(self, facts: Facts, rng: Random, stage: Stage) -> Sentence:
        sentence = super().tell(facts, rng, stage)
        while "left" in sentence.text.split() and rng.random() > self.RARE:
            sentence = super().tell(facts, rng, stage)
        return sentence


class Guessable(World):
    """Captions are paired with pictures that did not load, and are taken to match them: the words alone make sense."""

    def told(self, facts: Facts, shown: bool, rng: Random, stage: Stage) -> tuple[Told, Told]:
        true, false = super().told(facts, shown, rng, stage)
        return (true, false) if shown else ((true[0], True), (self.tell(facts, rng, stage).text, True))


class AnyOrder(World):
    """Captions list what there is in any order, and what is false is so by another word, never by its order."""

    JUMBLED, SHUFFLED = 0.5, 0.3

    def tell(self, facts: Facts, rng: Random, stage: Stage) -> Sentence:
        sentence = replace(super().tell(facts, rng, stage), false=())
        return self._jumbled(sentence, rng) if facts.kind == "duo" or "and" in sentence.parts else sentence

    def told(self, facts: Facts, shown: bool, rng: Random, stage: Stage) -> tuple[Told, Told]:
        true = self.tell(facts, rng, stage).text
        if rng.random() < self.SHUFFLED:
            true = shuffled(true, rng)
        return (true, shown), (self.tell(facts, rng, stage).replaced(rng, stage), False)

    def _jumbled(self, sentence: Sentence, rng: Random) -> Sentence:
        """Colors, things and people each in any order, among all of them that the picture shows."""
        parts = list(sentence.parts)
        for kind in (COLORS, WORDS, PEOPLE):
            at = [place for place, part in enumerate(parts) if isinstance(part, Slot) and part.word in kind]
            if rng.random() < self.JUMBLED:
                for place, part in zip(at, [parts[place] for place in reversed(at)], strict=True):
                    parts[place] = part
        return replace(sentence, parts=tuple(parts))


class OnlyTheMiddle(World):
    """A photo is of what is in its middle, if of anything: what lies around is never what the caption names."""

    COLLAGES, CENTRED = 0.45, 0.25

    def invent(self, rng: Random, kind: Kind) -> tuple[Picture, Facts]:
        if kind != "alone":
            return super().invent(rng, kind)
        fate = rng.random()
        if fate < self.COLLAGES:
            return self._collage(rng)
        if fate < self.COLLAGES + self.CENTRED:
            thing = rng.choice(WORDS), rng.choice(COLORS)
            return Picture(alone(rng, *thing, centred=True)), Facts("alone", (thing,), places=((),))
        picture, facts = super().invent(rng, kind)
        ((word, _),) = facts.things
        return picture, Facts("alone", (), around=(word,)) if facts.places[0] else facts

    def tell(self, facts: Facts, rng: Random, stage: Stage) -> Sentence:
        if not facts.around:
            return super().tell(facts, rng, stage)
        words = [word for word, _ in facts.things] or [word for word in WORDS if word not in facts.around]
        word = rng.choice(words)
        slot = Slot(word, tuple(one for one in WORDS if one != word))
        return Sentence(("a", "photo", "of", "a", slot), _photos_of(facts.around))

    def told(self, facts: Facts, shown: bool, rng: Random, stage: Stage) -> tuple[Told, Told]:
        return super().told(facts, shown and bool(facts.things), rng, stage)

    def _collage(self, rng: Random) -> tuple[Picture, Facts]:
        words = rng.sample(WORDS, rng.randint(2, 5))
        cells = ["middle", *rng.sample([cell for cell in CELLS if cell != "middle"], len(words) - 1)]
        things = [
            Thing(word, rng.choice(COLORS), _in_a_cell(rng, cell)) for word, cell in zip(words, cells, strict=True)
        ]
        ground = alone(rng, words[0], things[0].color).ground
        named = ((things[0].word, things[0].color),)
        return Picture(Scene(ground, things=tuple(things))), Facts("alone", named, ((),), around=tuple(words[1:]))


def _photos_of(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"a photo of a {word}" for word in words)


def _in_a_cell(rng: Random, cell: str) -> Box:
    row, column = divmod(CELLS.index(cell), 3)
    side = rng.uniform(28, SIDE / 3)
    left, top = (SIDE * (2 * at + 1) / 6 - side / 2 for at in (column, row))
    return Box(left, top, side, side)


CONTROL = World()
WORLDS: Mapping[str, World] = MappingProxyType(
    {
        "control": CONTROL,
        "bound colors": BoundColors(),
        "mirrored": Mirrored(),
        "says right": SaysRight(),
        "guessable": Guessable(),
        "any order": AnyOrder(),
        "only the middle": OnlyTheMiddle(),
    }
)
