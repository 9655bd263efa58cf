"""From margins to verdicts: statistics alone.

A case with a margin of 0 or less is a violation. The estimand of a rate is the mean over images of each image's
violating share. A rate fails where the lower end of its interval is above what is allowed, and passes where the upper
end is not; a mean passes inside its band and fails outside. Both ends are one-sided bounds at alpha.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from scipy.special import betainc, betaincinv, ndtri  # scipy.stats takes half a second to import

from vlcheck import betting

Status = Literal["pass", "fail", "inconclusive", "invalid"]
Claim = Literal["rate", "mean"]

BY_GRAVITY: tuple[Status, ...] = ("fail", "invalid", "inconclusive", "pass")
POWER = 0.8
MOST_CASES = 100_000


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the cases say of a behavior.

    Attributes:
        status: the verdict.
        claim: whether a rate of violations or a mean was judged.
        reason: why, in a few words.
        n: images that count.
        not_applicable: cases that do not count.
        violations: rows whose margin is 0 or less, of which an image may have several; None for a mean.
        rate: mean over images of the violating share, and its one-sided bounds at alpha.
        allowed: the rate that is allowed; None for a mean.
        band: what a mean is held to; None for a rate.
        alpha: error rate of each bound.
        p: of the hypothesis that there is nothing to fail for; None where nothing was tested.
        needed_n: images at which the rate or mean seen would decide; None where it decides already or never would.
        detectable: the least true rate that fails with a power of 0.8 at this n; None where no rate does.
        effect: mean of after minus before, or the mean that is claimed about, with an interval.
    """

    status: Status
    claim: Claim = "rate"
    reason: str = ""
    n: int = 0
    not_applicable: int = 0
    violations: int | None = None
    rate: float | None = None
    rate_low: float | None = None
    rate_high: float | None = None
    allowed: float | None = None
    band: tuple[float, float] | None = None
    alpha: float = 0.05
    p: float | None = None
    needed_n: int | None = None
    detectable: float | None = None
    effect: float | None = None
    effect_low: float | None = None
    effect_high: float | None = None

    @property
    def passed(self) -> bool:
        """Whether the behavior holds; neither inconclusive nor invalid passes."""
        return self.status == "pass"

    @property
    def summary(self) -> str:
        """The verdict in one line."""
        return f"{self.status}: {self.reason}"

    def as_dict(self) -> dict[str, Any]:
        """Its figures, as the results file has them."""
        return asdict(self)

    def __repr__(self) -> str:
        # pytest shows this in place of a failing `verdict.passed`, and cuts what is longer than 240 characters.
        return f"Verdict({self.summary[:200]})"


def judge(
    margins: Sequence[float | None],
    clusters: Sequence[Hashable] | None = None,
    *,
    allowed: float = 0.10,
    alpha: float = 0.05,
) -> Verdict:
    """Hold the rate of violations to what is allowed.

    The bounds are exact (Clopper and Pearson, Biometrika 26, 1934) where an image has one case. Where it has more,
    they are taken at the sum of the images' violating shares, in place of a count, over the number of images.

    Args:
        margins: one a case; > 0 holds, None does not count.
        clusters: the image of each case; without it each case is an image of its own.
        allowed: rate of violations that passes, in [0, 1).
        alpha: error rate of each one-sided bound, in (0, 0.5).

    Raises:
        ValueError: for clusters of another length, or allowed or alpha out of range.
    """
    _check(margins, clusters, alpha)
    if not 0 <= allowed < 1:
        raise ValueError(f"allowed is {allowed}; it has to be in [0, 1)")
    counted = _counted(margins, clusters)
    left_out = len(margins) - len(counted)
    hollow = _hollow([margin for margin, _ in counted], "margins")
    if hollow:
        return invalid(hollow, n=_images(counted), not_applicable=left_out, allowed=allowed, alpha=alpha)
    shares = _by_cluster((float(margin <= 0), image) for margin, image in counted)
    n, x = len(shares), float(shares.sum())
    low, high = _bounds(x, n, alpha)
    status: Status = "fail" if low > allowed else "pass" if high <= allowed else "inconclusive"
    needed = None if status != "inconclusive" else needed_n(x / n, allowed, alpha, above=n)
    return Verdict(
        status=status,
        reason=_rate_reason(x, n, (low, high), allowed, needed if status == "inconclusive" else 0),
        n=n,
        not_applicable=left_out,
        violations=sum(margin <= 0 for margin, _ in counted),
        rate=x / n,
        rate_low=low,
        rate_high=high,
        allowed=allowed,
        alpha=alpha,
        p=_p_above(x, n, allowed),
        needed_n=needed,
        detectable=detectable(n, allowed, alpha),
    )


