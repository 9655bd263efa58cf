"""The share of the text among all effects: T-SHAP."""

from __future__ import annotations

import math

import numpy as np

from vlcheck.errors import NotApplicable
from vlcheck.explain.mm_shap.shapley import ShapleyValues
from vlcheck.metrics.mm_shap import TextShare


def text_share(values: ShapleyValues, texts: int) -> TextShare:
    """Return T-SHAP: the sum of the absolute Shapley values of the text players, as a share of that of all players.

    Args:
        values: the Shapley values; the text players come first.
        texts: number of text players.

    Raises:
        NotApplicable: no player has an effect.

    Source:
        Parcalabescu and Frank 2022, arXiv:2212.08158, equations 3 and 4.
    """
    total = float(abs(values.phi).sum())
    if total == 0:
        raise NotApplicable("no word and no part of the picture changes the score")
    share = float(abs(values.phi[:texts]).sum()) / total
    effects = values.rounds * np.sign(values.phi)
    residuals = effects[:, :texts].sum(axis=1) - share * effects.sum(axis=1)
    return TextShare(share, 0.0 if values.exact else _standard_error(residuals) / total)


def _standard_error(residuals: np.ndarray) -> float:
    return float(residuals.std(ddof=1)) / math.sqrt(len(residuals))
