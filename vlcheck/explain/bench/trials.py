"""Trials of a cause: pairs of picture and text whose explanations differ between a sound and a biased model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from random import Random
from types import MappingProxyType

import numpy as np
from PIL import Image, ImageOps

from vlcheck.cases.box import Box
from vlcheck.datasets.scenes.cases import HIS
from vlcheck.datasets.scenes.masks import mask_of
from vlcheck.datasets.scenes.rendering import SIDE
from vlcheck.datasets.scenes.sampling import COLORS, PEOPLE, SIDES, WORDS, act, alone, pair
from vlcheck.datasets.scenes.scene import Scene, Thing
from vlcheck.explain.attribution.attribute import Attribution
from vlcheck.explain.attribution.image_map import ImageMap
from vlcheck.explain.bench.planted import Cause
from vlcheck.perturb.place import CELLS

# The color in which `tiny-color` and the other models call a thing the same. See `vlcheck.zoo.planted_biases`.
USUAL: Mapping[str, str] = MappingProxyType(dict(zip(WORDS, cycle(COLORS))))


@dataclass(frozen=True, eq=False)
class Pair:
    """A picture and a text.

    Attributes:
        image: the picture.
        text: the text.
    """

    image: Image.Image
    text: str


class Trial(ABC):
    """Pairs of picture and text, and a question to their explanations that a sound and a biased model answer apart."""

    @property
    @abstractmethod
    def pairs(self) -> tuple[Pair, ...]:
        """The pairs that are explained."""

    @abstractmethod
    def is_biased(self, found: Sequence[Attribution]) -> bool:
        """Return True if the explanations are those of the biased model. Noise says so at most every second time.

        Args:
            found: the explanations of the pairs, in their order.
        """


@dataclass(frozen=True, eq=False)
class Doubtful(Trial):
    """A pair on which a sound and a biased model disagree, between two on which both agree; all have one text.

    Attributes:
        doubtful: the pair on which they disagree.
        sound: a pair that means to both what the doubtful one means to a sound model.
        biased: a pair that means to both what the doubtful one means to a biased model.
    """

    doubtful: Pair
    sound: Pair
    biased: Pair

    @property
    def pairs(self) -> tuple[Pair, ...]:
        return self.doubtful, self.sound, self.biased

    def is_biased(self, found: Sequence[Attribution]) -> bool:
        doubtful, sound, biased = map(evidence, found)
        return bool(np.abs(doubtful - biased).sum() < np.abs(doubtful - sound).sum())


@dataclass(frozen=True, eq=False)
class InTheMiddle(Trial):
    """A picture with a thing in its middle, and a text that names another thing off the middle.

    Attributes:
        pair: the picture and the text.
        named: the pixels of the named thing, (height, width), bool.
        middle: the pixels of the thing in the middle, (height, width), bool.
    """

    pair: Pair
    named: np.ndarray
    middle: np.ndarray

    @property
    def pairs(self) -> tuple[Pair, ...]:
        return (self.pair,)

    def is_biased(self, found: Sequence[Attribution]) -> bool:
        (one,) = found
        return density(one.image, self.middle) > density(one.image, self.named)


def evidence(found: Attribution) -> np.ndarray:
    """Return the sum over the picture and the sum over the text: (2,); without values for tokens the latter is 0."""
    words = 0.0 if found.token_values is None else found.token_values.sum()
    return np.array([found.image.values.sum(), words])


def density(image: ImageMap, mask: np.ndarray) -> float:
    """Return the mean size of a map on some pixels, whether it speaks for or against the score.

    Args:
        image: the map.
        mask: the pixels, (height, width), bool.
    """
    height, width = mask.shape
    return float(replace(image, values=np.abs(image.values)).render(width, height)[mask].mean())


def make_trial(cause: Cause, rng: Random) -> Trial:
    """Return a random trial of a cause.

    Args:
        cause: the cause.
        rng: random numbers.
    """
    return _MAKERS[cause](rng)


def _modality(rng: Random) -> Trial:
    """Return a trial with a black picture: does it speak like one of the named thing, or of another thing?"""
    word, other = _two_words(rng)
    scene, text = alone(rng, word, USUAL[word], centred=True), _photo_of(word)
    return Doubtful(
        doubtful=Pair(Image.new("RGB", scene.size), text),
        sound=Pair(_redrawn(scene, (other, USUAL[other])), text),
        biased=Pair(scene.open(), text),
    )


def _color(rng: Random) -> Trial:
    """Return a trial with the named thing in another color: does it speak like this thing, or like another one?"""
    word, other = _two_words(rng)
    color = rng.choice([color for color in COLORS if color not in (USUAL[word], USUAL[other])])
    scene, text = alone(rng, word, USUAL[word], centred=True), _photo_of(word)
    return Doubtful(
        doubtful=Pair(_redrawn(scene, (word, color)), text),
        sound=Pair(scene.open(), text),
        biased=Pair(_redrawn(scene, (other, color)), text),
    )


def _position(rng: Random) -> Trial:
    """Return a trial with a mirrored picture: does it speak like the picture, or like a picture of other things?"""
    scene, text = (_beside if rng.random() < 0.5 else _in_a_hand)(rng)
    there = [thing.word for thing in scene.things]
    others = rng.sample([word for word in WORDS if word not in there], len(there))
    things = [(other, thing.color) for other, thing in zip(others, scene.things, strict=True)]
    return Doubtful(
        doubtful=Pair(ImageOps.mirror(scene.open()), text),
        sound=Pair(_redrawn(scene, *things), text),
        biased=Pair(scene.open(), text),
    )


def _order(rng: Random) -> Trial:
    """Return a trial with exchanged colors: do they speak like the named colors, or like other ones?"""
    (one, other), colors = rng.sample(WORDS, 2), rng.sample(COLORS, 4)
    scene = pair(rng, (one, colors[0]), (other, colors[1]), upright=rng.random() < 0.5)
    text = f"a {colors[0]} {one} and a {colors[1]} {other}"
    return Doubtful(
        doubtful=Pair(_redrawn(scene, (one, colors[1]), (other, colors[0])), text),
        sound=Pair(_redrawn(scene, (one, colors[2]), (other, colors[3])), text),
        biased=Pair(scene.open(), text),
    )


def _place(rng: Random) -> Trial:
    """Return a trial with a thing in the middle and a named one elsewhere: on which of the two does the map lie?"""
    (word, other), cell = _two_words(rng), rng.choice([cell for cell in CELLS if cell != "middle"])
    things = (Thing(other, USUAL[other], _in_a_cell(rng, "middle")), Thing(word, USUAL[word], _in_a_cell(rng, cell)))
    scene = Scene(rng.getrandbits(32), things=things)
    return InTheMiddle(Pair(scene.open(), _photo_of(word)), named=mask_of(scene, 1), middle=mask_of(scene, 0))


_MAKERS: Mapping[Cause, Callable[[Random], Trial]] = MappingProxyType(
    {"modality": _modality, "color": _color, "position": _position, "order": _order, "place": _place}
)


def _beside(rng: Random) -> tuple[Scene, str]:
    words, turned = rng.sample(WORDS, 2), rng.random() < 0.5
    left, right = ((word, rng.choice(COLORS)) for word in words)
    subject, anchor = words[::-1] if turned else words
    return pair(rng, left, right), f"a {subject} to the {SIDES[turned]} of a {anchor}"


def _in_a_hand(rng: Random) -> tuple[Scene, str]:
    who, word, side = rng.choice(PEOPLE), rng.choice(WORDS), rng.choice(SIDES)
    scene = act(rng, who, (word, rng.choice(COLORS)), side=side, back=rng.random() < 0.5)
    return scene, f"a {who} holds a {word} in {HIS[who]} {side} hand"


def _redrawn(scene: Scene, *things: tuple[str, str]) -> Image.Image:
    """Return the picture of a scene whose things have other words and colors, in their old places."""
    pairs = zip(scene.things, things, strict=True)
    drawn = tuple(replace(thing, word=word, color=color) for thing, (word, color) in pairs)
    return replace(scene, things=drawn).open()


def _two_words(rng: Random) -> tuple[str, str]:
    """Return two things whose usual colors differ."""
    word = rng.choice(WORDS)
    return word, rng.choice([other for other in WORDS if USUAL[other] != USUAL[word]])


def _photo_of(word: str) -> str:
    return f"a photo of a {word}"


def _in_a_cell(rng: Random, cell: str) -> Box:
    row, column = divmod(CELLS.index(cell), 3)
    side = rng.uniform(28, SIDE / 3)
    left, top = (SIDE * (2 * at + 1) / 6 - side / 2 for at in (column, row))
    return Box(left, top, side, side)
