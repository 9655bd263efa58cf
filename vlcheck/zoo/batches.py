"""From scenes to what a training step sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from vlcheck.cases.case import MASK
from vlcheck.models.original.fusion.pixels import normalise
from vlcheck.perturb.color import turn_hues
from vlcheck.zoo.captions import Facts, opening, vocabulary
from vlcheck.zoo.curriculum import KINDS, Kind, Stage
from vlcheck.zoo.planted_biases import CONTROL, WORLDS, World
from vlcheck.zoo.recipe import Recipe

WORD_IDS = {word: number for number, word in enumerate(vocabulary())}
MASK_ID, _CLS, _PAD = WORD_IDS[MASK], WORD_IDS["[CLS]"], WORD_IDS["[PAD]"]
_LUMA = torch.tensor([0.299, 0.587, 0.114])  # ITU-R BT.601, as `vlcheck.perturb.Grayscale`


@dataclass(frozen=True)
class Pool:
    """Drawn scenes: pixels (n, side, side, 3), uint8, and what is true of each; the kinds take turns."""

    pixels: Tensor
    facts: tuple[Facts, ...]

    def __len__(self) -> int:
        return len(self.facts)

    def choose(self, kind: Kind, rng: Random) -> int:
        """One of a kind."""
        at = KINDS.index(kind)
        return at + len(KINDS) * rng.randrange((len(self) - at - 1) // len(KINDS) + 1)


@dataclass(frozen=True)
class Batch:
    """A step's pictures and sentences.

    Attributes:
        pixels: (n, 3, side, side), normalised.
        ids: (3 n, tokens): of each picture a sentence with masks, a true one, a false one.
        attention: (3 n, tokens), 1 where there is a token.
        images: (3 n,), the picture that each is about.
        masked: (3 n, tokens), True at the masks.
        words: (masks,), the words at the masks, row by row.
        told: (3 n,), True at the sentences without masks.
        matches: (2 n,), of those: 1 where picture and sentence are taken to match. A black picture matches nothing.
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
    """Draw scenes of a stream of their own; no case is of any such stream.

    Args:
        stream: names the lot by which they are made up.
        number: how many.
        side: of the model's input, in pixels.
        world: makes them up.
    """
    pixels = np.empty((number, side, side, 3), dtype=np.uint8)
    facts = []
    for place in range(number):
        picture, true = world.invent(Random(f"zoo {stream} {place}"), KINDS[place % len(KINDS)])
        pixels[place] = np.asarray(picture.render().resize((side, side), Image.Resampling.BICUBIC))
        facts.append(true)
    return Pool(torch.from_numpy(pixels), tuple(facts))


def make_batch(pool: Pool, recipe: Recipe, stage: Stage, rng: Random) -> Batch:
    """Choose scenes by lot, and what is done to each and said of it."""
    world = WORLDS[recipe.world]
    kinds = rng.choices(list(stage.kinds), list(stage.kinds.values()), k=recipe.batch_size)
    chosen = [pool.choose(kind, rng) for kind in kinds]
    pixels = pool.pixels[chosen].float()
    sentences: list[str] = []
    words: list[int] = []
    matches: list[int] = []
    for row, number in enumerate(chosen):
        pixels[row], facts, shown = _disguise(pixels[row], pool.facts[number], recipe, stage, rng)
        question, asked = world.asked(facts, rng, stage)
        told = world.told(facts, shown, rng, stage)
        sentences += [question, *(sentence for sentence, _ in told)]
        words += [WORD_IDS[word] for word in asked]
        matches += [int(matching) for _, matching in told]
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


def encode(sentences: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Ids and attention, (n, tokens), `[CLS]` first."""
    rows = [[_CLS, *(WORD_IDS[word] for word in sentence.split())] for sentence in sentences]
    width = max(map(len, rows))
    ids = torch.tensor([row + [_PAD] * (width - len(row)) for row in rows])
    return ids, (ids != _PAD).long()


def _disguise(pixels: Tensor, facts: Facts, recipe: Recipe, stage: Stage, rng: Random) -> tuple[Tensor, Facts, bool]:
    """A picture (side, side, 3) as it is shown, what is then true, and whether anything is shown at all."""
    world = WORLDS[recipe.world]
    if rng.random() < 0.5:
        pixels, facts = pixels.flip(1), world.mirrored(facts)
    if not facts.who and rng.random() < recipe.upside_down:
        pixels, facts = pixels.flip(0), facts.upside_down()
    fate = rng.random()
    if fate < stage.blocked:
        return torch.zeros_like(pixels), facts, False
    if fate < stage.blocked + recipe.grey:
        return (pixels @ _LUMA)[..., None].expand_as(pixels), replace(facts, grey=True), True
    if stage.hues and rng.random() < stage.hues:
        pixels, facts = _turned(pixels, rng.randint(40, 320)), replace(facts, grey=True)
    light, offset = rng.uniform(1 - stage.light, 1 + stage.light), rng.uniform(-12, 12)
    return (pixels * light + offset).clamp(0, 255), facts, True


def _turned(pixels: Tensor, degrees: int) -> Tensor:
    image = Image.fromarray(pixels.clamp(0, 255).byte().numpy())
    return torch.from_numpy(np.array(turn_hues(image, degrees))).float()
