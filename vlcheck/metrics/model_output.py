"""Turns a model's output into answers, or into errors that say what is wrong with it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from PIL import Image

from vlcheck._util.numbers import brief
from vlcheck.errors import UsageError
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.definition import Encoded

TOLERANCE = 1e-6  # probabilities may lie outside [0, 1] by this much, from rounding


def encode_images(model: Any, images: Sequence[Image.Image]) -> Encoded:
    """Return the images as a model has encoded them.

    Args:
        model: a VisionLanguageModel.
        images: n images.

    Raises:
        UsageError: the model returned a list or a tuple, from which no images can be selected.
    """
    encoded: Any = model.encode(images)
    if type(encoded) in (list, tuple):
        raise UsageError(
            f"encode returned a {type(encoded).__name__}; its result has to be indexable by a list of indices: return"
            " an array or a tensor, or an object with __len__ and __getitem__(indices)"
        )
    return cast(Encoded, encoded)


def numbers(scores: Any) -> np.ndarray:
    """Return a model's scores as float64.

    Raises:
        UsageError: the scores are masked, or not real numbers: numpy would convert many other types without an error.
    """
    if np.ma.is_masked(scores):
        raise UsageError("the model returned masked scores; they have to be real numbers")
    array = np.asarray(scores)
    if array.dtype.kind not in "fiu" and array.size:
        raise UsageError(f"the model returned scores of type {array.dtype.name}; they have to be real numbers")
    return array.astype(np.float64)


def words_answer(words: Sequence[str], scores: np.ndarray, top: Sequence[tuple[str, float]] = ()) -> Answer:
    """Return the answer to a text, or an error if there is not one probability for each word.

    Args:
        words: the words that were asked about.
        scores: the model's output, which has to be (words,), in [0, 1].
        top: the likeliest words and their probabilities.

    Raises:
        UsageError: the scores are not real numbers.
    """
    values = numbers(scores)
    if values.shape != (len(words),):
        return misshapen(values, "words", len(words))
    return answer_of(values.tolist(), tuple((str(word), float(score)) for word, score in top))


def answer_of(values: Sequence[float], top: tuple[tuple[str, float], ...] = ()) -> Answer:
    """Return an answer with some probabilities, or an error if one of them lies outside [0, 1].

    NaN and infinity are kept: the verdict reports them as invalid.

    Args:
        values: the probabilities.
        top: the likeliest words and their probabilities.
    """
    for value in values:
        if math.isfinite(value) and not -TOLERANCE <= value <= 1 + TOLERANCE:
            return Answer(error=f"the model returned {brief(value)}, which is no probability: it has to lie in [0, 1]")
    return Answer(tuple(np.clip(values, 0.0, 1.0).tolist() if np.isfinite(values).all() else values), top)


def misshapen(scores: np.ndarray, of: str, n: int) -> Answer:
    """Return the error for scores that are not a list of one for each text or word.

    Args:
        scores: the model's output.
        of: "texts" or "words".
        n: number of texts or words.
    """
    if scores.ndim == 1:
        return miscounted(len(scores), of, n)
    return Answer(error=f"the model returned scores of shape {scores.shape} for {n} {of}")


def miscounted(found: int, of: str, n: int) -> Answer:
    """Return the error for a wrong number of scores.

    Args:
        found: number of scores that the model returned.
        of: "texts" or "words".
        n: number of texts or words.
    """
    return Answer(error=f"the model returned {found} scores for {n} {of}")
