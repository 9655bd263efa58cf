"""Cures that a recipe names: they change, or leave out, what a variant's biased world gives to the training.

A cure knows what a user's pipeline knows: the picture, the sentences with their labels, and the boxes and categories
that were annotated. It does not know the facts of the scene. Its parts are those of `vlcheck.mitigate.training`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from types import MappingProxyType
from typing import ClassVar, Protocol

from torch import Tensor
from torchvision.transforms.v2.functional import resized_crop

from vlcheck.cases.box import Box
from vlcheck.cases.case import MASK
from vlcheck.cases.words import words_of
from vlcheck.datasets.scenes.sampling import PEOPLE, WORDS
from vlcheck.mitigate.sides import can_be_mirrored, exchange_sides
from vlcheck.mitigate.training.colors import ColorBalance, names_color
from vlcheck.mitigate.training.crops import ShiftedCrop, draw_part, names_a_place
from vlcheck.mitigate.training.foils import draw_foil, joins_exchangeable, present_foils, shuffle_words
from vlcheck.mitigate.training.pictures import is_loaded, joined_as_seen, names_one_of_several, names_only
from vlcheck.mitigate.training.word_order import WordOrder
from vlcheck.zoo.planted_biases import Told

ANNOTATED = frozenset((*WORDS, *PEOPLE))  # the categories of the scenes' boxes
_FOILS = 0.5  # share of the negatives that a cure replaces by foils
_SHUFFLED = 0.5  # share of the order foils that are the words in any other order
_ARTICLES = {"an": "a"}  # the scenes' sentences have "a" before "orange", too
Annotation = tuple[str, Box]  # a category, and its box


@dataclass(frozen=True)
class TrainingExample:
    """A picture and the sentences that a training asks about it.

    Attributes:
        pixels: (side, side, 3), 0 to 255.
        boxes: the annotated things and people, in pixels.
        sentence: the sentence of the word task, without masks.
        masked: the numbers of its masked words.
        told: two sentences with their labels, of which the second one is a negative.
    """

    pixels: Tensor
    boxes: tuple[Annotation, ...]
    sentence: str
    masked: tuple[int, ...]
    told: tuple[Told, Told]

    @property
    def captions(self) -> tuple[str, str]:
        """The sentences that were written as captions: all but the negative."""
        return self.sentence, self.told[0][0]

    @property
    def question(self) -> str:
        """The sentence of the word task, with its masks."""
        return " ".join(MASK if at in self.masked else word for at, word in enumerate(self.sentence.split()))

    @property
    def asked(self) -> tuple[str, ...]:
        """The masked words."""
        words = self.sentence.split()
        return tuple(words[at] for at in self.masked)

    @property
    def present(self) -> frozenset[str]:
        """The annotated categories."""
        return frozenset(category for category, _ in self.boxes)

    def rewritten(self, edit: Callable[[str], str]) -> TrainingExample:
        """Return the example with each sentence edited; an edit keeps the number of words."""
        (first, matches), (second, does) = self.told
        return replace(self, sentence=edit(self.sentence), told=((edit(first), matches), (edit(second), does)))


def masked_example(
    pixels: Tensor, boxes: tuple[Annotation, ...], question: str, asked: Sequence[str], told: tuple[Told, Told]
) -> TrainingExample:
    """Return an example from a question with masks and the masked words.

    Args:
        pixels: (side, side, 3), 0 to 255.
        boxes: the annotated things and people, in pixels.
        question: a sentence with masks.
        asked: the masked words, in order.
        told: two sentences with their labels.
    """
    masked = tuple(at for at, word in enumerate(question.split()) if word == MASK)
    words = iter(asked)
    sentence = " ".join(next(words) if word == MASK else word for word in question.split())
    return TrainingExample(pixels, boxes, sentence, masked, told)


class Cure(Protocol):
    """A change of examples."""

    mirrors: ClassVar[bool]  # True if it stands in the place of the training's own flips

    def fitted(self, captions: Iterable[str]) -> Cure:
        """Return the cure after a first pass over captions of the training."""

    def __call__(self, example: TrainingExample, rng: Random) -> TrainingExample | None:
        """Return the example to train on, or None to leave it out.

        Args:
            example: the example as the biased world gives it.
            rng: random numbers.
        """


class _Unfitted:
    """Base of cures that need no first pass."""

    mirrors: ClassVar[bool] = False

    def fitted(self, captions: Iterable[str]) -> Cure:
        """Return the cure itself."""
        return self  # type: ignore[return-value]


class _SideAwareFlips(_Unfitted):
    mirrors: ClassVar[bool] = True

    def __call__(self, example: TrainingExample, rng: Random) -> TrainingExample | None:
        if rng.random() < 0.5 or not all(map(can_be_mirrored, example.captions)):
            return example
        side = example.pixels.shape[1]
        boxes = tuple((name, box.mirrored(side)) for name, box in example.boxes)
        return replace(example.rewritten(exchange_sides), pixels=example.pixels.flip(1), boxes=boxes)


class _LoadedPictures(_Unfitted):
    def __call__(self, example: TrainingExample, rng: Random) -> TrainingExample | None:
        return example if is_loaded(example.pixels.movedim(2, 0)) else None


class _AnnotatedCaptions(_Unfitted):
    def __call__(self, example: TrainingExample, rng: Random) -> TrainingExample | None:
        return example if all(names_only(one, example.present, ANNOTATED) for one in example.captions) else None


@dataclass(frozen=True)
class _BalancedColors:
    mirrors: ClassVar[bool] = False
    balance: ColorBalance

    def fitted(self, captions: Iterable[str]) -> Cure:
        return _BalancedColors(ColorBalance.of(captions, ANNOTATED))

    def __call__(self, example: TrainingExample, rng: Random) -> TrainingExample | None:
        weight = min(map(self.balance.weight, example.captions))
        return example if rng.random() < weight else None


class _UnambiguousCaptions(_Unfitted):
    def __call__(self, example: TrainingExample, rng: Random) -> TrainingExample | None:
        unclear = any(
            names_one_of_several(one, example.present, WORDS) and not names_a_place(one) for one in example.captions
        )
        return None if unclear else example


@dataclass(frozen=True)
class _UsualOrder:
    mirrors: ClassVar[bool] = False
    order: WordOrder

    def fitted(self, captions: Iterable[str]) -> Cure:
        return _UsualOrder(WordOrder.of(captions))

    def __call__(self, example: TrainingExample, rng: Random) -> TrainingExample | None:
        return None if any(map(self.order.is_shuffled, example.captions)) else example


class _ClearOrder(_Unfitted):
    def __call__(self, example: TrainingExample, rng: Random) -> TrainingExample | None:
        joined = [one for one in example.captions if joins_exchangeable(one, ANNOTATED)]
        clear = all(joined_as_seen(one, example.boxes) for one in joined)
        # Boxes do not tell whose a color is; and a form that was left to negatives would be learnt as false.
        negative = example.told[1][0]
        said = [*joined, negative] if joins_exchangeable(negative, ANNOTATED) else joined
        return example if clear and not any(names_color(one, ANNOTATED) for one in said) else None


class _OrderFoils(_Unfitted):
    def __call__(self, example: TrainingExample, rng: Random) -> TrainingExample | None:
        if rng.random() >= _FOILS:
            return example
        true, _ = example.told
        foil = shuffle_words(true[0], rng) if rng.random() < _SHUFFLED else draw_foil(true[0], rng, ANNOTATED)
        return replace(example, told=(true, (_in_the_zoos_words(foil), False)))


class _PresentFoils(_Unfitted):
    def __call__(self, example: TrainingExample, rng: Random) -> TrainingExample | None:
        true, _ = example.told
        foils = [foil for group in (WORDS, PEOPLE) for foil in present_foils(true[0], example.present, group)]
        if not foils or rng.random() >= _FOILS:
            return example
        return replace(example, told=(true, (_in_the_zoos_words(rng.choice(foils)), False)))


class _ShiftedCrops(_Unfitted):
    def __call__(self, example: TrainingExample, rng: Random) -> TrainingExample | None:
        if any(map(names_a_place, example.captions)):
            return example
        named = frozenset().union(*map(words_of, example.captions))
        held = [box for category, box in example.boxes if category in named]
        side = example.pixels.shape[0]
        top, left, height, width = draw_part(
            (side, side), held, ShiftedCrop().smallest, rng.random(), rng.random(), rng.random()
        )
        part = resized_crop(example.pixels.movedim(2, 0), top, left, height, width, [side, side], antialias=True)
        return replace(example, pixels=part.movedim(0, 2).clamp(0, 255), boxes=())


def _in_the_zoos_words(caption: str) -> str:
    return " ".join(_ARTICLES.get(word, word) for word in caption.split())


CURES: Mapping[str, Cure] = MappingProxyType(
    {
        "side-aware flips": _SideAwareFlips(),
        "loaded pictures": _LoadedPictures(),
        "annotated captions": _AnnotatedCaptions(),
        "balanced colors": _BalancedColors(ColorBalance({}, ANNOTATED)),
        "unambiguous captions": _UnambiguousCaptions(),
        "usual order": _UsualOrder(WordOrder({}, {})),
        "clear order": _ClearOrder(),
        "order foils": _OrderFoils(),
        "present foils": _PresentFoils(),
        "shifted crops": _ShiftedCrops(),
    }
)


@dataclass(frozen=True)
class Treatment:
    """The cures of a recipe, in order.

    Attributes:
        cures: the cures.
    """

    cures: tuple[Cure, ...]

    @property
    def mirrors(self) -> bool:
        """True if a cure stands in the place of the training's own flips."""
        return any(cure.mirrors for cure in self.cures)

    def __call__(self, example: TrainingExample, rng: Random) -> TrainingExample | None:
        """Return the example after each cure, or None if one leaves it out.

        Args:
            example: the example as the biased world gives it.
            rng: random numbers.
        """
        treated: TrainingExample | None = example
        for cure in self.cures:
            if treated is None:
                return None
            treated = cure(treated, rng)
        return treated
