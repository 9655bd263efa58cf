"""Estimates Shapley values by a regression on the values of some coalitions.

The Shapley values depend on the odd part of a game alone, half the value of a coalition less half that of its
complement: interactions of two players cancel in it. Gaussian-process regression estimates it, and the Shapley values
of the estimate have a closed form. With low rates, it is a regression on single effects, as in KernelSHAP; with higher
ones, it has interactions of three players and more.

Source:
    Covert and Lee 2021, arXiv:2012.01536 (a coalition is paired with its complement); Chau et al. 2022,
    arXiv:2110.09167 (Shapley values of functions of a kernel); Witter, Liu and Musco 2025, arXiv:2506.11849.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

RATES = (0.0, 0.02, 0.1, 0.5)  # how fast likeness falls with each token, or each cell, in which coalitions differ
NOISES = (1e-3, 3e-2)  # variance of what the regression leaves, as a share of that of the values
EXACT = 1e-9  # that of the value of all players, which is to be met
NODES, WEIGHTS = np.polynomial.legendre.leggauss(32)


@dataclass(frozen=True, eq=False)
class KnownValues:
    """The coalitions whose values are known, by round.

    Attributes:
        present: (rounds, coalitions, players), bool; the text players come first.
        odd: half the value of each less half that of its complement, (rounds, coalitions).
        gain: the value of all players less that of none.
        texts: number of text players.
    """

    present: np.ndarray
    odd: np.ndarray
    gain: float
    texts: int


@dataclass(frozen=True)
class Smoothness:
    """The hyperparameters of a regression.

    Attributes:
        text: fall of the likeness of two coalitions with each token in which they differ.
        image: its fall with each cell.
        noise: variance of what is left, as a share of that of the values.
    """

    text: float
    image: float
    noise: float

    def rates(self, known: KnownValues) -> np.ndarray:
        """Return the rate of each player, (players,)."""
        players = known.present.shape[-1]
        images = players - known.texts
        return np.repeat([self.text, self.image], [known.texts, images])


@dataclass(frozen=True, eq=False)
class RegressedValues:
    """The Shapley values that a regression gives.

    Attributes:
        phi: (players,).
        without: those of the regression without one of the rounds, (rounds, players).
        missed: values of a round less what the regression without that round expects, (rounds, coalitions).
    """

    phi: np.ndarray
    without: np.ndarray
    missed: np.ndarray

    @property
    def rounds(self) -> np.ndarray:
        """The estimate of each round, (rounds, players): jackknife pseudo-values around `phi`, which is their mean."""
        found: np.ndarray = self.phi + (len(self.without) - 1) * (self.without.mean(axis=0) - self.without)
        return found


def best_smoothness(known: KnownValues) -> Smoothness:
    """Return the hyperparameters with which a regression without a round misses that round the least."""
    tried = [Smoothness(*one) for one in product(RATES, RATES, NOISES) if any(one[:2])]
    return min(tried, key=lambda one: float((regress(known, one).missed ** 2).mean()))


def regress(known: KnownValues, smoothness: Smoothness) -> RegressedValues:
    """Return the Shapley values of a Gaussian process that is fitted to known values.

    The covariance of two coalitions is sinh(sum of a z z'), where z is 1 for a player that is present and -1 for one
    that is absent, and a is its rate: the odd part of exp(-2 a) for each player in which they differ.

    Args:
        known: the coalitions and their values.
        smoothness: the hyperparameters.
    """
    rounds, each, players = known.present.shape
    rates = smoothness.rates(known)
    signs = np.vstack([np.where(known.present.reshape(-1, players), 1.0, -1.0), np.ones(players)])
    values = np.append(known.odd, known.gain / 2)
    scale = np.sinh(rates.sum())
    alike = np.sinh((signs * rates) @ signs.T) / scale
    alike[np.diag_indices_from(alike)] += [*[smoothness.noise] * known.odd.size, EXACT]
    inverse = np.linalg.inv(alike)
    weights = inverse @ values
    own = np.arange(rounds * each).reshape(rounds, each)
    blocks = inverse[own[:, :, None], own[:, None, :]]
    missed = np.linalg.solve(blocks, weights[own][..., None])[..., 0]
    without = weights - np.einsum("nrk,rk->rn", inverse[:, own], missed)
    of_one = shapley_values_of_likeness(signs, rates) / scale
    return RegressedValues(_closed(weights @ of_one, known.gain), _closed(without @ of_one, known.gain), missed)


def shapley_values_of_likeness(signs: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """Return the Shapley values of the game sinh(sum of a z z'), for each z': (coalitions, players).

    They are the mean of a player's gain when the others are present with probability u, over u from 0 to 1.

    Args:
        signs: the coalitions z', 1 for present and -1 for absent, (coalitions, players).
        rates: a, (players,).

    Source:
        Owen 1972, Multilinear extensions of games.
    """
    slopes = signs * np.sinh(rates)
    factors = np.cosh(rates) + slopes[:, None] * NODES[:, None]  # of exp in place of sinh, at u = (1 + node) / 2
    others = factors.prod(axis=2, keepdims=True) / factors
    found: np.ndarray = slopes * np.einsum("q,nqp->np", WEIGHTS, others)
    return found


def _closed(phi: np.ndarray, gain: float) -> np.ndarray:
    """Spread what is left of the gain over the players: rounding errors, and `EXACT`."""
    closed: np.ndarray = phi + (gain - phi.sum(axis=-1, keepdims=True)) / phi.shape[-1]
    return closed
