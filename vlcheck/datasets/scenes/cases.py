"""Cases on generated scenes, `scenes[:N[:SEED]]`; their truth is known because the scenes are drawn by vlcheck."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from random import Random
from types import MappingProxyType

from vlcheck._util.lazy import Lazy
from vlcheck.cases.box import Box
from vlcheck.cases.case import MASK, Case
from vlcheck.cases.offer import Offer
from vlcheck.datasets.scenes.sampling import ACHROMATIC, COLORS, PEOPLE, SIDES, WORDS, act, alone, duo, pair
from vlcheck.datasets.scenes.scene import Limb, Scene

SOURCE, LICENCE = "drawn by vlcheck", "Apache-2.0"
BARE = f"a photo of a {MASK}"
# An act that fits one thing only, so that a caption with the act reveals the thing.
VERBS: Mapping[str, str] = MappingProxyType(
    {
        "ball": "kicks", "boat": "sails", "book": "reads", "bottle": "pours from", "box": "opens", "car": "drives",
        "chair": "sits on", "cup": "drinks from", "drum": "beats", "fish": "catches", "flower": "smells",
        "hat": "tries on", "kite": "flies", "lamp": "lights",
    }
)  # fmt: skip
HIS: Mapping[str, str] = MappingProxyType({"man": "his", "woman": "her"})
WITH: Mapping[Limb, tuple[str, str]] = MappingProxyType({"hand": ("holds", "in"), "foot": ("stops", "with")})
_LIMBS: tuple[Limb, Limb] = ("hand", "foot")


def read_scenes(*, images: int, seed: int) -> Offer:
    """Draw the scenes of `scenes[:N[:SEED]]`.

    Args:
        images: number of scenes for each kind of case.
        seed: determines the scenes.
    """
    return draw_scenes(images, seed)


def draw_scenes(images: int, seed: int) -> Offer:
    """Generate scenes for each kind of case, with equally frequent targets, and further blocks of them on demand.

    Args:
        images: number of scenes for each kind of case.
        seed: determines the scenes; the scenes that the zoo is trained on have different seeds.
    """
    blocks = (_drawn(range(first, first + images), seed) for first in count(step=images))
    return Offer(next(blocks), Counter(), lambda case: None, further=Lazy(blocks))


def _drawn(numbers: Iterable[int], seed: int) -> dict[str, tuple[Case, ...]]:
    cases: dict[str, tuple[Case, ...]] = {}
    for kind, make in _KINDS.items():
        for number in numbers:
            name = f"scene-{seed}-{kind}-{number:05d}"
            cases[name] = tuple(make(Random(f"case {name}"), name, number))
    return cases


def _object(rng: Random, name: str, number: int) -> Iterator[Case]:
    word, who = WORDS[number % len(WORDS)], rng.choice(PEOPLE)
    limb: Limb = "foot" if VERBS[word] == "kicks" else "hand"
    scene = act(rng, who, (word, rng.choice(COLORS)), side=rng.choice(SIDES), limb=limb, back=rng.random() < 0.5)
    yield _case(
        scene, name, f"a {who} {VERBS[word]} a {word}", word, {"object"},
        bare=BARE, candidates=set(WORDS) - {word}, about={word}, beside=scene.people[0].box,
    )  # fmt: skip


def _color(colors: tuple[str, ...], kind: str) -> Callable[[Random, str, int], Iterator[Case]]:
    def make(rng: Random, name: str, number: int) -> Iterator[Case]:
        color, word = colors[number % len(colors)], rng.choice(WORDS)
        tags = {"color", kind} | _names(color)
        scene = alone(rng, word, color)
        yield _case(scene, name, f"a {color} {word}", color, tags, candidates=set(COLORS) - {color}, about={color})

    return make


def _single(rng: Random, name: str, number: int) -> Iterator[Case]:
    word, color = WORDS[number % len(WORDS)], rng.choice(COLORS)
    yield _case(
        alone(rng, word, color, centred=True), name, f"a photo of a {color} {word}", word, {"single"} | _names(color),
        bare=BARE, candidates=set(WORDS) - {word}, about={word},
    )  # fmt: skip


def _side(rng: Random, name: str, number: int) -> Iterator[Case]:
    left, right = rng.sample(WORDS, 2)
    scene = pair(rng, (left, rng.choice(COLORS)), (right, rng.choice(COLORS)))
    for of, (side, subject, anchor) in enumerate((("left", left, right), ("right", right, left))):
        text = f"a {subject} to the {side} of a {anchor}"
        tags, beside = {"side", "names-side"}, scene.things[1 - of].box
        yield _case(scene, f"{name}-{side}", text, side, tags, about={subject, anchor}, of=of, beside=beside)


def _vertical(rng: Random, name: str, number: int) -> Iterator[Case]:
    above, below = rng.sample(WORDS, 2)
    scene = pair(rng, (above, rng.choice(COLORS)), (below, rng.choice(COLORS)), upright=True)
    for of, (place, subject, anchor) in enumerate((("above", above, below), ("below", below, above))):
        text = f"a {subject} {place} a {anchor}"
        tags, beside = {"vertical"}, scene.things[1 - of].box
        yield _case(scene, f"{name}-{place}", text, place, tags, about={subject, anchor}, of=of, beside=beside)


def _binding(rng: Random, name: str, number: int) -> Iterator[Case]:
    (one, other), color = rng.sample(WORDS, 2), COLORS[number % len(COLORS)]
    another = rng.choice([another for another in COLORS if another != color])
    scene = pair(rng, (one, color), (other, another), upright=rng.random() < 0.5)
    yield _case(
        scene, name, f"a {color} {one} and a {another} {other}", color, {"binding"} | _names(color, another),
        bare=f"a {MASK} {one} and a {other}", candidates={another}, about={one, other, color, another},
        beside=scene.things[1].box,
    )  # fmt: skip


def _role(rng: Random, name: str, number: int) -> Iterator[Case]:
    who, partner = rng.sample(PEOPLE, 2)
    word = WORDS[number % len(WORDS)]
    other = rng.choice([other for other in WORDS if other != word])
    scene = duo(rng, (who, (word, rng.choice(COLORS))), (partner, (other, rng.choice(COLORS))))
    does, _ = WITH["hand"]
    yield _case(
        scene, name, f"a {who} {does} a {word} and a {partner} {does} a {other}", word, {"role", "person"},
        bare=f"a {who} {does} a {MASK}", candidates={other}, about={word, other},
        beside=next(person.box for person in scene.people if person.word == who),
    )  # fmt: skip


def _names(*colors: str) -> set[str]:
    return set() if ACHROMATIC.issuperset(colors) else {"names-chromatic"}


def _hand(rng: Random, name: str, number: int) -> Iterator[Case]:
    side, limb = SIDES[number % 2], _LIMBS[number // 2 % 2]
    who, word = rng.choice(PEOPLE), rng.choice(WORDS)
    scene = act(rng, who, (word, rng.choice(COLORS)), side=side, limb=limb, back=rng.random() < 0.5)
    does, preposition = WITH[limb]
    text = f"a {who} {does} a {word} {preposition} {HIS[who]} {side} {limb}"
    tags = {"hand", "names-side", "own-side", "person"}
    yield _case(scene, name, text, side, tags, about={who, word}, beside=scene.people[0].box)


def _case(
    scene: Scene,
    name: str,
    caption: str,
    target: str,
    tags: Iterable[str],
    *,
    about: set[str],
    candidates: Iterable[str] = (),
    bare: str | None = None,
    of: int = 0,
    beside: Box | None = None,
) -> Case:
    """Return a case on a scene.

    Args:
        scene: the scene.
        name: the case's id.
        caption: a true sentence about it.
        target: the word that is masked.
        tags: the kind of the target, and further tags.
        about: words that must be true of a picture for the caption to be true.
        candidates: the other words of the closed set.
        bare: a short text without the hint.
        of: index of the thing that the target refers to.
        beside: box of the other thing of a relation.
    """
    return Case(
        id=name,
        image=scene,
        caption=caption,
        target=target,
        bare=bare,
        candidates=tuple(sorted(candidates)),
        about=frozenset(about),
        present=scene.words,
        region=(scene.things[of].box,),
        other_region=(beside,) if beside else (),
        tags=frozenset(tags),
        source=SOURCE,
        licence=LICENCE,
    )


_KINDS: Mapping[str, Callable[[Random, str, int], Iterator[Case]]] = {
    "object": _object,
    "chromatic": _color(tuple(color for color in COLORS if color not in ACHROMATIC), "chromatic"),
    "achromatic": _color(tuple(color for color in COLORS if color in ACHROMATIC), "achromatic"),
    "side": _side,
    "hand": _hand,
    "single": _single,
    "vertical": _vertical,
    "binding": _binding,
    "role": _role,
}
