"""Estimates Shapley values from antithetic permutations that share the order of the costly players.

A permutation of the players gives each of them what the value gains when it joins those before it; the mean over all
permutations is the Shapley value. Here a round draws one order of the image players and many permutations that keep it:
each inserts the text players at places of its own. So a round encodes few pictures, and asks each with many texts. Each
permutation is asked backwards as well, which cancels all interactions of two players. Each permutation is uniform among
all, so that a round's mean is unbiased, and rounds are independent.

The variance is lowered with a surrogate, a cheap game that is fitted to the values known so far: a round's estimate is
corrected by the surrogate's own Shapley values minus the same round's estimate of them. The rounds are in two halves,
and each half is corrected by the surrogate that is fitted to the other, so that the estimate stays unbiased.

Source:
    Castro, Gomez and Tejada 2009 (permutations); Mitchell et al. 2022, arXiv:2104.12199 (antithetic ones); Witter, Liu
    and Musco 2025, arXiv:2506.11849 (regression adjustment).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from vlcheck.explain.mm_shap.shapley import HALVES, Game, ShapleyValues
from vlcheck.explain.mm_shap.surrogate import Surrogate, fit_surrogate

OF_SURROGATE = 128  # permutations of a surrogate, for each round, each forwards and backwards


@dataclass(frozen=True, eq=False)
class Round:
    """A round of permutations.

    Attributes:
        orders: the players in the order in which they join, (permutations, players).
        present: the coalitions along each permutation, (permutations, players + 1, players), bool.
        values: their values, (permutations, players + 1).
        control: permutations that estimate the Shapley values of a surrogate, (permutations, players).
    """

    orders: np.ndarray
    present: np.ndarray
    values: np.ndarray
    control: np.ndarray


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
        enough: asked after each second round whether to stop.
        per_round: number of permutations that share the order of the image players; each is asked backwards as well.
        seed: seed of the draws.
    """
    rng = np.random.default_rng(seed)
    base, full = game(np.array([[False], [True]]).repeat(texts + images, axis=1)).tolist()
    rounds: list[Round] = []
    for drawn in count(1):
        rounds.append(draw_round(game, rng, texts, images, per_round))
        if drawn % 2 == 0 and drawn >= 4:
            found = adjusted(rounds, texts)
            values = ShapleyValues(found.mean(axis=0), base, full, found, exact=False)
            if enough(values):
                return values
    raise AssertionError("count never ends")


def draw_round(game: Game, rng: np.random.Generator, texts: int, images: int, per_round: int) -> Round:
    """Draw a round of permutations, and ask the game along them.

    Args:
        game: the game.
        rng: the generator of the draws.
        texts: number of text players, which come first.
        images: number of image players.
        per_round: number of permutations that share the order of the image players.
    """
    orders = draw_orders(rng, texts, images, per_round)
    present = coalitions(orders)
    return Round(orders, present, along(game, present), draw_orders(rng, texts + images, 0, OF_SURROGATE))


def adjusted(rounds: Sequence[Round], texts: int) -> np.ndarray:
    """Return the estimate of each round, corrected by a surrogate that is fitted to other rounds: (rounds, players).

    The surrogate's own Shapley values are added to the estimate of those of the residual. The residual is estimated in
    two ways, each of them unbiased: one is good if it is smooth, the other if it is rough. Each half of the rounds
    gives the weights of the two for the other half.

    Args:
        rounds: an even number of rounds, at least 4.
        texts: number of text players, which come first.
    """
    parts = np.empty((3, len(rounds), rounds[0].orders.shape[1]))
    for half, other in (HALVES, HALVES[::-1]):
        surrogate = _taught_by(rounds[other], texts)
        parts[:, half] = np.array([_parts(one, surrogate) for one in rounds[half]]).swapaxes(0, 1)
    own, smooth, rough = parts
    found = np.empty_like(own)
    for half, other in (HALVES, HALVES[::-1]):
        weight = _best_weight(own[other] + smooth[other], own[other] + rough[other])
        found[half] = own[half] + weight * smooth[half] + (1 - weight) * rough[half]
    return found


def _taught_by(rounds: Sequence[Round], texts: int) -> Surrogate:
    present = np.vstack([one.present.reshape(-1, one.present.shape[-1]) for one in rounds])
    return fit_surrogate(present, np.concatenate([one.values.ravel() for one in rounds]), texts)


def _parts(one: Round, surrogate: Game) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the surrogate's Shapley values, and two estimates of those of what it leaves; (players,) each."""
    residual = one.values - along(surrogate, one.present)
    own = gains(one.control, along(surrogate, coalitions(one.control)))
    rough = pooled_differences(one.present, residual)
    return own.mean(axis=0), gains(one.orders, residual).mean(axis=0), rough.mean(axis=0)


def _best_weight(first: np.ndarray, second: np.ndarray) -> float:
    """Return the weight of the first of two estimates at which the variance over rounds is least, in [0, 1]."""
    first, second = first - first.mean(axis=0), second - second.mean(axis=0)
    apart = first - second
    return float(np.clip(-(apart * second).sum() / max((apart**2).sum(), np.finfo(float).tiny), 0, 1))


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


def coalitions(orders: np.ndarray) -> np.ndarray:
    """Return the coalitions along permutations, from none to all: (permutations, players + 1, players), bool."""
    present: np.ndarray = orders.argsort(axis=1)[:, None, :] < np.arange(orders.shape[1] + 1)[:, None]
    return present


def along(game: Game, present: np.ndarray) -> np.ndarray:
    """Return the values of a game along permutations, (permutations, players + 1).

    Args:
        game: the game.
        present: the coalitions along each permutation, (permutations, players + 1, players), bool.
    """
    return game(present.reshape(-1, present.shape[-1])).reshape(present.shape[:-1])


def gains(orders: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return what the value gains when each player joins those before it, (permutations, players).

    Args:
        orders: the players in the order in which they join, (permutations, players).
        values: the values along each permutation, (permutations, players + 1).
    """
    found = np.empty(orders.shape)
    np.put_along_axis(found, orders, np.diff(values, axis=1), axis=1)
    return found


def pooled_differences(present: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return how much higher the values are with each player than without it, (permutations, players).

    At each size, a coalition that has the player counts with 1 / size, one that lacks it with 1 / (players - size).
    Each value counts for all players; the mean over all permutations is the Shapley value, as that of `gains` is.

    Args:
        present: the coalitions along each permutation, (permutations, players + 1, players), bool.
        values: their values, (permutations, players + 1).

    Source:
        Witter, Liu and Musco 2025, arXiv:2506.11849, section 2 (maximum sample reuse).
    """
    players = present.shape[-1]
    size = present.sum(axis=-1, keepdims=True)
    weights = np.where(present, 1 / np.maximum(size, 1), -1 / np.maximum(players - size, 1))
    found: np.ndarray = (values[..., None] * weights).sum(axis=1)
    return found
