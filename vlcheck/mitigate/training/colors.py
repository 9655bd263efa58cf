"""Sampling that unbinds colors from things: where every banana is yellow, a model learns bananas by their color."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from vlcheck.cases.words import tokenize
from vlcheck.mitigate.training.vocabulary import color_words, thing_words

Binding = tuple[str, str]  # a thing and its color


@dataclass(frozen=True)
class ColorBalance:
    """Weights of captions by which each thing is drawn equally often in each of its colors.

    Give them to `torch.utils.data.WeightedRandomSampler`, or keep a pair with its weight as the probability. A color
    that a thing never has in the captions cannot be drawn: nothing here invents one.

    Attributes:
        counts: number of captions by thing and color.
        things: the words for things.

    Example:
        >>> captions = ["a red ball"] * 3 + ["a blue ball", "a dog"]
        >>> balance = ColorBalance.of(captions)
        >>> [round(balance.weight(caption), 2) for caption in captions]
        [0.33, 0.33, 0.33, 1.0, 1.0]
    """

    counts: Mapping[Binding, int]
    things: frozenset[str]

    @classmethod
    def of(cls, captions: Iterable[str], things: Collection[str] | None = None) -> ColorBalance:
        """Count the colors of things.

        Args:
            captions: all captions, or a random sample of them.
            things: the words for things; None stands for those of the shipped lexicons.
        """
        known = thing_words() if things is None else frozenset(things)
        return cls(Counter(binding for caption in captions for binding in colored(caption, known)), known)

    def weight(self, caption: str) -> float:
        """Return the weight of a caption, in (0, 1]; 1 if it names no colored thing."""
        return min((self._share(binding) for binding in colored(caption, self.things)), default=1.0)

    def _share(self, binding: Binding) -> float:
        """Return the count of a thing's rarest color, as a share of that of this color."""
        if binding not in self.counts:
            return 1.0
        return min(count for (thing, _), count in self.counts.items() if thing == binding[0]) / self.counts[binding]


def colored(caption: str, things: Collection[str]) -> Iterator[Binding]:
    """Yield each thing of a caption with the color directly before it.

    Args:
        caption: the caption.
        things: the words for things.
    """
    tokens, colors = tokenize(caption), color_words()
    for color, thing in pairwise(tokens):
        if color.word in colors and thing.word in things and color.gap.isspace():
            yield thing.word, color.word


def names_color(caption: str, things: Collection[str]) -> bool:
    """Return True if a caption names the color of a thing.

    Args:
        caption: the caption.
        things: the words for things.
    """
    return any(True for _ in colored(caption, things))