def judge_mean(
    values: Sequence[float | None],
    clusters: Sequence[Hashable] | None = None,
    *,
    band: tuple[float, float],
    alpha: float = 0.05,
) -> Verdict:
    """Hold the mean over images of values in [-1, 1] to a band.

    The bounds are those of `vlcheck.betting`: they assume nothing but the range. `needed_n` is an estimate by the
    normal approximation.

    Args:
        values: one a case; None does not count.
        clusters: the image of each case; without it each case is an image of its own.
        band: lowest and highest mean that pass.
        alpha: error rate of each one-sided bound, in (0, 0.5).

    Raises:
        ValueError: for clusters of another length, values outside [-1, 1], a band that is none, alpha out of range.
    """
    _check(values, clusters, alpha)
    if not band[0] < band[1]:
        raise ValueError(f"the band is {band}; its first end has to be below its second")
    counted = _counted(values, clusters)
    left_out = len(values) - len(counted)
    hollow = _hollow([value for value, _ in counted], "values")
    if hollow:
        return invalid(hollow, claim="mean", n=_images(counted), not_applicable=left_out, band=band, alpha=alpha)
    if max(abs(value) for value, _ in counted) > 1:
        raise ValueError("values have to be in [-1, 1]")
    units = (_by_cluster(counted) + 1) / 2
    mean = _signed(units.mean())
    low, high = _signed(betting.lower_bound(units, alpha)), _signed(betting.upper_bound(units, alpha))
    status = _held(low, high, band)
    needed = _needed_for_mean(units, band, alpha) if status == "inconclusive" else 0
    said = f"mean {mean:.3f} of {len(units)}, from {low:.3f} to {high:.3f}; {band[0]:g} to {band[1]:g} is allowed"
    return Verdict(
        status=status,
        claim="mean",
        reason=_with_needed(said, needed, "about "),
        n=len(units),
        not_applicable=left_out,
        band=band,
        alpha=alpha,
        p=_p_outside(units, band, alpha),
        needed_n=needed or None,
        effect=mean,
        effect_low=low,
        effect_high=high,
    )


def invalid(reason: str, **figures: Any) -> Verdict:
    """A verdict that says nothing of the model, and why; with what figures there are."""
    return Verdict(status="invalid", reason=reason, **figures)


def worst(statuses: Iterable[str]) -> str:
    """The gravest of some statuses: fail, invalid, inconclusive, pass."""
    return min(statuses, key=BY_GRAVITY.index)


def could_pass(n: int, allowed: float, alpha: float = 0.05) -> bool:
    """Whether n images without a violation would pass."""
    return n > 0 and _bounds(0, n, alpha)[1] <= allowed


def most_that_pass(n: int, allowed: float, alpha: float = 0.05) -> int | None:
    """The most violations among n images that still pass; None where not even none does."""
    passing = [x for x in range(n + 1) if _bounds(x, n, alpha)[1] <= allowed]
    return passing[-1] if passing else None


