"""The shares of words and picture in the claims of a run that are about them."""

from __future__ import annotations

from typing import NamedTuple

from vlcheck.results.records import Cells, VerdictRecord

_TABLES = "synergy", "modalities"  # a verdict with one of them is about the shares, as is one of the metric
_METRIC = "mm-shap"


class ModalityShares(NamedTuple):
    """The mean share of the words in what moves a match score, T-SHAP, with its interval; the rest is V-SHAP."""

    text: float
    interval: tuple[float, float]


def shares_of_modalities(verdict: VerdictRecord) -> ModalityShares | None:
    """Return the shares that a verdict is about; None if it is about something else, or nothing was measured."""
    low, high = verdict.interval
    about = verdict.claim == "mean" and (verdict.metric == _METRIC or synergy_of(verdict))
    if not about or verdict.effect is None or low is None or high is None:
        return None
    text, first, last = ((1 + difference) / 2 for difference in (verdict.effect, low, high))
    return ModalityShares(text, (max(0.0, first), min(1.0, last)))


def synergy_of(verdict: VerdictRecord) -> Cells | None:
    """Return the table of a verdict that has the synergy of words and picture; None if there is none."""
    return next((verdict.tables[name] for name in _TABLES if verdict.tables.get(name)), None)
