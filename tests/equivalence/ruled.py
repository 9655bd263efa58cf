"""A model that answers by a rule of the picture's colors and the text, at no cost."""

from __future__ import annotations

import hashlib

import numpy as np

from vlcheck.cases import MASK, Case, CaseSource, Offer
from vlcheck.errors import NotApplicable, UsageError
from vlcheck.perturb import Solid

WORDS = ("ball", "box", "bus", "boat")


def solids(n, seed=0):
    """Return a source of n cases on pictures of one color each, which cost nothing to draw."""
    offered = {}
    for number in range(n):
        word = WORDS[number % len(WORDS)]
        offered[f"solid {number}"] = (
            Case(
                id=f"solid-{seed}-{number}",
                image=Solid((12, 8), (number % 256, 40 + number // 256, 60 + seed)),
                caption=f"thing {number} is a {word}",
                target=word,
                candidates=tuple(other for other in WORDS if other != word),
                tags=frozenset({"object"}),
            ),
        )
    return CaseSource(f"solids:{n}:{seed}", Offer(offered), n, seed)


def ruled(*, device, dtype):
    """Return the model, as a factory that the command line names."""
    return Ruled()


def other_kind(*, device, dtype):
    """Return the model with another kind of score for mlm."""
    return Ruled(kinds={"itm": "match-head", "mlm": "candidates"})


def only_mlm(*, device, dtype):
    """Return the model without itm."""
    return Ruled(kinds={"mlm": "masked-lm"})


def only_itm(*, device, dtype):
    """Return the model without mlm."""
    return Ruled(kinds={"itm": "match-head"})


class Ruled:
    """A model with a score for each picture and text, drawn by a digest of both.

    Attributes:
        encoded: the number of pictures that each call of `encode` was given.
    """

    name, mask = "ruled", MASK

    def __init__(self, fingerprint="r", kinds=None, moved=0.0):
        self.fingerprint, self.moved = fingerprint, moved
        self.kinds = kinds or {"itm": "match-head", "mlm": "masked-lm"}
        self.metrics = frozenset(self.kinds)
        self.encoded = []

    def encode(self, images):
        self.encoded.append(len(images))
        return np.array([np.asarray(image).mean(axis=(0, 1)) for image in images])

    def itm(self, encoded, texts, foils=None):
        return np.array([self._drawn(*pair) for pair in zip(encoded, texts, strict=True)])

    def mlm(self, encoded, texts, words):
        asked = zip(encoded, texts, words, strict=True)
        return [np.array([self._drawn(colors, text + word) / 10 for word in own]) for colors, text, own in asked]

    def _drawn(self, colors, text):
        content = f"{np.round(colors, 6).tolist()} {text}".encode()
        share = int.from_bytes(hashlib.sha256(content).digest()[:4]) / 2**32
        return float(np.clip(share + self.moved, 0, 1))


class Changing(Ruled):
    """A model that others run, and that they have exchanged."""

    def changed(self):
        return "small 1 and small 2"


class Failing(Ruled):
    """A model of an endpoint that is down, and whose vocabulary lacks every word."""

    def itm(self, encoded, texts, foils=None):
        raise UsageError("the endpoint gave no answer")

    def mlm(self, encoded, texts, words):
        raise NotApplicable("no such word")
