"""Captions whose words are shuffled, found by the pairs of neighbors that are usual in all captions."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from vlcheck.cases.words import tokenize

_EDGE = ""  # stands before the first word and after the last one
_ORDERS = 60  # random orders that a caption is compared with
_MOST = 0.05  # the largest share of them that may be more usual than a caption's own order
_SMOOTHING = 0.1  # is added to each count, so that no pair of neighbors is impossible
Neighbors = tuple[str, str]


@dataclass(frozen=True)
class WordOrder:
    """Finds captions whose words are in no usual order, by a bigram model of all captions.

    It needs no grammar. Shuffled captions may be among those that it counts, as long as most captions are in order.

    Attributes:
        neighbors: number of occurrences of each pair of neighboring words.
        words: number of occurrences of each word as the first of a pair.

    Example:
        >>> order = WordOrder.of(["a photo of a red ball", "a photo of a blue box", "a red box on a blue ball"])
        >>> order.is_shuffled("a photo of a red box"), order.is_shuffled("of red a box photo a")
        (False, True)
    """

    neighbors: Mapping[Neighbors, int]
    words: Mapping[str, int]

    @classmethod
    def of(cls, captions: Iterable[str]) -> WordOrder:
        """Count the neighboring words of captions.

        Args:
            captions: all captions, or a random sample of them.
        """
        neighbors = Counter(pair for caption in captions for pair in _neighbors(_words(caption)))
        words: Counter[str] = Counter()
        for (first, _), count in neighbors.items():
            words[first] += count
        return cls(neighbors, words)

    def is_shuffled(self, caption: str) -> bool:
        """Return True if more than one in twenty random orders of a caption's words is more usual than its own."""
        words, rng = _words(caption), Random(caption)
        own = self._log_likelihood(words) + 1e-9  # an order that differs in equal words alone is not more usual
        more_usual = sum(self._log_likelihood(rng.sample(words, len(words))) > own for _ in range(_ORDERS))
        return more_usual > _MOST * _ORDERS

    def _log_likelihood(self, words: Sequence[str]) -> float:
        return sum(map(self._log_probability, _neighbors(words)))

    def _log_probability(self, pair: Neighbors) -> float:
        known = _SMOOTHING * len(self.words)
        return math.log((self.neighbors.get(pair, 0) + _SMOOTHING) / (self.words.get(pair[0], 0) + known))


def _words(caption: str) -> list[str]:
    return [token.word for token in tokenize(caption)]


def _neighbors(words: Sequence[str]) -> Iterator[Neighbors]:
    return pairwise([_EDGE, *words, _EDGE])
