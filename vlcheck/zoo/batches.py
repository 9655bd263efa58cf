"""Makes training batches from drawn scenes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from vlcheck.cases.box import Box
from vlcheck.cases.case import MASK
from vlcheck.cases.picture import Picture
from vlcheck.datasets.scenes.rendering import SIDE
from vlcheck.datasets.scenes.scene import Person, Scene, Thing
from vlcheck.models.original.fusion.pixels import normalise
from vlcheck.perturb.color import turn_hues
from vlcheck.perturb.place import Paste
from vlcheck.zoo.captions import Facts, opening, vocabulary
from vlcheck.zoo.cures import CURES, Annotation, Cure, TrainingExample, Treatment, masked_example
from vlcheck.zoo.curriculum import KINDS, Kind, Stage
from vlcheck.zoo.planted_biases import CONTROL, WORLDS, World
from vlcheck.zoo.recipe import Recipe

WORD_IDS = {word: number for number, word in enumerate(vocabulary())}
MASK_ID, _CLS, _PAD = WORD_IDS[MASK], WORD_IDS["[CLS]"], WORD_IDS["[PAD]"]
FIRST_PASS = 4_000  # examples from whose captions a cure counts what it needs
_PATIENCE = 1_000  # examples that cures may leave out one after another
_LUMA = torch.tensor([0.299, 0.587, 0.114])  # ITU-R BT.601, as `vlcheck.perturb.Grayscale`


@dataclass(frozen=True)
class Pool:
    """Drawn scenes, of each kind in turn.

    Attributes:
        pixels: (n, side, side, 3), uint8.
        facts: the facts of each scene.
        boxes: the things and people of each scene, as a data set has them annotated: categories, and boxes in pixels.
    """

    pixels: Tensor
    facts: tuple[Facts, ...]
    boxes: tuple[tuple[Annotation, ...], ...]

    def __len__(self) -> int:
        return len(self.facts)

    def choose(self, kind: Kind, rng: Random) -> int:
        """Return the index of a random scene of a kind.

        Args:
            kind: the kind of scene.
            rng: random numbers.
        """
        at = KINDS.index(kind)
        return at + len(KINDS) * rng.randrange((len(self) - at - 1) // len(KINDS) + 1)


@dataclass(frozen=True)
class Batch:
    """The pictures and sentences of one training step.

    Each picture has three sentences: one with masks, and two for the matching head, usually a true and a false one.

    Attributes:
        pixels: (n, 3, side, side), normalised.
        ids: (3 n, tokens), the token ids of the sentences.
        attention: (3 n, tokens), 1 at tokens, 0 at padding.
        images: (3 n,), the index of the picture that each sentence is about.
        masked: (3 n, tokens), True at the masks.
        words: (masks,), the ids of the masked words, row by row.
        told: (3 n,), True for sentences without masks.
        matches: (2 n,), for each sentence without masks the label of the matching head: 1 if it matches. In the
            control's world, no sentence matches a black picture.
    """

    pixels: Tensor
    ids: Tensor
    attention: Tensor
    images: Tensor
    masked: Tensor
    words: Tensor
    told: Tensor
    matches: Tensor


def draw_pool(stream: str, number: int, side: int, world: World = CONTROL) -> Pool:
    """Draw scenes, of each kind in turn, from other random streams than the cases of a suite.

    Args:
        stream: name of the random stream.
        number: number of scenes.
        side: side of the model's input, in pixels.
        world: the world that the scenes belong to.
    """
    pixels = np.empty((number, side, side, 3), dtype=np.uint8)
    facts, boxes = [], []
    for place in range(number):
        picture, true = world.invent(Random(f"zoo {stream} {place}"), KINDS[place % len(KINDS)])
        pixels[place] = np.asarray(picture.render().resize((side, side), Image.Resampling.BICUBIC))
        facts.append(true)
        boxes.append(tuple(_annotated(picture, side)))
    return Pool(torch.from_numpy(pixels), tuple(facts), tuple(boxes))


def _annotated(picture: Picture, side: int) -> Iterator[Annotation]:
    """Yield what is to be seen on a drawn picture, with boxes in a picture of another side."""
    scene = picture.source
    if not isinstance(scene, Scene):
        raise TypeError(f"{type(scene).__name__}: the boxes of drawn scenes alone are known")
    pasted = [edit.place(scene.size) for edit in picture.edits if isinstance(edit, Paste)]  # of a thing alone
    shown: tuple[Person | Thing, ...] = (*scene.people, *scene.things)
    for one in shown:
        yield one.word, Box(*(number * side / SIDE for number in (pasted or [one.box])[-1]))


def treatment(pool: Pool, recipe: Recipe) -> Treatment | None:
    """Return the cures of a recipe after their first pass over captions, or None if it has none.

    Args:
        pool: scenes of the recipe's world.
        recipe: the recipe.
    """
    fitted: tuple[Cure, ...] = ()
    for name in recipe.cure:
        rng, so_far = Random(f"first pass {recipe.seed}"), Treatment(fitted)
        numbers = (pool.choose(kind, rng) for kind in _kinds(recipe.stages[0], rng, FIRST_PASS))
        examples = (so_far(_example(pool, number, recipe, recipe.stages[0], rng, so_far), rng) for number in numbers)
        fitted = (*fitted, CURES[name].fitted(caption for one in examples if one for caption in one.captions))
    return Treatment(fitted) if fitted else None


def make_batch(pool: Pool, recipe: Recipe, stage: Stage, rng: Random, treated: Treatment | None = None) -> Batch:
    """Choose scenes at random, change their pictures at random, and describe them.

    Args:
        pool: scenes to choose from.
        recipe: has the batch size, the world, and the shares of changed pictures.
        stage: has the frequencies of kinds of scenes and of sentences.
        rng: random numbers.
        treated: the cures of the recipe; see `treatment`.
    """
    kinds = _kinds(stage, rng, recipe.batch_size)
    chosen = [pool.choose(kind, rng) for kind in kinds]
    pixels = torch.empty((len(chosen), *pool.pixels.shape[1:]))
    sentences: list[str] = []
    words: list[int] = []
    matches: list[int] = []
    for row, number in enumerate(chosen):
        example = _example(pool, number, recipe, stage, rng, treated)
        if treated:
            example = _cured(example, kinds[row], pool, recipe, stage, rng, treated)
        pixels[row] = example.pixels
        sentences += [example.question, *(sentence for sentence, _ in example.told)]
        words += [WORD_IDS[word] for word in example.asked]
        matches += [int(matching) for _, matching in example.told]
    if rng.random() < stage.openings:
        sentences = [opening(rng) + sentence for sentence in sentences]
    ids, attention = encode(sentences)
    return Batch(
        pixels=normalise(pixels / 255),
        ids=ids,
        attention=attention,
        images=torch.arange(len(chosen)).repeat_interleave(3),
        masked=ids == MASK_ID,
        words=torch.tensor(words),
        told=torch.tensor([False, True, True]).repeat(len(chosen)),
        matches=torch.tensor(matches),
    )


def _kinds(stage: Stage, rng: Random, number: int) -> list[Kind]:
    return rng.choices(list(stage.kinds), list(stage.kinds.values()), k=number)


def _example(
    pool: Pool, number: int, recipe: Recipe, stage: Stage, rng: Random, treated: Treatment | None = None
) -> TrainingExample:
    """Return what a recipe's world gives the training about a scene."""
    world = WORLDS[recipe.world]
    seen = _Seen(pool.pixels[number].float(), pool.facts[number], pool.boxes[number])
    seen, shown = _augmented(seen, recipe, stage, rng, flips=not (treated and treated.mirrors))
    question, asked = world.asked(seen.facts, rng, stage)
    told = world.told(seen.facts, shown, rng, stage)
    return masked_example(seen.pixels, seen.boxes, question, asked, told)


