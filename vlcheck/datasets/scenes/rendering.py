"""Drawing of scenes: flat shapes with a dark outline on a textured background, drawn large and scaled down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from vlcheck.cases.box import Box

Rgb = tuple[int, int, int]
Point = tuple[float, float]

SIDE = 128  # pixels of each side of the picture
SCALE = 2  # factor by which it is drawn larger
INK: Rgb = (32, 28, 32)
SKIN: Sequence[Rgb] = ((240, 200, 170), (214, 164, 124), (150, 104, 74))
HAIR: Sequence[Rgb] = ((44, 32, 26), (96, 60, 34), (70, 66, 66))
SHADES: Mapping[str, Rgb] = {
    "red": (206, 32, 40),
    "orange": (240, 136, 24),
    "yellow": (244, 216, 40),
    "green": (40, 150, 62),
    "blue": (36, 84, 204),
    "purple": (130, 48, 160),
    "pink": (244, 142, 184),
    "white": (250, 250, 250),
    "black": (20, 20, 22),
    "gray": (136, 136, 138),
}


@dataclass(frozen=True)
class Pen:
    """A pen that draws in a box as if the box were the unit square.

    Attributes:
        draw: the canvas.
        box: the box, in pixels of the final picture.
        flipped: whether left and right are exchanged.
    """

    draw: ImageDraw.ImageDraw
    box: Box
    flipped: bool = False

    def polygon(self, points: Sequence[Point], fill: Rgb) -> None:
        self.draw.polygon([self._at(point) for point in points], fill=fill, outline=INK, width=self._width)

    def ellipse(self, left: float, top: float, right: float, bottom: float, fill: Rgb | None) -> None:
        self.draw.ellipse(self._span((left, top), (right, bottom)), fill=fill, outline=INK, width=self._width)

    def ring(self, left: float, top: float, right: float, bottom: float, color: Rgb, width: float) -> None:
        thick = max(2, round(width * self.box.width * SCALE))
        self.draw.ellipse(self._span((left, top), (right, bottom)), outline=color, width=thick)

    def line(self, points: Sequence[Point], color: Rgb = INK, width: float | None = None) -> None:
        thick = self._width if width is None else max(2, round(width * self.box.width * SCALE))
        self.draw.line([self._at(point) for point in points], fill=color, width=thick, joint="curve")

    @property
    def _width(self) -> int:
        return max(2, round(0.05 * min(self.box.width, self.box.height) * SCALE))

    def _at(self, point: Point) -> Point:
        x = 1 - point[0] if self.flipped else point[0]
        return (self.box.x + x * self.box.width) * SCALE, (self.box.y + point[1] * self.box.height) * SCALE

    def _span(self, one: Point, other: Point) -> tuple[Point, Point]:
        (a, top), (b, bottom) = self._at(one), self._at(other)
        return (min(a, b), top), (max(a, b), bottom)


def _ball(pen: Pen, fill: Rgb) -> None:
    pen.ellipse(0, 0, 1, 1, fill)
    pen.line([(0.2, 0.1), (0.42, 0.5), (0.2, 0.9)])
    pen.line([(0.8, 0.1), (0.58, 0.5), (0.8, 0.9)])


def _box(pen: Pen, fill: Rgb) -> None:
    pen.polygon([(0, 0.28), (0.28, 0), (1, 0), (0.72, 0.28)], fill)
    pen.polygon([(0.72, 0.28), (1, 0), (1, 0.72), (0.72, 1)], fill)
    pen.polygon([(0, 0.28), (0.72, 0.28), (0.72, 1), (0, 1)], fill)


def _cup(pen: Pen, fill: Rgb) -> None:
    pen.ring(0.52, 0.25, 1, 0.75, INK, 0.16)
    pen.polygon([(0, 0.08), (0.74, 0.08), (0.64, 1), (0.1, 1)], fill)
    pen.ellipse(0, 0, 0.74, 0.18, INK)


def _book(pen: Pen, fill: Rgb) -> None:
    pen.polygon([(0, 0.1), (0.5, 0.24), (0.5, 1), (0, 0.86)], fill)
    pen.polygon([(1, 0.1), (0.5, 0.24), (0.5, 1), (1, 0.86)], fill)
    for height in (0.38, 0.54):
        pen.line([(0.1, height - 0.06), (0.4, height + 0.04)])
        pen.line([(0.9, height - 0.06), (0.6, height + 0.04)])


def _kite(pen: Pen, fill: Rgb) -> None:
    pen.line([(0.5, 0.66), (0.62, 0.76), (0.42, 0.86), (0.6, 1)])
    pen.polygon([(0.5, 0), (0.92, 0.3), (0.5, 0.72), (0.08, 0.3)], fill)
    pen.line([(0.5, 0), (0.5, 0.72)])
    pen.line([(0.08, 0.3), (0.92, 0.3)])


def _hat(pen: Pen, fill: Rgb) -> None:
    pen.polygon([(0.26, 0.1), (0.74, 0.1), (0.8, 0.72), (0.2, 0.72)], fill)
    pen.polygon([(0.22, 0.5), (0.78, 0.5), (0.8, 0.7), (0.2, 0.7)], INK)
    pen.ellipse(0, 0.66, 1, 0.98, fill)


def _bottle(pen: Pen, fill: Rgb) -> None:
    pen.polygon([(0.4, 0), (0.6, 0), (0.6, 0.3), (0.76, 0.46), (0.76, 1), (0.24, 1), (0.24, 0.46), (0.4, 0.3)], fill)
    pen.line([(0.24, 0.6), (0.76, 0.6)])
    pen.line([(0.24, 0.84), (0.76, 0.84)])


def _car(pen: Pen, fill: Rgb) -> None:
    pen.polygon([(0.2, 0.5), (0.32, 0.16), (0.7, 0.16), (0.82, 0.5)], fill)
    pen.polygon([(0, 0.46), (1, 0.46), (1, 0.8), (0, 0.8)], fill)
    pen.line([(0.5, 0.16), (0.5, 0.46)])
    pen.ellipse(0.1, 0.62, 0.38, 0.98, INK)
    pen.ellipse(0.62, 0.62, 0.9, 0.98, INK)


def _boat(pen: Pen, fill: Rgb) -> None:
    pen.line([(0.5, 0), (0.5, 0.7)])
    pen.polygon([(0.54, 0.04), (0.92, 0.58), (0.54, 0.58)], fill)
    pen.polygon([(0, 0.68), (1, 0.68), (0.8, 1), (0.2, 1)], fill)


def _fish(pen: Pen, fill: Rgb) -> None:
    pen.polygon([(0.66, 0.5), (1, 0.14), (1, 0.86)], fill)
    pen.ellipse(0, 0.18, 0.76, 0.82, fill)
    pen.ellipse(0.14, 0.36, 0.26, 0.48, INK)


def _chair(pen: Pen, fill: Rgb) -> None:
    pen.polygon([(0.1, 0), (0.28, 0), (0.28, 1), (0.1, 1)], fill)
    pen.polygon([(0.72, 0.5), (0.9, 0.5), (0.9, 1), (0.72, 1)], fill)
    pen.polygon([(0.1, 0.46), (0.96, 0.46), (0.96, 0.64), (0.1, 0.64)], fill)


def _flower(pen: Pen, fill: Rgb) -> None:
    pen.line([(0.5, 0.5), (0.5, 1)], width=0.08)
    pen.line([(0.5, 0.84), (0.76, 0.7)], width=0.08)
    for x, y in ((0.5, 0.0), (0.74, 0.17), (0.65, 0.42), (0.35, 0.42), (0.26, 0.17)):
        pen.ellipse(x - 0.17, y, x + 0.17, y + 0.3, fill)
    pen.ellipse(0.38, 0.26, 0.62, 0.48, INK)


def _lamp(pen: Pen, fill: Rgb) -> None:
    pen.line([(0.5, 0.4), (0.5, 0.94)], width=0.1)
    pen.polygon([(0.2, 0.9), (0.8, 0.9), (0.8, 1), (0.2, 1)], INK)
    pen.polygon([(0.32, 0), (0.68, 0), (0.96, 0.46), (0.04, 0.46)], fill)


def _drum(pen: Pen, fill: Rgb) -> None:
    pen.ellipse(0, 0.66, 1, 1, fill)
    pen.polygon([(0, 0.2), (1, 0.2), (1, 0.84), (0, 0.84)], fill)
    pen.line([(0, 0.3), (0.25, 0.86), (0.5, 0.36), (0.75, 0.86), (1, 0.3)])
    pen.ellipse(0, 0.04, 1, 0.36, fill)


OBJECTS: Mapping[str, Callable[[Pen, Rgb], None]] = {
    "ball": _ball, "boat": _boat, "book": _book, "bottle": _bottle, "box": _box, "car": _car, "chair": _chair,
    "cup": _cup, "drum": _drum, "fish": _fish, "flower": _flower, "hat": _hat, "kite": _kite, "lamp": _lamp,
}  # fmt: skip


@dataclass(frozen=True)
class Look:
    """The appearance of a person, which carries no information: colors, and how the limbs are held.

    Attributes:
        skin: one of SKIN.
        hair: one of HAIR.
        clothes: a muted color, so that no color word is true of it.
        reach: for the left and right side of the picture, whether the hand is held out; it hangs otherwise.
        kick: the side of the picture on which a leg is held out; 0 if none is.
    """

    skin: Rgb
    hair: Rgb
    clothes: Rgb
    reach: tuple[bool, bool]
    kick: int = 0


def draw_person(pen: Pen, word: str, look: Look, *, back: bool) -> None:
    """Draw a man (short hair, trousers) or a woman (long hair, a wide dress), from the front or the back.

    Args:
        pen: the pen, in the person's box.
        word: "man" or "woman".
        look: colors, and how the limbs are held.
        back: whether the person is seen from the back.
    """
    woman = word == "woman"
    _legs(pen, look, bare=woman)
    if woman:
        pen.ellipse(0.28, 0.0, 0.72, 0.4, look.hair)
        pen.polygon([(0.3, 0.12), (0.7, 0.12), (0.76, 0.46), (0.24, 0.46)], look.hair)
    _arms(pen, look)
    trunk = (
        [(0.4, 0.3), (0.6, 0.3), (0.82, 0.74), (0.18, 0.74)]
        if woman
        else [(0.32, 0.3), (0.68, 0.3), (0.66, 0.66), (0.34, 0.66)]
    )
    pen.polygon(trunk, look.clothes)
    pen.ellipse(0.33, 0.02, 0.67, 0.3, look.skin)
    if back:
        pen.ellipse(0.31, 0.0, 0.69, 0.28, look.hair)
        if woman:
            pen.polygon([(0.31, 0.14), (0.69, 0.14), (0.72, 0.46), (0.28, 0.46)], look.hair)
        return
    pen.polygon([(0.33, 0.13), (0.36, 0.03), (0.5, 0.0), (0.64, 0.03), (0.67, 0.13), (0.5, 0.08)], look.hair)
    for x in (0.42, 0.58):
        pen.ellipse(x - 0.035, 0.14, x + 0.035, 0.18, INK)
    pen.line([(0.43, 0.235), (0.57, 0.235)])


def _legs(pen: Pen, look: Look, *, bare: bool) -> None:
    red, green, blue = (max(0, level - 70) for level in look.clothes)
    color = look.skin if bare else (red, green, blue)
    for side, (hip, foot) in ((-1, (0.42, 0.38)), (1, (0.58, 0.62))):
        out = look.kick == side
        pen.line([(hip, 0.64), (0.5 + side * 0.42 if out else foot, 0.86 if out else 0.98)], color, width=0.15)


def _arms(pen: Pen, look: Look) -> None:
    for side, out in zip((-1, 1), look.reach, strict=True):
        hand = (0.5 + side * (0.5 if out else 0.26), 0.46 if out else 0.6)
        pen.line([(0.5 + side * 0.12, 0.36), hand], look.clothes, width=0.12)
        pen.line([(0.5 + side * 0.24, 0.41), hand] if out else [hand, (hand[0], 0.63)], look.skin, width=0.1)


def background(seed: int, size: int = SIDE * SCALE) -> Image.Image:
    """Return a pale texture: a gradient of brightness, and coarse noise, both almost without color.

    Args:
        seed: determines the texture.
        size: pixels of each side.
    """
    rng = np.random.default_rng(seed)
    base = rng.integers(150, 225, 1) + rng.integers(-12, 13, 3)
    cells = int(rng.integers(4, 17))
    coarse = rng.normal(0, rng.uniform(4, 14), (cells, cells, 1)) + rng.normal(0, 3, (cells, cells, 3))
    slope = np.add.outer(
        np.linspace(-1, 1, cells) * rng.uniform(-14, 14), np.linspace(-1, 1, cells) * rng.uniform(-14, 14)
    )
    pixels = (base + coarse + slope[..., None]).clip(120, 245).astype(np.uint8)
    return Image.fromarray(pixels).resize((size, size), Image.Resampling.BILINEAR)
