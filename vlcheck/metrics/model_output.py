"""Answers from what a model returns, or errors that say what is wrong with it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from vlcheck._util.numbers import brief
from vlcheck.errors import UsageError
from vlcheck.metrics.answer import Answer

TOLERANCE = 1e-6  # by how much rounding may carry a probability past 0 or 1


def numbers(scores: Any) -> np.ndarray:
    """Return a model's scores as float64.

    Raises:
        UsageError: the scores are no real numbers; numpy would turn much else into some.
    """
    if np.ma.is_masked(scores):
        raise UsageError("the model returned masked scores; they have to be real numbers")
    array = np.asarray(scores)
    if array.dtype.kind not in "fiu" and array.size:
        raise UsageError(f"the model returned scores of type {array.dtype.name}; they have to be real numbers")
    return array.astype(np.float64)


def words_answer(words: Sequence[str], scores: np.ndarray, top: Sequence[tuple[str, float]] = ()) -> Answer:
    """Return the answer to a text: one probability a word, and the likeliest words.

    Raises:
        UsageError: as `numbers`.
    """
    values = numbers(scores)
    if values.shape != (len(words),):
        return misshapen(values, "words", len(words))
    return answer_of(values.tolist(), tuple((str(word), float(score)) for word, score in top))


def answer_of(values: Sequence[float], top: tuple[tuple[str, float], ...] = ()) -> Answer:
    """Return the answer with some probabilities; an error if one is none.

    NaN and infinity are left for the verdict to call invalid.
    """
    for value in values:
        if math.isfinite(value) and not -TOLERANCE <= value <= 1 + TOLERANCE:
            return Answer(error=f"the model returned {brief(value)}, which is no probability: it has to lie in [0, 1]")
    return Answer(tuple(np.clip(values, 0.0, 1.0).tolist() if np.isfinite(values).all() else values), top)


def misshapen(scores: np.ndarray, of: str, n: int) -> Answer:
    """Return the error of scores that are not one for each of `n` texts or words."""
    if scores.ndim == 1:
        return miscounted(len(scores), of, n)
    return Answer(error=f"the model returned scores of shape {scores.shape} for {n} {of}")


def miscounted(found: int, of: str, n: int) -> Answer:
    """Return the error of a list of `found` scores for `n` texts or words."""
    return Answer(error=f"the model returned {found} scores for {n} {of}")
