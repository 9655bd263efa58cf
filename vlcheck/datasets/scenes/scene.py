"""Scenes: descriptions of pictures, which are drawn only when their pixels are needed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from PIL import Image, ImageDraw

from vlcheck._util.hashing import digest
from vlcheck.cases.box import Box
from vlcheck.datasets.scenes.rendering import OBJECTS, SCALE, SHADES, SIDE, Look, Pen, background, draw_person

Side = Literal["left", "right"]
Limb = Literal["hand", "foot"]

VERSION = 1  # version of the drawing: raise it when the pixels change


@dataclass(frozen=True)
class Thing:
    """An object.

    Attributes:
        word: one of OBJECTS.
        color: one of SHADES.
        box: its place, in pixels.
        flipped: whether it is drawn mirrored, which carries no information.
    """

    word: str
    color: str
    box: Box
    flipped: bool = False


@dataclass(frozen=True)
class Person:
    """A man or a woman.

    Attributes:
        word: "man" or "woman".
        box: the place, in pixels.
        back: whether the person is turned away from the viewer; the left hand is then on the picture's left.
        look: colors, and how the limbs are held.
    """

    word: str
    box: Box
    back: bool
    look: Look


@dataclass(frozen=True)
class Scene:
    """People and things on a background; an image source whose key is a hash of the description.

    Attributes:
        ground: seed of the background.
        people: the people, drawn first.
        things: the things, drawn over them.
    """

    ground: int
    people: tuple[Person, ...] = ()
    things: tuple[Thing, ...] = ()

    @cached_property
    def key(self) -> str:
        return digest("scene", str(VERSION), repr((self.ground, self.people, self.things)))

    @property
    def words(self) -> frozenset[str]:
        """The words that are true of the scene."""
        things = {word for thing in self.things for word in (thing.word, thing.color)}
        return frozenset(things | {person.word for person in self.people})

    @property
    def size(self) -> tuple[int, int]:
        return SIDE, SIDE

    def open(self) -> Image.Image:
        """Draw the scene, people behind things."""
        image = background(self.ground)
        draw = ImageDraw.Draw(image)
        for person in self.people:
            draw_person(Pen(draw, person.box), person.word, person.look, back=person.back)
        for thing in self.things:
            OBJECTS[thing.word](Pen(draw, thing.box, thing.flipped), SHADES[thing.color])
        return image.reduce(SCALE)
