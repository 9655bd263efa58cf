"""Random scenes: the caller determines their content, and chance determines place and appearance."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from vlcheck.cases.box import Box
from vlcheck.datasets.scenes.rendering import HAIR, OBJECTS, SHADES, SIDE, SKIN, Look, Rgb
from vlcheck.datasets.scenes.scene import Limb, Person, Scene, Side, Thing

WORDS = tuple(OBJECTS)
COLORS = tuple(SHADES)
ACHROMATIC = frozenset({"white", "black", "gray"})
PEOPLE = ("man", "woman")
SIDES: tuple[Side, Side] = ("left", "right")
EDGE = 4.0  # pixels that stay free along the edges
GAP = 6.0  # pixels between the two things of a pair


def alone(rng: Random, word: str, color: str, *, centred: bool = False) -> Scene:
    """Return a scene of one thing, anywhere or near the middle, where photographers put their subject.

    Args:
        rng: the source of chance.
        word: the thing, one of WORDS.
        color: its color, one of COLORS.
        centred: whether it is near the middle.
    """
    side = rng.uniform(34, 60)
    box = _about_the_middle(rng, side) if centred else _anywhere(rng, side, side)
    return Scene(_ground(rng), things=(_thing(rng, word, color, box),))


def pair(rng: Random, first: tuple[str, str], second: tuple[str, str], *, upright: bool = False) -> Scene:
    """Return a scene of two things, the first to the left of the second, or above it.

    Args:
        rng: the source of chance.
        first: word and color of the first thing.
        second: word and color of the second thing.
        upright: whether the first is above the second.
    """
    one, other = rng.uniform(28, 44), rng.uniform(28, 44)
    room = SIDE - 2 * EDGE - GAP - one - other
    before, between = sorted(rng.uniform(0, room) for _ in range(2))
    along = EDGE + before, EDGE + between + one + GAP
    across = [rng.uniform(EDGE, SIDE - EDGE - side) for side in (one, other)]
    boxes = [
        Box(*((place, start) if upright else (start, place)), side, side)
        for start, place, side in zip(along, across, (one, other), strict=True)
    ]
    things = [_thing(rng, *what, box) for what, box in zip((first, second), boxes, strict=True)]
    return Scene(_ground(rng), things=tuple(things))


def act(rng: Random, who: str, thing: tuple[str, str], *, side: Side, limb: Limb = "hand", back: bool = False) -> Scene:
    """Return a scene of a person who holds a thing in a hand, or kicks it.

    Args:
        rng: the source of chance.
        who: the person, one of PEOPLE.
        thing: word and color of the thing.
        side: the person's own side.
        limb: "hand" or "foot".
        back: whether the person is seen from the back.
    """
    room = _Room(EDGE, SIDE - EDGE, rng.uniform(38, 48), rng.uniform(29, 36))
    person, held = _acting(rng, who, thing, room, side=side, limb=limb, back=back)
    return Scene(_ground(rng), (person,), (held,))


def duo(rng: Random, first: tuple[str, tuple[str, str]], second: tuple[str, tuple[str, str]]) -> Scene:
    """Return a scene of two people side by side, in random order, each with a thing in a hand.

    Args:
        rng: the source of chance.
        first: a person, with word and color of the thing.
        second: the other person, with word and color of the thing.
    """
    rooms = [
        _Room(start, start + SIDE / 2 - EDGE, rng.uniform(30, 34), rng.uniform(25, 28)) for start in (EDGE, SIDE / 2)
    ]
    rng.shuffle(rooms)
    acting = [
        _acting(rng, who, thing, room, side=rng.choice(SIDES), limb="hand", back=rng.random() < 0.5)
        for (who, thing), room in zip((first, second), rooms, strict=True)
    ]
    people, things = zip(*acting, strict=True)
    return Scene(_ground(rng), people, things)


@dataclass(frozen=True)
class _Room:
    """The place of a person: between left and right, with the width of person and thing."""

    left: float
    right: float
    wide: float
    size: float


def _acting(
    rng: Random, who: str, thing: tuple[str, str], room: _Room, *, side: Side, limb: Limb, back: bool
) -> tuple[Person, Thing]:
    wide, high, size = room.wide, 1.9 * room.wide, room.size
    out = -1 if (side == "left") == back else 1  # facing the viewer, the left hand is on the right
    reach = size - 3.0
    x = rng.uniform(room.left + (reach if out < 0 else 0), room.right - wide - (reach if out > 0 else 0))
    y = rng.uniform(EDGE, SIDE - EDGE - high)
    tip = (0.5, 0.46) if limb == "hand" else (0.42, 0.86)
    center = x + wide * (0.5 + out * tip[0]) + out * (size / 2 - 3.0)
    top = min(y + high * tip[1] - size / 2, SIDE - EDGE - size)
    look = _look(rng, reach=(limb == "hand" and out < 0, limb == "hand" and out > 0), kick=out * (limb == "foot"))
    person = Person(who, Box(x, y, wide, high), back, look)
    return person, _thing(rng, *thing, Box(center - size / 2, top, size, size))


def _thing(rng: Random, word: str, color: str, box: Box) -> Thing:
    return Thing(word, color, box, rng.random() < 0.5)


def _look(rng: Random, reach: tuple[bool, bool], kick: int) -> Look:
    shade = rng.randint(84, 176)
    red, green, blue = (shade + rng.randint(-14, 14) for _ in range(3))
    clothes: Rgb = (red, green, blue)
    return Look(rng.choice(SKIN), rng.choice(HAIR), clothes, reach, kick)


def _about_the_middle(rng: Random, side: float) -> Box:
    left, top = ((SIDE - side) / 2 + rng.uniform(-6, 6) for _ in range(2))
    return Box(left, top, side, side)


def _anywhere(rng: Random, wide: float, high: float) -> Box:
    return Box(rng.uniform(EDGE, SIDE - EDGE - wide), rng.uniform(EDGE, SIDE - EDGE - high), wide, high)


def _ground(rng: Random) -> int:
    return rng.getrandbits(32)
