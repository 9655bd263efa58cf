"""Games whose Shapley values are known or cheap."""

import numpy as np

PLAYERS = 8


def table_game(seed, players=PLAYERS):
    """A game with a random value for each coalition."""
    table = np.random.default_rng(seed).normal(size=2**players)
    return lambda present: table[present @ (1 << np.arange(players))]


def smooth_game(seed, players, weak=()):
    """A game like a network's: the logistic function of main effects and of interactions of two players.

    The effects of weak players are a thirtieth of those of others.
    """
    rng = np.random.default_rng(seed)
    main, pairs = rng.normal(size=players), rng.normal(size=(players, players)) / players**0.5
    strength = np.where(np.isin(np.arange(players), list(weak)), 1 / 30, 1)
    main, pairs = main * strength, pairs * np.outer(strength, strength)

    def game(present):
        said = present.astype(float)
        return 1 / (1 + np.exp(-(said @ main + ((said @ pairs) * said).sum(1)) / 2))

    return game
