"""The operating scale of a model: the monotone map under which 0.5 is where it is as likely right as wrong.

Two models with the same knowledge may give a true caption 0.99 or 0.22. What they know is in how a true statement
compares with a false one, so both are brought to one scale, on which a tolerance means the same:

- a probability that stands alone, P(match) or P(word at the mask), by two parameters on its log-odds (Platt,
  "Probabilistic outputs for support vector machines", 1999);
- the words of a closed set by an exponent of their probabilities, a temperature (Guo et al., "On calibration of modern
  neural networks", ICML 2017), which leaves their order and their sum as they are.

Both are fitted to scores whose truth is known, so that a shift of the log-odds, a gain or a temperature of the model
changes the parameters and not the result.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import betaincinv, expit, log_expit, logsumexp  # scipy.stats takes half a second to import

CERTAIN = 0.999  # what a true statement comes to where true and false ones are wholly apart; a false one to the rest
_STEPS = 100
_SECTIONS = 60
_STILL = 1e-12
_POWERS = (1e-3, 1e3)
_LEAST = 1e-30  # in place of a probability of 0, which has no logarithm
_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class Scale:
    """A monotone map of a model's probabilities onto its operating scale; as it is made, the identity.

    Attributes:
        gain: of the log-odds of a probability that stands alone, above 0.
        offset: is added to them.
        power: exponent of the probabilities of a closed set, the inverse of a temperature, above 0.
        edges: the least and the highest log-odds that were seen; a probability of 0 or 1 is taken for these.
    """

    gain: float = 1.0
    offset: float = 0.0
    power: float = 1.0
    edges: tuple[float, float] = (-math.inf, math.inf)

    def level(self, probability: float) -> float:
        """Return a probability that stands alone, in [0, 1], on the operating scale."""
        if (self.gain, self.offset) == (1.0, 0.0):
            return probability
        low, high = self.edges
        odds = min(max(_log_odds(probability), low), high)
        return float(expit(self.gain * odds + self.offset))

    def share(self, probability: float, others: Sequence[float]) -> float:
        """Return the share of one probability among a closed set, at the set's temperature; 0 where all are 0."""
        most = max(probability, *others)
        if not most > 0:
            return 0.0 if most == 0 else math.nan
        raised = [(one / most) ** self.power for one in (probability, *others)]
        return float(raised[0] / sum(raised))


RAW = Scale()


@dataclass(frozen=True)
class Separation:
    """How well scores tell true statements from false ones.

    Attributes:
        auc: area under the ROC curve: how often a true statement scores higher than a false one; ties count half.
        low: its one-sided lower bound.
        pairs: how many true and false statements it rests on.
    """

    auc: float
    low: float
    pairs: int


def separation(true: Sequence[float], false: Sequence[float], alpha: float = 0.05) -> Separation:
    """Measure how well scores tell true statements from false ones.

    The bound is that of Clopper and Pearson for as many trials as there are statements of the rarer sort: the variance
    of the area is at most auc (1 - auc) / min(m, n) (Birnbaum and Klose, 1957).

    Args:
        true: scores of true statements.
        false: scores of false ones.
        alpha: error rate of the bound.

    Raises:
        ValueError: where there is none of either.
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

    By logistic regression of the truth on the log-odds, with CERTAIN for the truth in place of 1, as Platt's targets:
    what is wholly apart would have no finite gain otherwise.

    Args:
        true: probabilities given to true statements, in [0, 1].
        false: those given to false ones.

    Returns:
        A scale, whose gain is at most 0 where false statements score higher.
    """
    odds = np.array([_log_odds(one) for one in (*true, *false)])
    finite = odds[np.isfinite(odds)]
    edges = (float(finite.min()), float(finite.max())) if len(finite) else (-1.0, 1.0)
    wanted = np.repeat([CERTAIN, 1 - CERTAIN], [len(true), len(false)])
    gain, offset = _logistic(np.clip(odds, *edges), wanted)
    return Scale(gain=gain, offset=offset, edges=edges)


def fit_centred(true: Sequence[float]) -> Scale:
    """Fit the gain alone to shares of true statements among false ones, of which 0.5 is the middle already.

    Args:
        true: shares of true statements, in [0, 1].
    """
    odds = np.array([_log_odds(one) for one in true])
    farthest = float(np.abs(odds[np.isfinite(odds)]).max(initial=0.0)) or 1.0
    edges = (-farthest, farthest)
    odds = np.clip(odds, *edges)
    gain = _least(lambda gain: _surprise(log_expit(gain * odds), log_expit(-gain * odds)))
    return Scale(gain=gain, power=gain, edges=edges)


def fit_closed(sets: Sequence[tuple[float, Sequence[float]]]) -> float:
    """Fit the exponent of closed sets, by the surprise at their true words, with CERTAIN for the truth.

    Args:
        sets: of each the true word's probability, and those of the others, all of them false.
    """
    true = np.log([max(one, _LEAST) for one, _ in sets])
    others = np.full((len(sets), max(len(false) for _, false in sets)), -np.inf)
    for row, (_, false) in zip(others, sets, strict=True):
        row[: len(false)] = np.log([max(one, _LEAST) for one in false])

    def surprise(power: float) -> float:
        false = logsumexp(power * others, axis=1)
        both = np.logaddexp(power * true, false)
        return _surprise(power * true - both, false - both)

    return _least(surprise)


def with_power(scale: Scale, power: float) -> Scale:
    """Return the scale with another exponent of closed sets."""
    return replace(scale, power=power)


def _log_odds(probability: float) -> float:
    if not 0 < probability < 1:
        return math.nan if math.isnan(probability) else math.copysign(math.inf, probability - 0.5)
    return math.log(probability) - math.log1p(-probability)


def _logistic(x: np.ndarray, wanted: np.ndarray) -> tuple[float, float]:
    """Gain and offset by Newton's method, halving a step that would not help (Lin, Lin and Weng, 2007)."""
    middle, spread = float(x.mean()), float(x.std()) or 1.0
    design = np.stack([(x - middle) / spread, np.ones_like(x)])
    at = np.zeros(2)
    for _ in range(_STEPS):
        fitted = expit(at @ design)
        slope = design @ (fitted - wanted)
        curvature = (design * (fitted * (1 - fitted))) @ design.T + _STILL * np.eye(2)
        step = np.linalg.solve(curvature, slope)
        while _deviance(at - step, design, wanted) > _deviance(at, design, wanted) and np.abs(step).max() > _STILL:
            step = step / 2
        at = at - step
        if np.abs(step).max() < _STILL:
            break
    gain = float(at[0]) / spread
    return gain, float(at[1]) - gain * middle


def _deviance(at: np.ndarray, design: np.ndarray, wanted: np.ndarray) -> float:
    fitted = at @ design
    return float((np.logaddexp(0, fitted) - wanted * fitted).sum())


def _surprise(log_true: np.ndarray, log_false: np.ndarray) -> float:
    """The mean surprise where CERTAIN is wanted of the true."""
    return float(-(CERTAIN * log_true + (1 - CERTAIN) * log_false).mean())


def _least(surprise: Callable[[float], float]) -> float:
    """Where a surprise is least, by golden sections of the logarithm."""
    low, high = map(math.log, _POWERS)
    for _ in range(_SECTIONS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        low, high = (low, right) if surprise(math.exp(left)) <= surprise(math.exp(right)) else (left, high)
    return math.exp((low + high) / 2)
