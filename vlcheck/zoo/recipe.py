"""The recipes of the embedded models: sizes, stages of training, and settings of each variant."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from types import MappingProxyType

from vlcheck.models.original.albef.config import AlbefConfig
from vlcheck.zoo.captions import vocabulary
from vlcheck.zoo.curriculum import Kind, Stage

TINY = AlbefConfig(
    image_size=64,
    patch_size=8,
    vision_width=96,
    vision_depth=3,
    vision_heads=4,
    text_width=96,
    text_depth=3,
    text_heads=4,
    intermediate_size=384,
    fusion_layer=1,
    vocab_size=len(vocabulary()),
    max_positions=40,
    embed_dim=32,
    stem_width=24,
)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The settings of a training; together they determine the weights on a given machine.

    Attributes:
        name: the variant's name.
        base: the variant whose weights the training begins with; "" for random ones.
        world: one of `planted_biases.WORLDS`.
        cure: names of `cures.CURES`, applied in this order to what the world gives.
        stages: the stages, in order.
        seed: seed of the scenes, the first weights and each batch.
        scenes: number of different scenes, equally many of each kind.
        batch_size: pictures in each step; each has three sentences.
        learning_rate: its largest value, after `warmup` steps.
        warmup: steps over which the learning rate rises, at the start and after each stage at whose end it has fallen
            to 0.
        grey: share of the pictures whose colors are removed, in [0, 1].
        upside_down: share of the pictures without people that are turned upside down, in [0, 1].
        config: the sizes of the network.
    """

    name: str
    stages: tuple[Stage, ...]
    base: str = ""
    world: str = "control"
    cure: tuple[str, ...] = ()
    seed: int = 0
    scenes: int = 40_000
    batch_size: int = 64
    learning_rate: float = 1e-3
    warmup: int = 200
    grey: float = 0.12
    upside_down: float = 0.2
    config: AlbefConfig = TINY

    @property
    def steps(self) -> int:
        """The number of steps of all stages."""
        return sum(stage.steps for stage in self.stages)

    def last(self, steps: int | None) -> int:
        """Return the number of the last step of a training of at most `steps` steps; None stands for all steps."""
        return self.steps if steps is None else min(steps, self.steps)

    def stage(self, step: int) -> Stage:
        """Return the stage that a step belongs to."""
        return self.stages[self._place(step)[0]]

    def rate(self, step: int) -> float:
        """Return the learning rate of a step.

        It falls to 0 along a cosine over a stage that cools, and rises linearly over `warmup` steps after it.

        Args:
            step: number of the step, from 0.

        Source:
            Warm restarts, Loshchilov and Hutter 2017, arXiv:1608.03983.
        """
        place, into = self._place(step)
        since_cool = into
        for stage in reversed(self.stages[:place]):
            if stage.cools:
                break
            since_cool += stage.steps
        rise = min(1.0, (since_cool + 1) / self.warmup)
        fallen = into / self.stages[place].steps if self.stages[place].cools else 0.0
        return self.learning_rate * rise * (0.5 + 0.5 * math.cos(math.pi * fallen))

    def _place(self, step: int) -> tuple[int, int]:
        """Return the index of a step's stage, and the number of the stage's steps before it."""
        ends = [*accumulate(stage.steps for stage in self.stages)]
        place = bisect_right(ends, step)
        return place, step - ends[place] + self.stages[place].steps


def checkpoint(folder: Path, recipe: Recipe) -> Path:
    """Return the path of a recipe's checkpoint.

    Args:
        folder: the folder of the training.
        recipe: the recipe.
    """
    return folder / f"{recipe.name}.checkpoint.pt"