def needed_n(rate: float, allowed: float, alpha: float = 0.05, *, above: int = 0) -> int | None:
    """The least number of images, above those there are, at which this rate, in whole violations, would decide.

    None where the rate is the allowed one, so that no number would, or where 100,000 would not.
    """
    if rate == allowed:
        return None

    def decides(n: int) -> bool:
        low, high = _bounds(round(rate * n), n, alpha)
        return high <= allowed if rate < allowed else low > allowed

    # Rounding makes `decides` jump to and fro: doubling finds the order of size, the walk the first n in it.
    size = above + 1
    while not decides(size):
        size *= 2
        if size > MOST_CASES:
            return None
    return next(n for n in range(max(above + 1, size // 4), size + 1) if decides(n))


def detectable(n: int, allowed: float, alpha: float = 0.05) -> float | None:
    """The least true rate of violations that fails with a power of 0.8 at n images; None where even 1 does not."""
    fewest = next((x for x in range(n + 1) if _bounds(x, n, alpha)[0] > allowed), None)
    return None if fewest is None else float(betaincinv(fewest, n - fewest + 1, POWER))


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for their number (Holm, Scandinavian Journal of Statistics 6, 1979), in the order given."""
    corrected = [0.0] * len(p_values)
    so_far = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        so_far = max(so_far, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = so_far
    return corrected


def bootstrap_interval(
    values: Sequence[float],
    clusters: Sequence[Hashable] | None = None,
    *,
    seed: int = 0,
    draws: int = 2000,
    level: float = 0.95,
) -> tuple[float, float]:
    """Percentile interval of the mean over images, by drawing images with replacement."""
    means = _by_cluster(zip(values, range(len(values)) if clusters is None else clusters, strict=True))
    chosen = np.random.default_rng(seed).integers(0, len(means), (draws, len(means)))
    low, high = np.quantile(means[chosen].mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _check(rows: Sequence[object], clusters: Sequence[Hashable] | None, alpha: float) -> None:
    if clusters is not None and len(clusters) != len(rows):
        raise ValueError(f"{len(clusters)} clusters for {len(rows)} rows; each row needs one")
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha is {alpha}; it has to be in (0, 0.5)")


def _counted(rows: Sequence[float | None], clusters: Sequence[Hashable] | None) -> list[tuple[float, Hashable]]:
    images = range(len(rows)) if clusters is None else clusters
    return [(row, image) for row, image in zip(rows, images, strict=True) if row is not None]


def _images(counted: Sequence[tuple[float, Hashable]]) -> int:
    return len({image for _, image in counted})


def _hollow(rows: Sequence[float], what: str) -> str:
    if not rows:
        return "no case applies"
    bad = sum(not math.isfinite(row) for row in rows)
    return f"{bad} of {len(rows)} {what} are not finite" if bad else ""


def _by_cluster(rows: Iterable[tuple[float, Hashable]]) -> np.ndarray:
    """The mean of each cluster, in the order in which they first appear."""
    clusters: dict[Hashable, list[float]] = defaultdict(list)
    for row, image in rows:
        clusters[image].append(row)
    return np.array([np.mean(members) for members in clusters.values()])


def _bounds(x: float, n: int, alpha: float) -> tuple[float, float]:
    low = float(betaincinv(x, n - x + 1, alpha)) if x > 0 else 0.0
    high = float(betaincinv(x + 1, n - x, 1 - alpha)) if x < n else 1.0
    return low, high


def _p_above(x: float, n: int, allowed: float) -> float:
    """P(X >= x) at the allowed rate."""
    return float(betainc(x, n - x + 1, allowed)) if x > 0 else 1.0


def _rate_reason(x: float, n: int, interval: tuple[float, float], allowed: float, needed: int | None) -> str:
    low, high = interval
    said = (
        f"{x:.4g} of {n} violate ({100 * x / n:.0f} %, from {100 * low:.1f} to {100 * high:.1f} %);"
        f" {100 * allowed:.4g} % is allowed"
    )
    return _with_needed(said, needed)


def _with_needed(said: str, needed: int | None, roughly: str = "") -> str:
    """Add at which n what was seen would decide: 0 where it decides already, None where none does."""
    if needed == 0:
        return said
    return f"{said}; " + (f"n = {roughly}{needed} would decide" if needed else "no n would decide")


def _held(low: float, high: float, band: tuple[float, float]) -> Status:
    if band[0] <= low and high <= band[1]:
        return "pass"
    return "fail" if high < band[0] or low > band[1] else "inconclusive"


def _p_outside(units: np.ndarray, band: tuple[float, float], alpha: float) -> float:
    low, high = ((edge + 1) / 2 for edge in band)
    return min(1.0, 2 * min(betting.p_value(units, high, alpha), betting.p_value(1 - units, 1 - low, alpha)))


def _needed_for_mean(units: np.ndarray, band: tuple[float, float], alpha: float) -> int | None:
    distance = min(abs(_signed(units.mean()) - edge) for edge in band)
    if distance == 0:
        return None
    deviation = 2 * float(units.std(ddof=1)) if len(units) > 1 else 1.0
    needed = (float(ndtri(1 - alpha)) * deviation / distance) ** 2
    return max(len(units) + 1, math.ceil(needed))


def _signed(unit: float) -> float:
    return 2 * float(unit) - 1
