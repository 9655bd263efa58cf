"""The operating scale of a model: a monotone map of its scores under which 0.5 means "as likely right as wrong".

Two models with the same knowledge may give a true caption 0.99 or 0.22. Their knowledge shows in how a true statement
compares with a false one. Both are therefore brought to one scale, on which a tolerance means the same:

- a probability that stands alone, P(match) or P(word at the mask), by a gain and an offset of its log-odds, the two
  parameters of Platt ("Probabilistic outputs for support vector machines", 1999);
- the words of a closed set by an exponent of their probabilities, a temperature (Guo et al., "On calibration of modern
  neural networks", ICML 2017), which leaves their order and their sum unchanged.

Both are fitted to scores whose truth is known, so that a shift of the log-odds, a gain or a temperature of the model
changes the parameters and not the result. The fit is Fisher's linear discriminant: of two normal distributions of one
spread, the log-odds of the truth are linear in the score, with the gain (m1 - m0) / s^2 and their middle at (m1 + m0) /
2. Logistic regression estimates the same with more variance (Efron, JASA 70, 1975), most of all where true and false
are far apart; there the gain is bounded, so that a mean true statement comes to CERTAIN. Means and spread are those of
winsorised values (Tukey, 1962), so that a few wrong labels do not set the scale of all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import betaincinv, expit  # scipy.stats takes half a second to import

from vlcheck.stats.log_odds import log_odds

CERTAIN = 0.999
_SURE = math.log(CERTAIN / (1 - CERTAIN))
_LEAST_GAIN = 1e-9  # if the true word is not the likeliest on average, all words of a closed set become equally likely
_NEXT_TO_0, _NEXT_TO_1 = -744.4, 36.7  # log-odds of the numbers beside 0 and 1
_OUTER = 0.1
_DRAWN_IN = 0.6787  # variance of a standard normal distribution with a tenth winsorised at each end


@dataclass(frozen=True)
class Scale:
    """A monotone map of a model's probabilities onto its operating scale; the default is the identity.

    Attributes:
        gain: factor of the log-odds of a probability that stands alone, above 0.
        offset: added to these log-odds.
        power: exponent of the probabilities of a closed set, the inverse of a temperature, above 0.
        edges: the least and the highest log-odds; probabilities of 0 and 1 are replaced by these.
    """

    gain: float = 1.0
    offset: float = 0.0
    power: float = 1.0
    edges: tuple[float, float] = (-math.inf, math.inf)

    @cached_property
    def is_raw(self) -> bool:
        """True for the identity."""
        return self == RAW

    def level(self, probability: float, foils: int = 1) -> float:
        """Return a probability that stands alone on the operating scale.

        Args:
            probability: probability of a text that stands alone, or its share among foils, in [0, 1].
            foils: number of foils, at least 1; the gain applies to the odds against their mean.

        Returns:
            The probability on the operating scale, in [0, 1].
        """
        if self.is_raw:
            return probability
        low, high = self.edges
        odds, many = min(max(log_odds(probability), low), high), math.log(foils)
        return float(expit(self.gain * (odds + many) - many + self.offset))

    def share(self, probability: float, others: Sequence[float]) -> float:
        """Return the share of one probability among a closed set, at the set's temperature.

        Args:
            probability: probability of the word in question, in [0, 1].
            others: the probabilities of the set's other words.

        Returns:
            The share, in [0, 1]; 0 if all probabilities are 0.
        """
        total, most = sum((probability, *others)), max(probability, *others)
        if self.power == 1 or not most > 0:
            return probability / total if total else 0.0
        raised = [(one / most) ** self.power for one in (probability, *others)]
        return float(raised[0] / sum(raised))


RAW = Scale()


@dataclass(frozen=True)
class Separation:
    """A measure of how well scores separate true statements from false ones.

    Attributes:
        auc: area under the ROC curve, the probability that a true statement scores higher than a false one; ties count
            half.
        low: one-sided lower bound of the area.
        pairs: number of statements of the rarer sort, on which the bound rests.
    """

    auc: float
    low: float
    pairs: int


def separation(true: Sequence[float], false: Sequence[float], alpha: float = 0.05) -> Separation:
    """Measure how well scores separate true statements from false ones.

    The bound is that of Clopper and Pearson for as many trials as there are statements of the rarer sort: the variance
    of the area is at most auc (1 - auc) / min(m, n) (Birnbaum and Klose, Annals of Mathematical Statistics 28, 1957).

    Args:
        true: scores of true statements.
        false: scores of false statements.
        alpha: error rate of the bound, in (0, 1).

    Raises:
        ValueError: If there is no true or no false statement.
    """
    if not len(true) or not len(false):
        raise ValueError("the separation of scores takes a true and a false statement at least")
    ordered = np.sort(np.asarray(false, dtype=np.float64))
    below, upto = (np.searchsorted(ordered, true, side=side) for side in ("left", "right"))
    auc = float((below + upto).mean() / (2 * len(ordered)))
    n = min(len(true), len(false))
    low = float(betaincinv(auc * n, n - auc * n + 1, alpha)) if auc > 0 else 0.0
    return Separation(auc, low, n)


def fit_alone(true: Sequence[float], false: Sequence[float]) -> Scale:
    """Fit gain and offset to probabilities that stand alone.

    Args:
        true: probabilities given to true statements, in [0, 1].
        false: probabilities given to false statements, in [0, 1].

    Returns:
        A scale; its gain is at most 0 if false statements score higher.
    """
    edges = _edges(np.array([log_odds(one) for one in (*true, *false)]))
    first, second = (_winsorised(np.clip([log_odds(one) for one in some], *edges)) for some in (true, false))
    middle = (float(first.mean()) + float(second.mean())) / 2
    gain = _gain(float(first.mean()) - middle, np.concatenate([first - first.mean(), second - second.mean()]))
    return Scale(gain=gain, offset=-gain * middle, edges=edges)


def fit_shares(true: Sequence[tuple[float, int]]) -> Scale:
    """Fit the gain alone, a temperature, to shares of true texts among foils, whose middle is known.

    Args:
        true: for each text its share, in [0, 1], and the number of foils that it was compared with.
    """
    odds = np.array([log_odds(share) for share, _ in true])
    low, high = _edges(odds) if np.isfinite(odds).any() else (_NEXT_TO_0, _NEXT_TO_1)
    many = np.log([foils for _, foils in true])
    odds = _winsorised(np.clip(odds, low, high) + many)
    gain = max(_gain(float(odds.mean()), odds - odds.mean(), _SURE + float(many.mean())), _LEAST_GAIN)
    return Scale(gain=gain, power=gain, edges=(_NEXT_TO_0, high))


def fit_closed(sets: Sequence[tuple[float, Sequence[float]]]) -> float:
    """Fit the exponent of closed sets: the gain of the log ratio of the true word and the likeliest other word.

    Args:
        sets: for each set the true word's probability, and the probabilities of the others, all of them false.

    Returns:
        The exponent, above 0.
    """
    ratios = np.array([_log_ratio(true, max(others)) for true, others in sets])
    ratios = _winsorised(np.clip(ratios, *_edges(ratios)))
    return max(_gain(float(ratios.mean()), ratios - ratios.mean()), _LEAST_GAIN)


def with_power(scale: Scale, power: float) -> Scale:
    """Return the scale with another exponent for closed sets.

    Args:
        scale: the scale to change.
        power: the exponent, above 0.
    """
    return replace(scale, power=power)


def _log_ratio(one: float, other: float) -> float:
    if one == other:
        return 0.0
    if not one or not other:
        return math.inf if one else -math.inf
    return math.log(one) - math.log(other)


def _winsorised(values: np.ndarray) -> np.ndarray:
    """Return the values with a tenth at each end clipped, so that a few wrong labels do not move the scale."""
    drawn_in: np.ndarray = np.clip(values, *np.quantile(values, [_OUTER, 1 - _OUTER]))
    return drawn_in


def _edges(odds: np.ndarray) -> tuple[float, float]:
    """Return the log-odds that replace those of 0 and 1: the least and highest finite ones, or those of CERTAIN."""
    finite = odds[np.isfinite(odds)]
    return float(finite.min(initial=-_SURE)), float(finite.max(initial=_SURE))


def _gain(half: float, strays: np.ndarray, sure: float = _SURE) -> float:
    """Return the gain of the discriminant.

    Args:
        half: half the distance between the means of true and false statements.
        strays: distances of both from their means, winsorised.
        sure: largest value of gain times `half`.
    """
    variance = float((strays**2).mean()) / _DRAWN_IN
    bounded = sure / abs(half) if half else 0.0
    return math.copysign(min(2 * abs(half) / variance, bounded) if variance else bounded, half)