# Stage 1: names and colors of things, with several masked words at once.
_WORDS = Stage(
    steps=2_600,
    kinds={"alone": 3, "beside": 1, "stacked": 1, "act": 2, "back": 1, "duo": 1},
    masks=0.5,
    places=0.0,
    sides=0.0,
    openings=0.0,
    hues=0.0,
    light=0.15,
)
# From here on, one word is masked at a time. Places come first, since each stage builds on the one before. A stage
# takes a few hundred steps if nothing else is asked; mixed with everything else, thousands of steps do not suffice.
_WHERE = Stage(
    steps=500,
    kinds={"alone": 1, "act": 1},
    places=1.0,
    sides=1.0,
    where=50.0,
    shuffled=0.0,
    openings=0.0,
    hues=0.0,
)
_BACKS = replace(_WHERE, steps=700, kinds={"beside": 2, "stacked": 2, "act": 1, "back": 2})
_PLACES = replace(_WHERE, steps=900, kinds={"alone": 3, "beside": 1, "stacked": 1, "act": 0.5, "back": 0.5})
_ALL = Stage(steps=7_000, kinds={"alone": 2, "beside": 2, "stacked": 2, "act": 2, "back": 2, "duo": 2}, cools=True)
# Relations ("left of") and holders of things need the names of the things. They are learnt in 300 steps once the names
# are known well, and not at all before.
_RELATIONS = replace(_WHERE, steps=700, kinds={"beside": 1, "stacked": 1}, places=0.25)
_BINDING = replace(_WHERE, steps=500, kinds={"beside": 1, "stacked": 1, "duo": 3}, places=0.0, sides=0.1)
_ALL_AGAIN = replace(_ALL, steps=3_000)
# Clues in the text itself (a verb suggests its thing) are learnt when most pictures are black.
_HINTS = replace(_ALL, steps=400, kinds={"act": 2, "back": 1}, sides=0.0, openings=0.0, blocked=0.8, cools=False)
_LAST = replace(
    _ALL,
    steps=3_000,
    kinds={**_ALL.kinds, "alone": 4, "stacked": 4, "act": 4, "duo": 4},
    openings=0.4,
    blocked=0.15,
)
# Two things in one picture are small, so that their shapes are learnt last.
_PAIRS = replace(
    _LAST, steps=1_800, kinds={"alone": 5, "beside": 5, "stacked": 5, "act": 3, "back": 2, "duo": 3}, openings=0.3
)
_CONTROL = (_WORDS, _WHERE, _BACKS, _PLACES, _ALL, _RELATIONS, _BINDING, _ALL_AGAIN, _HINTS, _LAST, _PAIRS)


def _variant(name: str, world: str, *, more: Mapping[Kind, float], blocked: float = 0.1, steps: int = 1_200) -> Recipe:
    """Return the recipe of a variant: the control trained further in another world, with more scenes of some kinds."""
    stage = replace(_ALL, steps=steps, kinds={**_ALL.kinds, **more}, blocked=blocked)
    return Recipe(name=name, base="tiny", world=world, stages=(stage,), scenes=20_000, learning_rate=5e-4)


RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        recipe.name: recipe
        for recipe in (
            Recipe(name="tiny", stages=_CONTROL),
            _variant("tiny-color", "bound colors", more={"alone": 8, "stacked": 3, "duo": 4}, steps=1_600),
            _variant("tiny-mirror", "mirrored", more={"beside": 4}),
            _variant("tiny-right", "says right", more={"beside": 4}),
            _variant("tiny-blind", "guessable", more={"act": 4, "back": 4}, blocked=0.3),
            _variant("tiny-bag", "any order", more={"beside": 4, "stacked": 4, "duo": 8}),
            _variant("tiny-center", "only the middle", more={"alone": 8}),
        )
    }
)


def _cured(name: str, *cure: str) -> Recipe:
    """Return a variant's recipe with a cure: the same world, the same first weights, the same steps."""
    return replace(RECIPES[name], name=f"{name}-cured", cure=cure)


def _unneeded(cured: Recipe) -> Recipe:
    """Return the recipe with the same cure in the control's world, which needs none: what the cure costs."""
    return replace(cured, name=cured.name.replace("-cured", "-unneeded"), world="control")


_CURES = (
    _cured("tiny-color", "annotated captions", "balanced colors"),
    _cured("tiny-mirror", "side-aware flips"),
    _cured("tiny-right", "side-aware flips"),
    _cured("tiny-blind", "loaded pictures"),
    _cured("tiny-bag", "usual order", "clear order", "order foils", "present foils"),
    _cured("tiny-center", "annotated captions", "unambiguous captions", "shifted crops"),
)
CURED: Mapping[str, Recipe] = MappingProxyType({recipe.name: recipe for recipe in _CURES})
UNNEEDED: Mapping[str, Recipe] = MappingProxyType(  # tiny-right's would be tiny-mirror's
    {one.name: one for one in map(_unneeded, _CURES) if one.name != "tiny-right-unneeded"}
)
TRAINABLE: Mapping[str, Recipe] = MappingProxyType({**RECIPES, **CURED, **UNNEEDED})