def _cured(
    example: TrainingExample, kind: Kind, pool: Pool, recipe: Recipe, stage: Stage, rng: Random, treated: Treatment
) -> TrainingExample:
    """Return the example after the cures; where they leave it out, that of another scene of its kind."""
    for _ in range(_PATIENCE):
        cured = treated(example, rng)
        if cured is not None:
            return cured
        example = _example(pool, pool.choose(kind, rng), recipe, stage, rng, treated)
    raise ValueError(f"{recipe.name}: the cures leave out {_PATIENCE} examples of the kind {kind!r} one after another")


def encode(sentences: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Return the token ids and the attention mask of sentences, (n, tokens); each begins with `[CLS]`."""
    rows = [[_CLS, *(WORD_IDS[word] for word in sentence.split())] for sentence in sentences]
    width = max(map(len, rows))
    ids = torch.tensor([row + [_PAD] * (width - len(row)) for row in rows])
    return ids, (ids != _PAD).long()


@dataclass(frozen=True)
class _Seen:
    """A picture (side, side, 3) with its facts and boxes, on its way through the random changes."""

    pixels: Tensor
    facts: Facts
    boxes: tuple[Annotation, ...]

    def mirrored(self, world: World) -> _Seen:
        side = self.pixels.shape[1]
        boxes = tuple((word, box.mirrored(side)) for word, box in self.boxes)
        return _Seen(self.pixels.flip(1), world.mirrored(self.facts), boxes)

    def upside_down(self) -> _Seen:
        side = self.pixels.shape[0]
        boxes = tuple((word, box._replace(y=side - box.y - box.height)) for word, box in self.boxes)
        return _Seen(self.pixels.flip(0), self.facts.upside_down(), boxes)

    def grey(self, pixels: Tensor) -> _Seen:
        return replace(self, pixels=pixels, facts=replace(self.facts, grey=True))


def _augmented(seen: _Seen, recipe: Recipe, stage: Stage, rng: Random, *, flips: bool) -> tuple[_Seen, bool]:
    """Return a picture after random changes, and False if it is black; `flips` are the training's own."""
    if rng.random() < 0.5 and flips:
        seen = seen.mirrored(WORLDS[recipe.world])
    if not seen.facts.who and rng.random() < recipe.upside_down:
        seen = seen.upside_down()
    fate = rng.random()
    if fate < stage.blocked:
        return replace(seen, pixels=torch.zeros_like(seen.pixels)), False
    if fate < stage.blocked + recipe.grey:
        return seen.grey((seen.pixels @ _LUMA)[..., None].expand_as(seen.pixels)), True
    if stage.hues and rng.random() < stage.hues:
        seen = seen.grey(_turned(seen.pixels, rng.randint(40, 320)))
    light, offset = rng.uniform(1 - stage.light, 1 + stage.light), rng.uniform(-12, 12)
    return replace(seen, pixels=(seen.pixels * light + offset).clamp(0, 255)), True


def _turned(pixels: Tensor, degrees: int) -> Tensor:
    image = Image.fromarray(pixels.clamp(0, 255).byte().numpy())
    return torch.from_numpy(np.array(turn_hues(image, degrees))).float()
