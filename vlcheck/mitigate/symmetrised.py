"""`symmetrised:SPEC`: each answer is the mean of a model's answers about a picture and about its mirror image.

With I' the mirrored picture, and t' and w' the text and the word with left and right exchanged, the score of every kind
is

    s(I, t, w) = (p(I, t, w) + p(I', t', w')) / 2,

a mean of probabilities, not of logits, so that shares among words or texts still sum to 1. The answers yes and no of a
yes-no model are averaged first; P(match) is then the share of yes.

A text that cannot be mirrored (see `vlcheck.mitigate.sides.can_be_mirrored`) is asked about the picture as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import numpy as np
from PIL import Image, ImageOps

from vlcheck.cases.image_notes import Ablation, ablation_of, note_ablation
from vlcheck.cases.picture import Picture
from vlcheck.metrics.definition import Encoded
from vlcheck.metrics.itm import IN_WORDS, AnswersYesNo, Thinks, YesNo
from vlcheck.metrics.mlm import NamesClasses, NamesWords
from vlcheck.metrics.model_output import encode_images, numbers
from vlcheck.metrics.mrc import ClassifiesRegions
from vlcheck.metrics.query import Query
from vlcheck.metrics.registry import METRICS
from vlcheck.mitigate.sides import (
    exchange_sides,
    lexicons_key,
    mirrored_template,
    mirrored_texts,
)
from vlcheck.mitigate.wrapper import Wrapper
from vlcheck.models.protocol import VisionLanguageModel
from vlcheck.perturb.image import Mirror

_NAMED = 50  # likeliest words that are taken of each of the two answers


@dataclass(frozen=True, eq=False)
class EncodedTwice:
    """Pictures and their mirror images, encoded by the wrapped model.

    Attributes:
        own: the pictures.
        mirrored: their mirror images, in the same order.
    """

    own: Encoded
    mirrored: Encoded

    def __len__(self) -> int:
        return len(self.own)

    def __getitem__(self, index: Sequence[int]) -> EncodedTwice:
        return EncodedTwice(self.own[index], self.mirrored[index])


@dataclass(frozen=True)
class _Mirrored:
    """The questions of a batch that can be mirrored.

    Attributes:
        rows: their rows in the batch.
        texts: their texts, with sides exchanged.
        words: their words or foils, with sides exchanged.
    """

    rows: list[int]
    texts: tuple[str, ...]
    words: tuple[tuple[str, ...], ...]

    @classmethod
    def templates(cls, texts: Sequence[str], words: Iterable[Sequence[str]]) -> _Mirrored:
        """Return the questions about words, or about a text alone."""
        return cls._of([mirrored_template(*asked) for asked in zip(texts, words, strict=True)])

    @classmethod
    def compared(cls, texts: Sequence[str], foils: Sequence[Sequence[str]]) -> _Mirrored:
        """Return the questions that compare a text with its foils."""
        found = [mirrored_texts([text, *against]) for text, against in zip(texts, foils, strict=True)]
        return cls._of([(texts[0], texts[1:]) if texts else None for texts in found])

    @classmethod
    def _of(cls, found: Sequence[tuple[str, tuple[str, ...]] | None]) -> _Mirrored:
        kept = {row: asked for row, asked in enumerate(found) if asked}
        return cls([*kept], tuple(text for text, _ in kept.values()), tuple(words for _, words in kept.values()))


class Symmetrised(Wrapper):
    """A model that answers about a picture and its mirror image alike, at the cost of two forward passes for each.

    Args:
        model: the model that is asked.

    Example:
        >>> from vlcheck import load_model
        >>> model = Symmetrised(load_model("tiny"))
        >>> model.name, sorted(model.metrics)
        ('symmetrised:tiny', ['itm', 'mlm'])
    """

    title: ClassVar[str] = "symmetrised"
    version: ClassVar[int] = 1
    known: ClassVar[Sequence[str]] = ("symmetrised:tiny",)
    says: ClassVar[str] = (
        "each answer is the mean of those about the picture and about its mirror image, with left and right exchanged"
    )
    why_no_gradients: ClassVar[str] = "each score is the mean of two forward passes, about two pictures"

    def __init__(self, model: VisionLanguageModel) -> None:
        super().__init__(model, model.kinds, (lexicons_key(),))
        # This model has the optional methods that the wrapped one has, and no others.
        if isinstance(model, AnswersYesNo):
            self.answers = partial(_answers, model)
        if isinstance(model, Thinks):
            self.cut_thoughts = partial(_cut_thoughts, model)
        if isinstance(model, NamesWords):
            self.top = partial(_top, model)
        if isinstance(model, NamesClasses):
            self.can_name = partial(_can_name, model)
        if isinstance(model, ClassifiesRegions):
            self.mrc = partial(_scores_of_words, model.mrc)

    def symmetric(self, query: Query) -> Query | None:
        """Return the query about the mirrored picture; None if the text cannot be mirrored."""
        if query.metric not in self.metrics:
            return None
        if METRICS[query.metric].compares_texts:
            texts = mirrored_texts([query.text, *query.words])
            found = (texts[0], texts[1:]) if texts else None
        else:
            found = mirrored_template(query.text, query.words)
        return Query(query.metric, mirrored_picture(query.picture), *found) if found else None

    def encode(self, images: Sequence[Image.Image]) -> EncodedTwice:
        """Encode pictures and their mirror images, in a batch each."""
        mirrored = [mirror(image) for image in images]
        return EncodedTwice(encode_images(self.model, images), encode_images(self.model, mirrored))

    def itm(self, encoded: Encoded, texts: Sequence[str], foils: Sequence[Sequence[str]] | None = None) -> np.ndarray:
        if isinstance(self.model, AnswersYesNo) and self.kinds["itm"] in IN_WORDS:
            return _answers(self.model, encoded, texts).share
        both, asked = _both(encoded), _Mirrored.compared(texts, foils or [()] * len(texts))
        scores = numbers(self.model.itm(both.own, texts, foils))
        if asked.rows and scores.shape == (len(texts),):  # else the metric says what is wrong with the scores
            others = self.model.itm(both.mirrored[asked.rows], asked.texts, asked.words if foils is not None else None)
            scores[asked.rows] = _mean(scores[asked.rows], numbers(others))
        return scores

    def mlm(self, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        return _scores_of_words(self.model.mlm, encoded, texts, words)


def _scores_of_words(
    ask: Callable[[Encoded, Sequence[str], Sequence[Sequence[str]]], Sequence[np.ndarray]],
    encoded: Encoded,
    texts: Sequence[str],
    words: Sequence[Sequence[str]],
) -> list[np.ndarray]:
    """Return the mean scores of each text's words.

    Args:
        ask: the method of the wrapped model.
        encoded: n pictures.
        texts: n texts.
        words: n lists of words.
    """
    both, asked = _both(encoded), _Mirrored.templates(texts, words)
    scores = [*map(numbers, ask(both.own, texts, words))]
    if asked.rows and len(scores) == len(texts):  # else the metric says what is wrong with the scores
        others = ask(both.mirrored[asked.rows], asked.texts, asked.words)
        for row, other in zip(asked.rows, others, strict=True):
            scores[row] = _mean(scores[row], numbers(other))
    return scores


def _answers(model: AnswersYesNo, encoded: Encoded, texts: Sequence[str]) -> YesNo:
    """Return the means of P("yes") and of P("no")."""
    both, asked = _both(encoded), _Mirrored.compared(texts, [()] * len(texts))
    yes, no = map(numbers, model.answers(both.own, texts))
    if asked.rows:
        others = model.answers(both.mirrored[asked.rows], asked.texts)
        for own, other in zip((yes, no), others, strict=True):
            own[asked.rows] = _mean(own[asked.rows], numbers(other))
    return YesNo(yes, no)


def _top(model: NamesWords, encoded: Encoded, texts: Sequence[str], k: int) -> list[list[tuple[str, float]]]:
    """Return the k likeliest words by the mean of both probabilities.

    A word that is not among the first 50 of one of the two answers counts as 0 there.
    """
    both, asked = _both(encoded), _Mirrored.templates(texts, [()] * len(texts))
    tops = [[*own] for own in model.top(both.own, texts, max(k, _NAMED))]
    if asked.rows and len(tops) == len(texts):
        others = model.top(both.mirrored[asked.rows], asked.texts, max(k, _NAMED))
        for row, other in zip(asked.rows, others, strict=True):
            tops[row] = _merged(tops[row], other)
    return [own[:k] for own in tops]


def _can_name(model: NamesClasses, word: str) -> bool:
    """Return True if the model can name the word and, of a side, the other side."""
    return model.can_name(word) and model.can_name(exchange_sides(word))


def mirror(image: Image.Image) -> Image.Image:
    """Mirror a picture, and the note of the regions that were removed from it."""
    mirrored, ablation = ImageOps.mirror(image), ablation_of(image)
    if ablation:
        width = ablation.original.width
        boxes = tuple(box.mirrored(width) for box in ablation.boxes)
        note_ablation(mirrored, Ablation(mirror(ablation.original), boxes))
    return mirrored


def mirrored_picture(picture: Picture) -> Picture:
    """Return the mirrored picture, without a mirror that would undo another one.

    Example:
        >>> from vlcheck.perturb import Solid
        >>> picture = Picture(Solid((64, 48), (200, 0, 0)))
        >>> mirrored_picture(mirrored_picture(picture)) == picture
        True
    """
    if picture.edits and picture.edits[-1] == Mirror():
        return replace(picture, edits=picture.edits[:-1])
    return picture.then(Mirror())


def _cut_thoughts(model: Thinks, encoded: Encoded, texts: Sequence[str]) -> Sequence[bool]:
    """Return whether the thoughts about the pictures were cut; those about the mirror images are not counted."""
    return model.cut_thoughts(_both(encoded).own, texts)


def _both(encoded: Encoded) -> EncodedTwice:
    if not isinstance(encoded, EncodedTwice):
        raise TypeError(f"a symmetrised model needs pictures that it encoded itself, not {type(encoded).__name__}")
    return encoded


def _mean(own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the mean of two arrays of one shape. Raises ValueError if the shapes differ."""
    if own.shape != other.shape:
        raise ValueError(f"the model returned {len(own)} scores for a picture, and {len(other)} for its mirror image")
    mean: np.ndarray = (own + other) / 2
    return mean


def _merged(own: Sequence[tuple[str, float]], mirrored: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """Return the words of both lists with the means of their probabilities, the likeliest first."""
    sums: defaultdict[str, float] = defaultdict(float)
    for word, score in (*own, *((exchange_sides(word), score) for word, score in mirrored)):
        sums[word] += score
    return sorted(((word, total / 2) for word, total in sums.items()), key=lambda pair: (-pair[1], pair[0]))
