"""Questions about drawn scenes: their answer lies in known pixels, and hangs on a known word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from random import Random
from typing import get_args

import numpy as np
from PIL import Image

from vlcheck._util.numbers import rounded
from vlcheck.cases.case import MASK
from vlcheck.datasets.scenes.masks import mask_of
from vlcheck.datasets.scenes.rendering import SIDE
from vlcheck.datasets.scenes.sampling import COLORS, PEOPLE, WORDS, alone, duo, pair
from vlcheck.datasets.scenes.scene import Scene
from vlcheck.explain.attribution.attribute import Attribution
from vlcheck.explain.bench.measures import energy, pointing, word_precedence
from vlcheck.explain.bench.records import Score, TruthScores

CLEAR = 0.1  # distance from the middle, as a share of the picture's side, from which a thing is on a side

SCORES: tuple[Score, ...] = get_args(Score)


@dataclass(frozen=True, eq=False)
class TruthQuestion:
    """A picture and a text whose score is explained, and the truth about them.

    Attributes:
        score: the score that is explained.
        image: the picture.
        text: the text; with "[MASK]" if a word's log-probability is explained.
        word: the word at the mask; "" for the match logit.
        target: the pixels of the thing that decides, (height, width), bool.
        distractor: the pixels of another thing in the picture, (height, width), bool; None without one.
        decisive: the word of the text that names the thing that decides; "" without one.
    """

    score: Score
    image: Image.Image
    text: str
    word: str
    target: np.ndarray
    distractor: np.ndarray | None
    decisive: str


def make_questions(rng: Random) -> Iterator[TruthQuestion]:
    """Yield the questions about a thing alone, one of two things, and one of two things in people's hands.

    Each scene has one question for the match logit and one for a word at the mask.

    Args:
        rng: random numbers.
    """
    (one, other), (color, another), people = rng.sample(WORDS, 2), rng.sample(COLORS, 2), rng.sample(PEOPLE, 2)
    yield from _both(alone(rng, one, color), f"a photo of a {one}", (f"a photo of a {MASK}", one, ""), one)
    two, caption = _apart(rng, (one, color), (other, another))
    yield from _both(two, caption, (f"a {MASK} {one} and a {other}", color, one), one)
    held = duo(rng, (people[0], (one, color)), (people[1], (other, another)))
    yield from _both(held, f"a {people[0]} holds a {one}", (f"a {people[0]} holds a {MASK}", one, people[0]), one)


def _apart(rng: Random, named: tuple[str, str], other: tuple[str, str]) -> tuple[Scene, str]:
    """Return a scene of two things on opposite sides, and a caption that names one of them with its side."""
    upright, turned = rng.random() < 0.5, rng.random() < 0.5
    first, second = (other, named) if turned else (named, other)
    drawn = (pair(rng, first, second, upright=upright) for _ in count())
    scene = next(scene for scene in drawn if _on_both_sides(scene, upright))
    side = (("left", "right"), ("top", "bottom"))[upright][turned]
    return replace(scene, things=scene.things[::-1] if turned else scene.things), f"a {named[0]} on the {side}"


def _on_both_sides(scene: Scene, upright: bool) -> bool:
    """Return True if the first thing is clearly to the left of the middle, or above it, and the second beyond it."""
    first, second = (
        (box.y + box.height / 2 if upright else box.x + box.width / 2) / SIDE
        for box in (thing.box for thing in scene.things)
    )
    return first < 0.5 - CLEAR and second > 0.5 + CLEAR


def _both(scene: Scene, caption: str, asked: tuple[str, str, str], decisive: str) -> Iterator[TruthQuestion]:
    image, target = scene.open(), mask_of(scene, 0)
    distractor = mask_of(scene, 1) if len(scene.things) > 1 else None
    yield TruthQuestion("match", image, caption, "", target, distractor, decisive)
    text, word, names = asked
    yield TruthQuestion("word", image, text, word, target, distractor, names)


def truth_scores(questions: Sequence[TruthQuestion], found: Sequence[Attribution]) -> Mapping[Score, TruthScores]:
    """Return the measures of explanations, for each score that is asked about.

    Args:
        questions: the questions.
        found: the explanation of each.
    """
    pairs = list(zip(questions, found, strict=True))
    asked = {score: [(question, one) for question, one in pairs if question.score == score] for score in SCORES}
    return {score: _means(of) for score, of in asked.items() if of}


def _means(pairs: Sequence[tuple[TruthQuestion, Attribution]]) -> TruthScores:
    beside = [(question.distractor, one.image) for question, one in pairs if question.distractor is not None]
    ranks = (word_precedence(one, question.decisive) for question, one in pairs if question.decisive)
    known = [rank for rank in ranks if rank is not None]
    return TruthScores(
        pointing=_mean(pointing(one.image, question.target) for question, one in pairs),
        energy=_mean(energy(one.image, question.target) for question, one in pairs),
        target=_mean(float(question.target.mean()) for question, _ in pairs),
        distracted=_mean(energy(image, mask) for mask, image in beside),
        distractor=_mean(float(mask.mean()) for mask, _ in beside),
        precedence=_mean(known) if known else None,
    )


def _mean(values: Iterable[float]) -> float:
    return rounded(float(np.mean(list(values))))
