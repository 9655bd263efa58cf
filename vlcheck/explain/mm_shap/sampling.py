"""Samples coalitions round by round, until the Shapley values that a regression on them gives are precise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vlcheck.explain.mm_shap.crossed import CrossedDesign
from vlcheck.explain.mm_shap.regression import KnownValues, Smoothness, best_smoothness, regress
from vlcheck.explain.mm_shap.shapley import Game, ShapleyValues

TOGETHER = 8  # rounds that are drawn before each further regression; with their complements, 16 pictures
CHOOSING = 32  # the most rounds from which the hyperparameters are chosen anew, which takes 30 regressions


def sample_rounds(
    game: Game,
    texts: int,
    images: int,
    *,
    enough: Callable[[ShapleyValues], bool],
    first: int = 24,
    per_round: int = 8,
    seed: int = 0,
) -> ShapleyValues:
    """Estimate the Shapley values of a game; rounds are drawn until there are enough.

    Args:
        game: the game; in its coalitions the text players come first.
        texts: number of text players, at least 1.
        images: number of image players, at least 1.
        enough: asked after the first rounds, and after every eighth round from there, whether to stop.
        first: number of rounds before the first regression.
        per_round: number of coalitions of tokens with each coalition of cells.
        seed: seed of the draws.
    """
    base, full = game(np.array([[False], [True]]).repeat(texts + images, axis=1)).tolist()
    design = CrossedDesign(np.random.default_rng(seed), texts, images, per_round)
    present = np.array([design.draw() for _ in range(first)])
    smoothness: Smoothness | None = None
    while True:
        known = KnownValues(present, odd_part(game, present), full - base, texts)
        if smoothness is None or len(present) <= CHOOSING:
            smoothness = best_smoothness(known)
        found = regress(known, smoothness)
        values = ShapleyValues(found.phi, base, full, found.rounds, exact=False)
        if enough(values):
            return values
        present = np.concatenate([present, [design.draw() for _ in range(TOGETHER)]])


def odd_part(game: Game, present: np.ndarray) -> np.ndarray:
    """Return half the value of each coalition less half that of its complement, in the shape of the coalitions.

    Args:
        game: the game; it is asked about all coalitions at once.
        present: coalitions, (..., players), bool.
    """
    flat = present.reshape(-1, present.shape[-1])
    values, complements = np.split(game(np.vstack([flat, ~flat])), 2)
    odd: np.ndarray = (values - complements).reshape(present.shape[:-1]) / 2
    return odd
