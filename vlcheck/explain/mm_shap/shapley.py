"""Shapley values of any game, exact or estimated.

A game is a function from coalitions, (coalitions, players) bool, to their values, (coalitions,) float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Game = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class ShapleyValues:
    """The Shapley values of a game; their sum is exactly the value of all players minus that of none.

    Attributes:
        phi: (players,), float64.
        base: the value of no player.
        full: the value of all players.
        rounds: (rounds, players): estimates whose mean `phi` is, and whose spread shows its error; a single round if
            it is exact.
        exact: whether all coalitions were asked.
    """

    phi: np.ndarray
    base: float
    full: float
    rounds: np.ndarray
    exact: bool

    @property
    def standard_error(self) -> np.ndarray:
        """The standard error of each value, (players,); 0 if they are exact."""
        n = len(self.rounds)
        return np.zeros_like(self.phi) if self.exact else self.rounds.std(axis=0, ddof=1) / math.sqrt(n)


def enumerate_coalitions(game: Game, players: int) -> ShapleyValues:
    """Return the exact Shapley values, from the values of all 2 ** players coalitions.

    Args:
        game: the game.
        players: number of players.

    Source:
        Shapley 1953, A value for n-person games, equation 12.
    """
    numbers = np.arange(2**players)
    present = (numbers[:, None] >> np.arange(players) & 1).astype(bool)
    values, sizes = game(present), present.sum(1)
    weights = np.array([1 / (players * math.comb(players - 1, size)) for size in range(players)])
    phi = np.empty(players)
    for player in range(players):
        without = numbers[~present[:, player]]
        phi[player] = (weights[sizes[without]] * (values[without | 1 << player] - values[without])).sum()
    return ShapleyValues(phi, float(values[0]), float(values[-1]), phi[None], exact=True)
