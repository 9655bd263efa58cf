"""The share of the text among all effects: T-SHAP."""

from __future__ import annotations

import math

import numpy as np

from vlcheck.errors import NotApplicable
from vlcheck.explain.mm_shap.shapley import ShapleyValues
from vlcheck.metrics.mm_shap import TextShare


def text_share(values: ShapleyValues, texts: int) -> TextShare:
    """Return T-SHAP: the sum of the absolute Shapley values of the text players, as a share of that of all players.

    The absolute value of a noisy estimate is too large on average, most of all for players without an effect. So the
    sign of a player comes from all other rounds, and its size from the round itself: a player without an effect then
    adds nothing on average. What remains is too small by at most 0.34 standard errors of the player's value, where the
    plain absolute value is too large by up to 0.80.

    Args:
        values: the Shapley values; the text players come first.
        texts: number of text players.

    Raises:
        NotApplicable: no player has an effect that can be told from noise.

    Source:
        Parcalabescu and Frank 2022, arXiv:2212.08158, equations 3 and 4.
    """
    rounds = values.rounds
    others = rounds if values.exact else rounds.sum(axis=0) - rounds
    effects = rounds * np.sign(others)
    text, total = effects[:, :texts].sum(axis=1), effects.sum(axis=1)
    if total.mean() <= 0:
        raise NotApplicable("no word and no part of the picture changes the score")
    share = text.mean() / total.mean()
    if values.exact:
        return TextShare(float(share), 0.0)
    error = (text - share * total).std(ddof=1) / (math.sqrt(len(rounds)) * total.mean())
    return TextShare(min(max(float(share), 0.0), 1.0), float(error))
