"""A cheap game that resembles a network's: the control variate of sampled Shapley values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NOISE = 1e-3  # variance that the surrogate leaves unexplained, as a share of that of the values
LEAST = 1e-6  # probabilities are taken for at least this, and at most 1 minus this, before their log-odds are taken
TAUGHT = 1500  # the most coalitions that a surrogate is fitted to, which bounds its time and memory


@dataclass(frozen=True, eq=False)
class Surrogate:
    """A Gaussian process over coalitions, on log-odds if the values are probabilities.

    Two coalitions resemble one another by exp(-a / texts - b / images), if a text players and b image players are
    present in only one of them.

    Attributes:
        taught: the coalitions that it was fitted to, (coalitions, players), bool.
        weights: their weights, (coalitions,).
        mean: the level without any of them.
        rates: distance between coalitions that differ in one player alone, by player, (players,).
        odds: whether levels are log-odds of values.
    """

    taught: np.ndarray
    weights: np.ndarray
    mean: float
    rates: np.ndarray
    odds: bool

    def __call__(self, present: np.ndarray) -> np.ndarray:
        level: np.ndarray = self.mean + likeness(present, self.taught, self.rates) @ self.weights
        return 1 / (1 + np.exp(-level)) if self.odds else level


def fit_surrogate(present: np.ndarray, values: np.ndarray, texts: int) -> Surrogate:
    """Fit a surrogate to the values of coalitions.

    Args:
        present: (coalitions, players), bool; the text players come first.
        values: (coalitions,).
        texts: number of text players.
    """
    taught, first = np.unique(present, axis=0, return_index=True)
    kept = np.sort(first)[:TAUGHT]
    taught, values = present[kept], values[kept]
    odds = bool((values >= 0).all() and (values <= 1).all())
    levels = _log_odds(values) if odds else values
    images = present.shape[1] - texts
    rates = np.repeat([1 / max(texts, 1), 1 / max(images, 1)], [texts, images])
    resembling = likeness(taught, taught, rates) + NOISE * np.eye(len(taught))
    weights = np.linalg.solve(resembling, levels - levels.mean())
    return Surrogate(taught, weights, float(levels.mean()), rates, odds)


def likeness(some: np.ndarray, others: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """Return how much coalitions resemble others, (some, others), in (0, 1].

    Args:
        some: (some, players), bool.
        others: (others, players), bool.
        rates: distance between coalitions that differ in one player alone, by player, (players,).
    """
    weighted, others = some * rates, others.astype(float)
    apart = weighted.sum(axis=1)[:, None] + others @ rates - 2 * weighted @ others.T
    found: np.ndarray = np.exp(-apart)
    return found


def _log_odds(values: np.ndarray) -> np.ndarray:
    clipped = values.clip(LEAST, 1 - LEAST)
    odds: np.ndarray = np.log(clipped) - np.log1p(-clipped)
    return odds
