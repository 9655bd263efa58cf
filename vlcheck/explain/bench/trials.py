"""Trials of a cause: pairs of picture and text whose explanations differ between a sound and a biased model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import cycle
from random import Random
from types import MappingProxyType

import numpy as np
from PIL import Image, ImageOps
from scipy.stats import rankdata

from vlcheck.cases.box import Box
from vlcheck.datasets.scenes.cases import HIS
from vlcheck.datasets.scenes.rendering import SIDE
from vlcheck.datasets.scenes.sampling import COLORS, PEOPLE, SIDES, WORDS, act, alone, pair
from vlcheck.datasets.scenes.scene import Scene
from vlcheck.explain.attribution.attribute import Attribution
from vlcheck.explain.bench.planted import Cause
from vlcheck.perturb.place import CELLS

# The color in which `tiny-color` and the other models call a thing the same. See `vlcheck.zoo.planted_biases`.
USUAL: Mapping[str, str] = MappingProxyType(dict(zip(WORDS, cycle(COLORS))))


@dataclass(frozen=True, eq=False)
class ExplainedPair:
    """A picture and a text.

    Attributes:
        image: the picture.
        text: the text.
    """

    image: Image.Image
    text: str

    @cached_property
    def key(self) -> bytes:
        """The text and the pixels: equal for equal pairs."""
        return self.text.encode() + self.image.tobytes()


@dataclass(frozen=True, eq=False)
class CauseTrial:
    """A pair on which a sound and a biased model disagree, between two on which both agree; all have one text.

    Attributes:
        doubtful: the pair on which they disagree.
        sound: a pair that means to both what the doubtful one means to a sound model.
        biased: a pair that means to both what the doubtful one means to a biased model.
    """

    doubtful: ExplainedPair
    sound: ExplainedPair
    biased: ExplainedPair

    @property
    def pairs(self) -> tuple[ExplainedPair, ...]:
        """The pairs that are explained."""
        return self.doubtful, self.sound, self.biased

    def leaning(self, found: Sequence[Attribution]) -> float:
        """Return how much nearer the doubtful pair's support is to the biased pair's than to the sound pair's.

        Above 0 the trial comes out as biased. Noise is as often above 0 as below, by as much.

        Args:
            found: the explanations of the pairs, in their order.
        """
        doubtful, sound, biased = map(support, found)
        return abs(doubtful - sound) - abs(doubtful - biased)


def support(found: Attribution) -> float:
    """Return the sum of an explanation over the picture and, if the method gives words a value, over the text."""
    words = 0.0 if found.token_values is None else float(found.token_values.sum())
    return float(found.image.values.sum()) + words


def biased_ranks(leanings: Sequence[float]) -> float:
    """Return the sum of the ranks of the values above 0 among the sizes of all; a value of 0 counts half.

    Args:
        leanings: the leaning of each trial to the biased answer. See `CauseTrial.leaning`.

    Example:
        >>> biased_ranks([3.0, -2.0, 0.5])
        4.0
    """
    values = np.array(leanings)
    ranks = rankdata(np.abs(values))
    return float(ranks[values > 0].sum() + ranks[values == 0].sum() / 2)


def make_trial(cause: Cause, rng: Random) -> CauseTrial:
    """Return a random trial of a cause.

    Args:
        cause: the cause.
        rng: random numbers.
    """
    return _MAKERS[cause](rng)


def _modality(rng: Random) -> CauseTrial:
    """Return a trial with a black picture: does it speak like one of the named thing, or of another thing?"""
    word, other = _two_words(rng)
    scene, text = alone(rng, word, USUAL[word], centred=True), _photo_of(word)
    return CauseTrial(
        doubtful=ExplainedPair(Image.new("RGB", scene.size), text),
        sound=ExplainedPair(_redrawn(scene, (other, USUAL[other])), text),
        biased=ExplainedPair(scene.open(), text),
    )


def _color(rng: Random) -> CauseTrial:
    """Return a trial with the named thing in another color: does it speak like this thing, or like another one?"""
    word, other = _two_words(rng)
    scene, text = alone(rng, word, USUAL[word], centred=True), _photo_of(word)
    color = rng.choice([color for color in COLORS if color not in (USUAL[word], USUAL[other])])
    return CauseTrial(
        doubtful=ExplainedPair(_redrawn(scene, (word, color)), text),
        sound=ExplainedPair(scene.open(), text),
        biased=ExplainedPair(_redrawn(scene, (other, color)), text),
    )


def _position(rng: Random) -> CauseTrial:
    """Return a trial with a mirrored picture: does it speak like the picture, or like a picture of other things?"""
    scene, text = (_beside if rng.random() < 0.5 else _in_a_hand)(rng)
    there = [thing.word for thing in scene.things]
    others = rng.sample([word for word in WORDS if word not in there], len(there))
    things = [(other, thing.color) for other, thing in zip(others, scene.things, strict=True)]
    return CauseTrial(
        doubtful=ExplainedPair(ImageOps.mirror(scene.open()), text),
        sound=ExplainedPair(_redrawn(scene, *things), text),
        biased=ExplainedPair(scene.open(), text),
    )


def _order(rng: Random) -> CauseTrial:
    """Return a trial with exchanged colors: do they speak like the named colors, or like other ones?"""
    (one, other), colors = rng.sample(WORDS, 2), rng.sample(COLORS, 4)
    scene = pair(rng, (one, colors[0]), (other, colors[1]), upright=rng.random() < 0.5)
    text = f"a {colors[0]} {one} and a {colors[1]} {other}"
    return CauseTrial(
        doubtful=ExplainedPair(_redrawn(scene, (one, colors[1]), (other, colors[0])), text),
        sound=ExplainedPair(_redrawn(scene, (one, colors[2]), (other, colors[3])), text),
        biased=ExplainedPair(scene.open(), text),
    )


def _place(rng: Random) -> CauseTrial:
    """Return a trial with the named thing off the middle: does it speak like this thing, or like another one?"""
    word, other = _two_words(rng)
    scene, text = alone(rng, word, USUAL[word], centred=True), _photo_of(word)
    cell = rng.choice([cell for cell in CELLS if cell != "middle"])
    moved = replace(scene, things=(replace(scene.things[0], box=_in_a_cell(rng, cell)),))
    return CauseTrial(
        doubtful=ExplainedPair(moved.open(), text),
        sound=ExplainedPair(scene.open(), text),
        biased=ExplainedPair(_redrawn(moved, (other, USUAL[other])), text),
    )


_MAKERS: Mapping[Cause, Callable[[Random], CauseTrial]] = MappingProxyType(
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
