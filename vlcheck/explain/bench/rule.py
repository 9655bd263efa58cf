"""The fixed rule from maps to a cause: the cause whose trials come out as biased clearly more often than not."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np

from vlcheck.explain.bench.planted import CAUSES, Cause

TRIALS = 40  # of each cause
ALPHA = 0.05 / len(CAUSES)  # Bonferroni's correction, so that noise rarely names any cause


def name_cause(ranks: Mapping[Cause, float], trials: int) -> Cause | None:
    """Return the cause that the maps show; None if they show none, or if two causes share the first place.

    A cause is shown if the trials that come out as biased have larger ranks than noise gives them, by Wilcoxon's
    signed-rank test at ALPHA. The cause with the largest ranks is named.

    Args:
        ranks: for each cause, the sum of the ranks of the trials that came out as biased, of 1 to `trials`.
        trials: number of trials of each cause, above 0.

    Example:
        >>> name_cause({"color": 195, "order": 120, "place": 20}, trials=20)
        'color'
    """
    shown = {cause: rank for cause, rank in ranks.items() if signed_rank_p(rank, trials) < ALPHA}
    first = [cause for cause, rank in shown.items() if rank == max(shown.values())]
    return first[0] if len(first) == 1 else None


def signed_rank_p(ranks: float, trials: int) -> float:
    """Return the probability that noise gives biased trials this sum of ranks or a larger one.

    Args:
        ranks: the sum of the ranks of the biased trials.
        trials: number of trials, above 0.

    Source: Wilcoxon 1945, doi:10.2307/3001968; the exact distribution.
    """
    return float(_distribution(trials)[int(ranks) :].sum())


@cache
def _distribution(trials: int) -> np.ndarray:
    """Return the probability of each sum of ranks if each rank counts with probability 1/2, (largest sum + 1,)."""
    found = np.ones(1)
    for rank in range(1, trials + 1):
        found = (np.pad(found, (0, rank)) + np.pad(found, (rank, 0))) / 2
    return found
