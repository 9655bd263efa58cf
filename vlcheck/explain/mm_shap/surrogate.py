"""A cheap game that resembles a network's: the control variate of sampled Shapley values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vlcheck.explain.mm_shap.shapley import Game

RIDGE = 1e-3  # weight of the penalty on a coefficient, a coalition
LEAST = 1e-6  # probabilities are taken for at least this, and at most 1 minus this, before their log-odds are taken


@dataclass(frozen=True, eq=False)
class Surrogate:
    """A game of main effects and interactions of two players, on log-odds if its values are probabilities.

    Attributes:
        constant: the value of no player.
        main: the effect of each player, (players,).
        pairs: the interaction of each two players, (players, players), 0 on and below the diagonal.
        odds: whether the sum of the effects is log-odds of a value.
    """

    constant: float
    main: np.ndarray
    pairs: np.ndarray
    odds: bool

    def __call__(self, present: np.ndarray) -> np.ndarray:
        said = present.astype(float)
        level: np.ndarray = self.constant + said @ self.main + ((said @ self.pairs) * said).sum(axis=1)
        return 1 / (1 + np.exp(-level)) if self.odds else level


def fit_surrogate(present: np.ndarray, values: np.ndarray) -> Game:
    """Fit a surrogate to coalitions by ridge regression.

    Args:
        present: (coalitions, players), bool.
        values: (coalitions,).
    """
    present, first = np.unique(present, axis=0, return_index=True)
    values = values[first]
    odds = bool((values >= 0).all() and (values <= 1).all())
    players = present.shape[1]
    one, other = np.triu_indices(players, 1)
    said = present.astype(float)
    features = np.hstack([np.ones((len(said), 1)), said, said[:, one] * said[:, other]])
    penalty = np.full(features.shape[1], RIDGE * len(said))
    penalty[0] = 0
    found = np.linalg.solve(
        features.T @ features + np.diag(penalty), features.T @ (_log_odds(values) if odds else values)
    )
    pairs = np.zeros((players, players))
    pairs[one, other] = found[1 + players :]
    return Surrogate(float(found[0]), found[1 : 1 + players], pairs, odds)


def _log_odds(values: np.ndarray) -> np.ndarray:
    clipped = values.clip(LEAST, 1 - LEAST)
    odds: np.ndarray = np.log(clipped) - np.log1p(-clipped)
    return odds
