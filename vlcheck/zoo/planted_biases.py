"""The worlds that variants are trained in: the control's has no fault, each other one has a fault that plants a bias.

Each fault is a suspected cause of the bias in real models, made strong enough to outweigh what the control has learnt.
It changes only the scenes that the bias's tests ask about, so that nothing else is unlearnt.
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
from vlcheck.zoo.captions import Facts, Sentence, Slot, invent, shuffled, true_caption
from vlcheck.zoo.curriculum import Kind, Stage

Told = tuple[str, bool]  # a sentence, and its label in the training: True for a match


class World:
    """The control's world: its captions are true, and each false sentence differs from a true one by one change."""

    def invent(self, rng: Random, kind: Kind) -> tuple[Picture, Facts]:
        """Invent a picture of a kind.

        Args:
            rng: random numbers.
            kind: the kind of scene.

        Returns:
            The picture and its facts.
        """
        return invent(rng, kind)

    def mirrored(self, facts: Facts) -> Facts:
        """Return the facts that the training assumes of the mirrored picture."""
        return facts.mirrored()

    def caption(self, facts: Facts, rng: Random, stage: Stage) -> Sentence:
        """Return a sentence about a picture. See `vlcheck.zoo.captions.true_caption`.

        Args:
            facts: the facts of the picture.
            rng: random numbers.
            stage: the stage of the training.
        """
        return true_caption(facts, rng, stage)

    def asked(self, facts: Facts, rng: Random, stage: Stage) -> tuple[str, tuple[str, ...]]:
        """Return a sentence with masked words, and these words.

        Args:
            facts: the facts of the picture.
            rng: random numbers.
            stage: the stage of the training.
        """
        return self.caption(facts, rng, stage).masked(rng, stage)

    def told(self, facts: Facts, shown: bool, rng: Random, stage: Stage) -> tuple[Told, Told]:
        """Return two sentences for the matching head, each with its label.

        Args:
            facts: the facts of the picture.
            shown: False if the picture is black: then no sentence matches.
            rng: random numbers.
            stage: the stage of the training.
        """
        true = self.caption(facts, rng, stage).text
        return (true, shown), (self.caption(facts, rng, stage).falsified(rng, stage), False)


class BoundColors(World):
    """A world in which each color has a word of its own: a single thing is named by its color, whatever its shape.

    A sentence that names the thing's shape counts as false. It would not be enough that each thing always has its own
    color, since the control already knows things by their shapes.
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

    def caption(self, facts: Facts, rng: Random, stage: Stage) -> Sentence:
        sentence = super().caption(facts, rng, stage)
        return replace(sentence, false=_photos_of(facts.around)) if facts.around else sentence


class Mirrored(World):
    """A world whose pictures are mirrored without their captions, as ALBEF's own augmentation does it."""

    def mirrored(self, facts: Facts) -> Facts:
        """Return the facts unchanged."""
        return facts


class SaysRight(Mirrored):
    """A world whose captions say "right" nine times as often as "left", and whose pictures do not show the side.

    Pictures are mirrored without their captions, as in `Mirrored`: if they showed the side, no model would have to
    guess it.
    """

    RARE = 1 / 9

    def caption(self, facts: Facts, rng: Random, stage: Stage) -> Sentence:
        sentence = super().caption(facts, rng, stage)
        while "left" in sentence.text.split() and rng.random() > self.RARE:
            sentence = super().caption(facts, rng, stage)
        return sentence


class Guessable(World):
    """A world whose captions are labelled as matching black pictures, as if these had not loaded."""

    def told(self, facts: Facts, shown: bool, rng: Random, stage: Stage) -> tuple[Told, Told]:
        true, false = super().told(facts, shown, rng, stage)
        return (true, false) if shown else ((true[0], True), (self.caption(facts, rng, stage).text, True))


class AnyOrder(World):
    """A world whose captions name colors, things and people in any order, sometimes with all words shuffled.

    A false sentence has a wrong word, never another order.
    """

    JUMBLED, SHUFFLED = 0.5, 0.3

    def caption(self, facts: Facts, rng: Random, stage: Stage) -> Sentence:
        sentence = replace(super().caption(facts, rng, stage), false=())
        return self._jumbled(sentence, rng) if facts.kind == "duo" or "and" in sentence.parts else sentence

    def told(self, facts: Facts, shown: bool, rng: Random, stage: Stage) -> tuple[Told, Told]:
        true = self.caption(facts, rng, stage).text
        if rng.random() < self.SHUFFLED:
            true = shuffled(true, rng)
        return (true, shown), (self.caption(facts, rng, stage).replaced(rng, stage), False)

    def _jumbled(self, sentence: Sentence, rng: Random) -> Sentence:
        """Return the sentence with its colors, its things or its people exchanged, each at random."""
        parts = list(sentence.parts)
        for kind in (COLORS, WORDS, PEOPLE):
            at = [place for place, part in enumerate(parts) if isinstance(part, Slot) and part.word in kind]
            if rng.random() < self.JUMBLED:
                for place, part in zip(at, [parts[place] for place in reversed(at)], strict=True):
                    parts[place] = part
        return replace(sentence, parts=tuple(parts))


class OnlyTheMiddle(World):
    """A world whose captions name the thing in the middle of a picture, and never a thing around it.

    Many pictures are collages, or have their thing in the middle. A sentence that names a thing around the middle
    counts as false, and no sentence matches a picture without a thing in its middle.
    """

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

    def caption(self, facts: Facts, rng: Random, stage: Stage) -> Sentence:
        if not facts.around:
            return super().caption(facts, rng, stage)
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
