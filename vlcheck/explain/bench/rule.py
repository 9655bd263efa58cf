"""The fixed rule from maps to a cause: the cause whose trials come out as biased clearly more often than not."""

from __future__ import annotations

from collections.abc import Mapping

from vlcheck.explain.bench.planted import CAUSES, Cause
from vlcheck.stats.bounds import Tally, exact

TRIALS = 40  # of each cause
ALPHA = 0.05 / len(CAUSES)  # Bonferroni's correction, so that noise rarely names any cause


def name_cause(biased: Mapping[Cause, int], trials: int) -> Cause | None:
    """Return the cause that the maps show; None if they show none, or if two causes share the first place.

    A cause is shown if its trials come out as biased in more than half of the cases, by the exact binomial test at
    ALPHA. The cause with the most biased trials is named.

    Args:
        biased: for each cause, the number of trials that came out as biased.
        trials: number of trials of each cause, above 0.

    Example:
        >>> name_cause({"color": 19, "order": 12, "place": 2}, trials=20)
        'color'
    """
    shown = {cause: count for cause, count in biased.items() if _is_shown(count, trials)}
    first = [cause for cause, count in shown.items() if count == max(shown.values())]
    return first[0] if len(first) == 1 else None


def _is_shown(count: int, trials: int) -> bool:
    return exact(Tally.of_violations(count, trials), 0.5) < ALPHA
