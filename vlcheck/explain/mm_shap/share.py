"""The share of the text among all effects: T-SHAP."""

from __future__ import annotations

import math

import numpy as np

from vlcheck.errors import NotApplicable
from vlcheck.explain.mm_shap.shapley import HALVES, ShapleyValues
from vlcheck.metrics.mm_shap import TextShare


def text_share(values: ShapleyValues, texts: int) -> TextShare:
    """Return T-SHAP: the sum of the absolute Shapley values of the text players, as a share of that of all players.

    The absolute value of a noisy estimate is too large on average, by up to 0.80 of its standard error, and most for
    players without an effect, of which there may be many. So each half of the rounds gives the sign of a player for
    the other half. A player without an effect then adds nothing on average, and others are too small by at most 0.48
    of their standard error.

    Args:
        values: the Shapley values; the text players come first.
        texts: number of text players.

    Raises:
        NotApplicable: no player has an effect that can be told from noise.

    Source:
        Parcalabescu and Frank 2022, arXiv:2212.08158, equations 3 and 4.
    """
    effects = abs(values.rounds) if values.exact else _signed_by_the_other_half(values.rounds)
    text, total = effects[:, :texts].sum(axis=1), effects.sum(axis=1)
    if total.mean() <= 0:
        raise NotApplicable("no word and no part of the picture changes the score")
    share = float(text.mean() / total.mean())
    error = 0.0 if values.exact else _standard_error(text - share * total) / float(total.mean())
    return TextShare(min(max(share, 0.0), 1.0), error)


def _signed_by_the_other_half(rounds: np.ndarray) -> np.ndarray:
    effects = np.empty_like(rounds)
    for half, other in (HALVES, HALVES[::-1]):
        effects[half] = rounds[half] * np.sign(rounds[other].mean(axis=0))
    return effects


def _standard_error(residuals: np.ndarray) -> float:
    """Return the standard error of a mean over rounds; the halves may differ, since their signs do."""
    variances = [residuals[half].var(ddof=1) for half in HALVES]
    return math.sqrt(np.mean(variances) / len(residuals))
