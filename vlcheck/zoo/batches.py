"""Makes training batches from drawn scenes."""

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
    """Drawn scenes, of each kind in turn.

    Attributes:
        pixels: (n, side, side, 3), uint8.
        facts: the facts of each scene.
    """

    pixels: Tensor
    facts: tuple[Facts, ...]

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
    facts = []
    for place in range(number):
        picture, true = world.invent(Random(f"zoo {stream} {place}"), KINDS[place % len(KINDS)])
        pixels[place] = np.asarray(picture.render().resize((side, side), Image.Resampling.BICUBIC))
        facts.append(true)
    return Pool(torch.from_numpy(pixels), tuple(facts))


def make_batch(pool: Pool, recipe: Recipe, stage: Stage, rng: Random) -> Batch:
    """Choose scenes at random, change their pictures at random, and describe them.

    Args:
        pool: scenes to choose from.
        recipe: has the batch size, the world, and the shares of changed pictures.
        stage: has the frequencies of kinds of scenes and of sentences.
        rng: random numbers.
    """
    world = WORLDS[recipe.world]
    kinds = rng.choices(list(stage.kinds), list(stage.kinds.values()), k=recipe.batch_size)
    chosen = [pool.choose(kind, rng) for kind in kinds]
    pixels = pool.pixels[chosen].float()
    sentences: list[str] = []
    words: list[int] = []
    matches: list[int] = []
    for row, number in enumerate(chosen):
        pixels[row], facts, shown = _augmented(pixels[row], pool.facts[number], recipe, stage, rng)
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
    """Return the token ids and the attention mask of sentences, (n, tokens); each begins with `[CLS]`."""
    rows = [[_CLS, *(WORD_IDS[word] for word in sentence.split())] for sentence in sentences]
    width = max(map(len, rows))
    ids = torch.tensor([row + [_PAD] * (width - len(row)) for row in rows])
    return ids, (ids != _PAD).long()


def _augmented(pixels: Tensor, facts: Facts, recipe: Recipe, stage: Stage, rng: Random) -> tuple[Tensor, Facts, bool]:
    """Return a picture (side, side, 3) after random changes, the facts that are then true, and False if it is black."""
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
