"""`calibrated:SPEC`: each answer is divided by the model's blind prior, its answer about a picture without content.

With p the answer about the picture, q that about a grey picture without content, both to the same question, and q at
least 0.01:

- words at a mask, and texts that are compared: s_i = (p_i / q_i) / sum_j (p_j / q_j), over all words or texts of the
  question. P(word) so becomes a share among the words asked: the kind of score is `candidates`.
- image-text matching of a text on its own: the same over the two answers match and no match, so that
  logit(s) = logit(p) - logit(q).

Source: contextual calibration, Zhao et al. 2021, arXiv:2102.09690, whose input without content is a text.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import accumulate
from typing import ClassVar

import numpy as np
from PIL import Image

from vlcheck.errors import NotApplicable, UsageError
from vlcheck.metrics.definition import Encoded
from vlcheck.metrics.itm import IN_WORDS, AnswersYesNo, Thinks, YesNo
from vlcheck.metrics.kinds import ANY
from vlcheck.metrics.mlm import NamesClasses, NamesWords
from vlcheck.metrics.model_output import encode_images, numbers
from vlcheck.metrics.query import Query
from vlcheck.metrics.registry import KINDS, RELATIVE
from vlcheck.mitigate.wrapper import Wrapper
from vlcheck.models.protocol import StatesSymmetry, VisionLanguageModel, sees_pictures

GREY = (124, 116, 104)  # ImageNet's mean color, which most networks subtract: they are given 0 everywhere
SIDE = 224  # pixels; a square of one color is its own mirror image
LEAST = 0.01  # smaller priors are noise, and would make an unlikely word the likeliest: at most a hundredfold


@dataclass(frozen=True, eq=False)
class EncodedBesideBlank:
    """Pictures that the wrapped model encoded.

    Attributes:
        own: the pictures.
        masses: the probability that one of the words occurs that were asked about last, by the texts of the call.
    """

    own: Encoded
    masses: dict[tuple[str, ...], list[float]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.own)

    def __getitem__(self, index: Sequence[int]) -> EncodedBesideBlank:
        return EncodedBesideBlank(self.own[index])


class Calibrated(Wrapper):
    """A model whose answers are divided by those about a grey picture, at the cost of a second pass over each text.

    Args:
        model: the model that is asked.

    Raises:
        UsageError: the model sees no pictures, or none of its metrics has a blind prior.

    Example:
        >>> from vlcheck import load_model
        >>> model = Calibrated(load_model("tiny"))
        >>> model.name, model.kinds["mlm"], model.kinds["itm"]
        ('calibrated:tiny', 'candidates', 'match-head')
    """

    title: ClassVar[str] = "calibrated"
    version: ClassVar[int] = 1
    known: ClassVar[Sequence[str]] = ("calibrated:tiny",)
    says: ClassVar[str] = "each answer is divided by the one about a grey picture without content"
    why_no_gradients: ClassVar[str] = "each score is a ratio of two forward passes, about two pictures"
    kinds: Mapping[str, str] = {"mlm": "candidates", "itm": "as wrapped"}

    def __init__(self, model: VisionLanguageModel) -> None:
        lacking = {metric: why for metric, kind in model.kinds.items() if (why := _why_not(metric, kind))}
        if not sees_pictures(model):
            raise UsageError(f"calibrated: {model.name} sees no pictures: all its answers are its blind prior.")
        if not model.metrics - lacking.keys():
            said = "; ".join(f"{metric}: {why}" for metric, why in lacking.items())
            raise UsageError(
                f"calibrated: {model.name} has no metric with a blind prior ({said}). Accepted: a model with itm, or"
                " with mlm that reads the text."
            )
        kinds = {metric: kind for metric, kind in model.kinds.items() if metric not in lacking}
        kinds |= {"mlm": "candidates"} if "mlm" in kinds else {}
        super().__init__(model, kinds, (str(GREY), str(SIDE), str(LEAST)), lacking)
        # This model has the optional methods that the wrapped one has, and no others.
        if isinstance(model, AnswersYesNo):
            self.answers = partial(self._answers, model)
        if isinstance(model, Thinks):
            self.cut_thoughts = partial(_cut_thoughts, model)
        if isinstance(model, NamesClasses):
            self.can_name = model.can_name
        if isinstance(model, StatesSymmetry):
            self.symmetric = partial(_symmetric, model, self.metrics)

    def encode(self, images: Sequence[Image.Image]) -> EncodedBesideBlank:
        """Encode pictures; the picture without content is encoded once, when it is first needed."""
        return EncodedBesideBlank(encode_images(self.model, images))

    def itm(self, encoded: Encoded, texts: Sequence[str], foils: Sequence[Sequence[str]] | None = None) -> np.ndarray:
        own = _own(encoded).own
        if self.kinds["itm"] in RELATIVE and foils is not None:
            return self._shares_among_texts(own, texts, foils)
        if isinstance(self.model, AnswersYesNo) and self.kinds["itm"] in IN_WORDS:
            return self._answers(self.model, encoded, texts).share
        scores = numbers(self.model.itm(own, texts, foils))
        if scores.shape != (len(texts),):  # the metric says what is wrong
            return scores
        return against_prior(scores, numbers(self.model.itm(self._blank(len(texts)), texts, foils)))

    def mlm(self, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """Return the share of each word among the words of its text.

        Args:
            encoded: n pictures.
            texts: n texts, each with "[MASK]" once.
            words: n lists of at least two different words.

        Raises:
            NotApplicable: a text is asked with a single word, whose share would always be 1.
        """
        if any(len({*asked}) == 1 for asked in words):
            raise NotApplicable("the model only compares words, and no other is known to be false")
        beside = _own(encoded)
        scores = [*map(numbers, self.model.mlm(beside.own, texts, words))]
        priors = map(numbers, self.model.mlm(self._blank(len(texts)), texts, words))
        beside.masses[tuple(texts)] = [_mass(*answer) for answer in zip(words, scores, strict=False)]
        return [
            shares_against_priors(own, prior, words[row])
            for row, (own, prior) in enumerate(zip(scores, priors, strict=True))
        ]

    def top(self, encoded: Encoded, texts: Sequence[str], k: int) -> list[list[tuple[str, float]]]:
        """Return the probability, without calibration, that one of the words occurs that were compared last.

        Args:
            encoded: n pictures.
            texts: n texts, each with "[MASK]" once.
            k: number of words for each text, for a model that names words.
        """
        beside = _own(encoded)
        if self.model.kinds.get("mlm") == "candidates":  # its scores are shares already; it may know the probability
            return self.model.top(beside.own, texts, k) if isinstance(self.model, NamesWords) else [[] for _ in texts]
        masses = beside.masses.get(tuple(texts))
        return [[(ANY, mass)] for mass in masses] if masses else [[] for _ in texts]

    def _answers(self, model: AnswersYesNo, encoded: Encoded, texts: Sequence[str]) -> YesNo:
        """Return P("yes") and P("no"), whose sum is that of the model, and whose ratio is calibrated."""
        answers = YesNo(*map(numbers, model.answers(_own(encoded).own, texts)))
        prior = YesNo(*map(numbers, model.answers(self._blank(len(texts)), texts)))
        mass, share = answers.yes + answers.no, against_prior(answers.share, prior.share)
        return YesNo(mass * share, mass * (1 - share))

    def _shares_among_texts(self, own: Encoded, texts: Sequence[str], foils: Sequence[Sequence[str]]) -> np.ndarray:
        """Return the share of each text among itself and its foils; all of them are asked about, in one call."""
        sets = [tuple(dict.fromkeys([text, *against])) for text, against in zip(texts, foils, strict=True)]
        rows = [row for row, told in enumerate(sets) for _ in told]
        asked = [text for told in sets for text in told]
        others = [tuple(other for other in told if other != text) for told in sets for text in told]
        scores = numbers(self.model.itm(own[rows], asked, others))
        priors = numbers(self.model.itm(self._blank(len(rows)), asked, others))
        ends = [*accumulate(map(len, sets))][:-1]
        each = zip(sets, np.split(scores, ends), np.split(priors, ends), strict=True)
        return np.array([shares_against_priors(own, prior, told)[0] for told, own, prior in each])

    def _blank(self, n: int) -> Encoded:
        """Return the picture without content, encoded, n times."""
        return self._encoded_blank[[0] * n]

    @cached_property
    def _encoded_blank(self) -> Encoded:
        return encode_images(self.model, [Image.new("RGB", (SIDE, SIDE), GREY)])


def _why_not(metric: str, kind: str) -> str:
    """Return the reason why a metric is not calibrated; "" if it is."""
    if metric == "mrc":
        return "a picture without content has no regions"
    return "" if KINDS[kind].reads_text else f"{kind} reads no text, which the prior would be of"


def _symmetric(model: StatesSymmetry, metrics: Collection[str], query: Query) -> Query | None:
    """Return the query that the wrapped model answers alike; the picture without content is its own mirror image."""
    return model.symmetric(query) if query.metric in metrics else None


def against_prior(scores: np.ndarray, priors: np.ndarray) -> np.ndarray:
    """Return P(match) whose odds are divided by those of the prior.

    Args:
        scores: P(match), (n,), in [0, 1].
        priors: P(match) of the picture without content, (n,), in [0, 1].

    Example:
        >>> against_prior(np.array([0.5, 0.9]), np.array([0.9, 0.9])).round(6)
        array([0.1, 0.5])
    """
    prior = np.clip(priors, LEAST, 1 - LEAST)
    match, other = scores / prior, (1 - scores) / (1 - prior)
    calibrated: np.ndarray = match / (match + other)
    return calibrated


def shares_against_priors(scores: np.ndarray, priors: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Return the scores divided by their priors, as shares of the sum over different names.

    Args:
        scores: probabilities of the names, (n,).
        priors: probabilities of the names for the picture without content, (n,).
        names: the words or texts.

    Returns:
        Shares, (n,); all equal if all scores are 0.

    Example:
        >>> shares_against_priors(np.array([0.6, 0.3]), np.array([0.8, 0.1]), ["left", "right"])
        array([0.2, 0.8])
    """
    if not scores.shape == priors.shape == (len(names),):
        return scores  # the metric says what is wrong with them
    ratios = scores / np.maximum(priors, LEAST)
    total = sum(dict(zip(names, ratios.tolist(), strict=True)).values())
    return np.full(len(names), 1 / len({*names})) if total == 0 else ratios / total


def _mass(words: Sequence[str], scores: np.ndarray) -> float:
    """Return the probability that one of some words occurs; words of several pieces may sum to more than 1."""
    return min(1.0, float(sum(dict(zip(words, scores.tolist(), strict=False)).values())))


def _cut_thoughts(model: Thinks, encoded: Encoded, texts: Sequence[str]) -> Sequence[bool]:
    return model.cut_thoughts(_own(encoded).own, texts)


def _own(encoded: Encoded) -> EncodedBesideBlank:
    if not isinstance(encoded, EncodedBesideBlank):
        raise TypeError(f"a calibrated model needs pictures that it encoded itself, not {type(encoded).__name__}")
    return encoded
