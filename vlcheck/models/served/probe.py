"""The probe of a served model: drawn pictures and texts whose answers tell one model from another.

It is asked at the start and at the end of a run. Repeats, all sent at once as in a run, measure the endpoint's noise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageDraw

from vlcheck._util.hashing import digest
from vlcheck.models.served.pictures import SentPicture
from vlcheck.models.served.replies import TokenList

SIDE = 224  # pixels
REPEATS = 4
TEXTS = ("a red circle on the left", "a blue square on the right")
_FLOOR = 1e-3  # differences of a probability that are never taken for a change
MOST_NOISE = 0.05  # of a probability: beyond it, one model cannot be told from another
_SPREADS = 4  # a difference counts as a change if it is this many times the largest one among repeats
_JITTERS = 2  # a part is seen if it changes an answer by more than this many times the noise
_STEPS = 10  # answers are rounded to the tolerance, divided by this, before they identify a probe

Ask = Callable[[SentPicture, str], "Future[TokenList]"]  # asks anew, whatever was asked before


@dataclass(frozen=True)
class Probed:
    """The answers to the probe.

    Attributes:
        answers: the likeliest first tokens of the answer to each question.
        noise: largest difference of a token's probability among repeats of a question, in [0, 1].
    """

    answers: tuple[TokenList, ...]
    noise: float

    @property
    def tolerance(self) -> float:
        """The largest difference of a token's probability that is not taken for a change."""
        return max(_FLOOR, _SPREADS * self.noise)

    def distance(self, other: Probed) -> float:
        """Return the largest difference of a token's probability between two probes."""
        if len(self.answers) != len(other.answers):
            return 1.0
        return max((one.distance(its) for one, its in zip(self.answers, other.answers, strict=True)), default=0.0)

    def same(self, other: Probed) -> bool:
        """Return True if the other answers differ by no more than the noise of both allows."""
        return self.distance(other) <= max(self.tolerance, other.tolerance)

    @property
    def key(self) -> str:
        """A digest of the answers, rounded."""
        step = self.tolerance / _STEPS
        return digest(*(f"{token} {round(prob / step)}" for one in self.answers for token, prob in sorted(one.tokens)))


def ask_probe(ask: Ask, repeats: int = REPEATS) -> Probed:
    """Ask the probe, all questions and repeats at once.

    Args:
        ask: asks about a picture and a text.
        repeats: number of times that each question is asked, from 1.
    """
    questions = [(picture, text) for picture in map(SentPicture, probe_pictures()) for text in TEXTS]
    sent = [[ask(*question) for question in questions] for _ in range(repeats)]
    rounds = [[future.result() for future in one] for one in sent]
    first, *others = rounds
    noise = max((a.distance(b) for other in others for a, b in zip(first, other, strict=True)), default=0.0)
    return Probed(tuple(first), noise)


def unseen(ask: Ask, noise: float) -> str:
    """Return which parts of a picture change no answer by more than the noise, in words; "" if all parts are seen.

    A part is a quarter of the picture: one that is cut off, or a picture that is dropped, leaves the answers as they
    are.

    Args:
        ask: asks about a picture and a text.
        noise: largest difference of a token's probability among repeats.
    """
    plain = Image.new("RGB", (SIDE, SIDE), "grey")
    base, least = ask(SentPicture(plain), TEXTS[0]), _JITTERS * noise
    sent = {where: ask(SentPicture(_marked(plain, box)), TEXTS[0]) for where, box in _QUARTERS.items()}
    same = [where for where, future in sent.items() if future.result().distance(base.result()) <= least]
    if len(same) == len(_QUARTERS):
        return "the picture"
    return f"the {_listed(same)} of a picture" if same else ""


def finest(ask: Ask, noise: float) -> int:
    """Return the side of the smallest squares of a checkerboard that a model tells from the inverted checkerboard.

    An endpoint that shrinks pictures loses the small squares; so does a model that reads small pictures.

    Args:
        ask: asks about a picture and a text.
        noise: largest difference of a token's probability among repeats.

    Returns:
        1, 2, 4, ... or SIDE / 2 pixels; 0 if no pattern is told from its inverse.
    """
    sides = [side for side in _SQUARES if side < SIDE]
    sent = [[ask(SentPicture(_checkered(side, *order)), TEXTS[0]) for order in _ORDERS] for side in sides]
    apart = [one.result().distance(other.result()) for one, other in sent]
    least = max(_SPREADS * noise, _SEEN * max(apart))
    return next((side for side, found in zip(sides, apart, strict=True) if found > least), 0)


@cache
def probe_pictures() -> tuple[Image.Image, ...]:
    """Return the pictures of the probe."""
    return _drawn("red", "blue"), _drawn("green", "yellow")


_HALF = SIDE // 2
_SQUARES = (1, 2, 4, 8, 16, 32, 56, 112)  # pixels
_ORDERS = ((0, 255), (255, 0))
_SEEN = 0.05  # a pattern is told from its inverse if the answers differ by this share of the largest difference
_QUARTERS = {
    "upper left": (0, 0, _HALF, _HALF),
    "upper right": (_HALF, 0, SIDE, _HALF),
    "lower left": (0, _HALF, _HALF, SIDE),
    "lower right": (_HALF, _HALF, SIDE, SIDE),
}


def _drawn(circle: str, square: str) -> Image.Image:
    image = Image.new("RGB", (SIDE, SIDE), "white")
    draw = ImageDraw.Draw(image)
    draw.ellipse((20, 70, 100, 150), fill=circle)
    draw.rectangle((130, 70, 200, 140), fill=square)
    return image


def _marked(image: Image.Image, box: Sequence[int]) -> Image.Image:
    """Return a copy with a part of the picture in red and white stripes."""
    left, top, right, bottom = box
    copy = image.copy()
    draw = ImageDraw.Draw(copy)
    for at in range(top + 8, bottom - 8, 16):
        draw.rectangle((left + 8, at, right - 8, at + 8), fill="red")
    return copy


def _checkered(side: int, dark: int, light: int) -> Image.Image:
    rows, columns = np.indices((SIDE, SIDE)) // side
    board = np.where((rows + columns) % 2, light, dark).astype(np.uint8)
    return Image.fromarray(board).convert("RGB")


def _listed(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
