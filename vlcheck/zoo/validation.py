"""Tests a network on scenes that it was not trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

import torch

from vlcheck.cases.case import MASK
from vlcheck.datasets.scenes.sampling import COLORS, PEOPLE, WORDS
from vlcheck.models.original.albef.network import AlbefNetwork
from vlcheck.models.original.fusion.pixels import normalise
from vlcheck.zoo.batches import MASK_ID, WORD_IDS, Pool, draw_pool, encode
from vlcheck.zoo.captions import Facts, true_caption
from vlcheck.zoo.curriculum import Stage
from vlcheck.zoo.recipe import Recipe

_AT_ONCE = 100
_STAGE = Stage(steps=0, kinds={}, places=0.2)  # a mixture of all kinds of sentences
_KINDS: Mapping[str, str] = {
    **dict.fromkeys(COLORS, "color"),
    **dict.fromkeys(WORDS, "object"),
    **dict.fromkeys(PEOPLE, "person"),
    **dict.fromkeys(("left", "right"), "side"),
    **dict.fromkeys(("above", "below"), "vertical"),
    **dict.fromkeys(("top", "bottom"), "row"),
}


@dataclass(frozen=True)
class Share:
    """The share of right answers, in [0, 1], and the number of questions."""

    right: float
    n: int


def held_out(recipe: Recipe, scenes: int) -> Pool:
    """Draw scenes that a recipe is not trained on.

    Args:
        recipe: the recipe.
        scenes: number of scenes.
    """
    return draw_pool(f"held out {recipe.seed}", scenes, recipe.config.image_size)


@torch.inference_mode()
def validate(network: AlbefNetwork, pool: Pool, seed: int = 0) -> dict[str, Share]:
    """Return a network's shares of right answers, by kind of question.

    A masked word counts as right if the likeliest word is true; its kinds are that of the word and, for objects and
    sides, that of the scene. A sentence counts as right if the matching head's label is right; its kind is "itm, true",
    or the change that makes it false.

    Args:
        network: the network, in evaluation mode.
        pool: scenes that it was not trained on.
        seed: seed of the sentences.
    """
    right: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    rng = Random(f"exam {seed}")
    for start in range(0, len(pool), _AT_ONCE):
        facts = pool.facts[start : start + _AT_ONCE]
        embeds = network.image_embeds(normalise(pool.pixels[start : start + _AT_ONCE].float() / 255))
        sentences = [true_caption(one, rng, _STAGE) for one in facts]
        questions, asked_for = zip(*(sentence.masked(rng, _STAGE) for sentence in sentences), strict=True)
        words = [word for (word,) in asked_for]
        ids, attention = encode(questions)
        answers = network.mlm_logits_at(ids == MASK_ID, embeds, ids, attention).argmax(dim=1).tolist()
        for one, question, word, answer in zip(facts, questions, words, answers, strict=True):
            kinds = {_KINDS[word], _kind(one, word)}
            asked.update(kinds)
            right.update(kinds if answer in {WORD_IDS[true] for true in _true(one, question, word)} else ())
        texts = [sentence.text for sentence in sentences] + [one.falsified(rng, _STAGE) for one in sentences]
        images = torch.arange(len(facts)).repeat(2)
        matched = network.itm_logits(embeds, *encode(texts), images).argmax(dim=1).tolist()
        for true, text, answer in zip([sentence.text for sentence in sentences] * 2, texts, matched, strict=True):
            kinds = {"itm, true"} if text == true else {"itm, false", f"itm, false by {_change(true, text)}"}
            asked.update(kinds)
            right.update(kinds if answer == (text == true) else ())
    return {kind: Share(right[kind] / asked[kind], asked[kind]) for kind in sorted(asked)}


def _change(true: str, false: str) -> str:
    """Return the kind of change that makes a sentence false: its order, a verb, or the kind of the wrong word."""
    here, there = Counter(true.split()), Counter(false.split())
    (wrong, *more) = list(there - here) or [""]
    return "its order" if not wrong else "another verb" if more else _KINDS[wrong]


def _true(facts: Facts, question: str, word: str) -> set[str]:
    """Return all words that are true at the mask: a thing at the top left is both "on the top" and "on the left"."""
    if not question.endswith(f" on the {MASK}"):
        return {word}
    (places,) = (
        places for (thing, _), places in zip(facts.things, facts.places, strict=True) if thing in question.split()
    )
    return set(places)


def _kind(facts: Facts, word: str) -> str:
    kind = _KINDS[word]
    return f"{kind}, {facts.kind}" if kind in ("side", "object") else kind
