"""Estimates Shapley values from antithetic permutations that share the order of the costly players.

A permutation of the players gives each of them what the value gains when it joins those before it; the mean over all
permutations is the Shapley value. Here a round draws one order of the image players and many permutations that keep it:
each inserts the text players at places of its own. So a round encodes few pictures, and asks each with many texts. Each
permutation is asked backwards as well, which cancels all interactions of two players. Each permutation is uniform among
all, so that a round's mean is unbiased, and rounds are independent.

Source:
    Castro, Gomez and Tejada 2009 (permutations); Mitchell et al. 2022, arXiv:2104.12199 (antithetic ones).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import numpy as np

from vlcheck.explain.mm_shap.shapley import Game, ShapleyValues


def sample_rounds(
    game: Game,
    texts: int,
    images: int,
    *,
    enough: Callable[[ShapleyValues], bool],
    per_round: int = 8,
    seed: int = 0,
) -> ShapleyValues:
    """Estimate the Shapley values of a game; rounds are drawn until there are enough.

    Args:
        game: the game; in its coalitions the text players come first.
        texts: number of text players.
        images: number of image players.
        enough: asked after each round but the first whether to stop.
        per_round: number of permutations that share the order of the image players; each is asked backwards as well.
        seed: seed of the draws.
    """
    rng = np.random.default_rng(seed)
    base, full = game(np.array([[False], [True]]).repeat(texts + images, axis=1)).tolist()
    rounds: list[np.ndarray] = []
    for drawn in count(1):
        orders = draw_orders(rng, texts, images, per_round)
        rounds.append(gains(game, orders).mean(axis=0))
        if drawn > 1:
            found = np.array(rounds)
            values = ShapleyValues(found.mean(axis=0), base, full, found, exact=False)
            if enough(values):
                return values
    raise AssertionError("count never ends")


def draw_orders(rng: np.random.Generator, texts: int, images: int, per_round: int) -> np.ndarray:
    """Return a round's permutations and their reverses, (2 * per_round, players).

    Players arrive in the order of times that are uniform in [0, 1]. The image players keep their times. The times of a
    text player are one in each of `per_round` equal parts of [0, 1], so that it arrives early in some permutations and
    late in others.

    Args:
        rng: the generator of the draws.
        texts: number of text players, which come first.
        images: number of image players.
        per_round: number of permutations.
    """
    parts = rng.permuted(np.tile(np.arange(per_round), (texts, 1)), axis=1)
    text_times = ((parts + rng.random(parts.shape)) / per_round).T
    image_times = np.tile(rng.random(images), (per_round, 1))
    orders = np.hstack([text_times, image_times]).argsort(axis=1)
    return np.vstack([orders, orders[:, ::-1]])


def gains(game: Game, orders: np.ndarray) -> np.ndarray:
    """Return what the value gains when each player joins those before it, (permutations, players).

    Args:
        game: the game.
        orders: the players in the order in which they join, (permutations, players).
    """
    permutations, players = orders.shape
    places = orders.argsort(axis=1)
    present = places[:, None, :] < np.arange(players + 1)[:, None]
    values = game(present.reshape(-1, players)).reshape(permutations, players + 1)
    found = np.empty((permutations, players))
    np.put_along_axis(found, orders, np.diff(values, axis=1), axis=1)
    return found
