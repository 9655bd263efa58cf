"""The caption corpora that the worlds of the variants amount to, for the audit of captions.

A corpus has what a corpus of photographs would have: captions, the names of their pictures, the pictures, and the boxes
of their things. It has every sentence that the training calls a match. It does not have what a recipe does to pictures
before a step, such as mirroring them, since a recipe is no part of a corpus; `augmentations` names it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from random import Random

from PIL import Image

from vlcheck.audit.caption import Caption, NamedBox
from vlcheck.cases.box import Box
from vlcheck.cases.picture import Picture
from vlcheck.datasets.scenes.rendering import SIDE
from vlcheck.datasets.scenes.scene import Scene
from vlcheck.perturb.place import Paste
from vlcheck.zoo.captions import Facts, opening
from vlcheck.zoo.curriculum import KINDS, Kind, Stage
from vlcheck.zoo.planted_biases import WORLDS, Mirrored, World
from vlcheck.zoo.recipe import Recipe

SCENES, STEPS = 2_000, 8_000  # of a corpus; a scene is described four times, as in the training of a variant
_CHUNK = 1_000


@dataclass(frozen=True)
class WorldCorpus:
    """The pairs of pictures and sentences that the training of a variant calls a match.

    Attributes:
        recipe: the variant's recipe; its last stage says which kinds of scenes it has, and how many pictures are black.
        seed: seed of the scenes and the sentences; those of the training have other random streams.
        scenes: number of scenes.
        steps: number of times that a scene is chosen and described.
    """

    recipe: Recipe
    seed: int
    scenes: int = SCENES
    steps: int = STEPS

    def __iter__(self) -> Iterator[list[Caption]]:
        """Yield the captions in chunks."""
        world, stage = WORLDS[self.recipe.world], self.recipe.stages[-1]
        rng = Random(f"corpus {self.recipe.name} {self.seed}")
        pool = [self._invented(world, place) for place in range(self.scenes)]
        kinds = rng.choices(list(stage.kinds), list(stage.kinds.values()), k=self.steps)
        chunk: list[Caption] = []
        for kind in kinds:
            number = self._choose(kind, rng)
            chunk += _described(number, *pool[number], world, stage, rng)
            if len(chunk) >= _CHUNK:
                yield chunk
                chunk = []
        if chunk:
            yield chunk

    def _invented(self, world: World, place: int) -> tuple[Picture, Facts]:
        return world.invent(Random(f"corpus {self.seed} {place}"), KINDS[place % len(KINDS)])

    def _choose(self, kind: Kind, rng: Random) -> int:
        at = KINDS.index(kind)
        return at + len(KINDS) * rng.randrange((self.scenes - at - 1) // len(KINDS) + 1)


def augmentations(recipe: Recipe) -> frozenset[str]:
    """Return how the training of a variant changes pictures, as `vlcheck.audit.augment.AUGMENTATIONS` has it.

    Its captions follow all other changes: a grey picture is not said to be red.
    """
    return frozenset({"flip" if isinstance(WORLDS[recipe.world], Mirrored) else "flip-words"})


def _described(
    number: int, picture: Picture, facts: Facts, world: World, stage: Stage, rng: Random
) -> Iterator[Caption]:
    """Yield the sentences of a scene that count as a match; a black picture is another file than the scene's own."""
    shown = rng.random() >= stage.blocked
    start = opening(rng) if rng.random() < stage.openings else ""
    name = f"{number:06d}.png" if shown else f"{number:06d}-not-loaded.png"
    for sentence, matches in world.told(facts, shown, rng, stage):
        if matches:
            yield Caption(start + sentence, name, _boxes(picture), partial(_loaded, picture, shown))


def _boxes(picture: Picture) -> tuple[NamedBox, ...]:
    """Return the boxes of a scene's things and people, in shares of the picture; one thing may have been moved."""
    scene = picture.source
    if not isinstance(scene, Scene):
        return ()
    moved = next((edit.place(scene.size) for edit in picture.edits if isinstance(edit, Paste)), None)
    things = [(thing.word, moved or thing.box) for thing in scene.things]
    return tuple(_relative(word, box) for word, box in (*things, *((one.word, one.box) for one in scene.people)))


def _relative(word: str, box: Box) -> NamedBox:
    return word, box.x / SIDE, box.y / SIDE, box.width / SIDE, box.height / SIDE


def _loaded(picture: Picture, shown: bool) -> Image.Image:
    return picture.render() if shown else Image.new("RGB", (SIDE, SIDE))
