"""Draws coalitions in a crossed design: few coalitions of cells, each with several coalitions of tokens.

To encode a picture takes as long as to score dozens of texts with it. So a round has one coalition of cells, and
several coalitions of tokens with it. The coalitions of cells are chosen so that they tell the effects of single cells
apart.
"""

from __future__ import annotations

import math

import numpy as np

CANDIDATES = 64  # coalitions of cells of which a round takes the best
GOLDEN = (math.sqrt(5) - 1) / 2  # multiples of it, modulo 1, are spread evenly however many there are


class CrossedDesign:
    """The rounds of a crossed design, one after the other.

    The share of players that are present is spread over the rounds with a density proportional to 1 / (u (1 - u)), as
    the weights of KernelSHAP are. The cells of a round are drawn at random, several times, and the draw is kept that is
    the least like a weighted sum of those before (a greedy D-optimal design of the cells' single effects). All cells
    have the same chances, and all tokens have.

    Args:
        rng: the generator of the draws.
        texts: number of text players, at least 1.
        images: number of image players, at least 1.
        per_round: number of coalitions of tokens in a round.

    Source:
        Lundberg and Lee 2017, arXiv:1705.07874, theorem 2 (the weights); Fedorov 1972 (D-optimal designs).
    """

    def __init__(self, rng: np.random.Generator, texts: int, images: int, per_round: int) -> None:
        self.rng, self.texts, self.images, self.per_round = rng, texts, images, per_round
        self._place = float(rng.random())
        self._information = np.eye(images)

    def draw(self) -> np.ndarray:
        """Return the coalitions of the next round, (per_round, players), bool; the text players come first."""
        share = self._next_share()
        cells = self._cells(share)
        return np.hstack([self._tokens(share), np.tile(cells, (self.per_round, 1))])

    def _next_share(self) -> float:
        self._place = (self._place + GOLDEN) % 1
        log_odds = (2 * self._place - 1) * math.log(self.texts + self.images - 1)
        return 1 / (1 + math.exp(-log_odds))

    def _cells(self, share: float) -> np.ndarray:
        size = int(share * self.images + self.rng.random())
        drawn = self.rng.random((CANDIDATES, self.images)).argsort(axis=1) < size
        signs = np.where(drawn, 1.0, -1.0)
        gained = ((signs @ np.linalg.inv(self._information)) * signs).sum(axis=1)
        best = int(gained.argmax())
        self._information += np.outer(signs[best], signs[best])
        cells: np.ndarray = drawn[best]
        return cells

    def _tokens(self, share: float) -> np.ndarray:
        """Draw coalitions in which each token is present as often as the others, or once more."""
        n = self.per_round
        places = self.rng.permuted(np.tile(np.arange(n), (self.texts, 1)), axis=1)
        tokens: np.ndarray = ((places + self.rng.random(places.shape)) / n < share).T
        return tokens
