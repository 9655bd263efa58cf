"""From margins to verdicts: statistics alone.

A case with a margin of 0 or less is a violation. The estimand of a rate is the mean over images of each image's
violating share. A rate fails where the lower end of its interval is above what is allowed, and passes where the upper
end is not; a mean passes inside its band and fails outside. Both ends are one-sided bounds at alpha, of the test that
fits how the images were looked at: `bounds.exact` once, `betting.anytime` as often as one likes.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from scipy.special import betaincinv, ndtri  # scipy.stats takes half a second to import

from vlcheck._util.numbers import between, brief, counted, figure, share, shares
from vlcheck.stats.bounds import Tally, Test, exact, lower, upper

Status = Literal["pass", "fail", "inconclusive", "invalid", "not asked"]
Claim = Literal["rate", "mean"]
Cause = Literal["", "no cases", "one image", "unknown", "unlikely", "constant", "not finite", "refused", "errors"]

DECIDED = ("pass", "fail")
NOT_ASKED: Status = "not asked"
# What a bias of the model can bring about. The other causes are the data's, or mean that there is no sound answer.
OF_A_BIAS: tuple[Cause, ...] = ("unknown", "unlikely")
HOLLOW = ("invalid", NOT_ASKED)  # rests on too little for any comparison
# What was not asked comes last: beside a pass it takes nothing from it, and alone it is no pass.
BY_GRAVITY: tuple[Status, ...] = ("fail", "invalid", "inconclusive", "pass", NOT_ASKED)
POWER = 0.8
MOST_CASES = 100_000
_STEP = 0.001


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the cases say of a behavior.

    Attributes:
        status: the verdict.
        claim: whether a rate of violations or a mean was judged.
        reason: why, in a few words.
        cause: of an invalid verdict, which kind of reason it is; "" elsewhere.
        n: images that count.
        not_applicable: cases that do not count.
        refused: those of them that the data lets be asked, and the model refuses.
        mass: of a model that answers questions, the mean of P(yes) + P(no), of one that only compares words that of
            P(any of them); None elsewhere.
        violations: rows whose margin is 0 or less, of which an image may have several; None for a mean.
        rate: mean over images of the violating share, and its one-sided bounds at alpha.
        allowed: the rate that is allowed; None for a mean.
        band: what a mean is held to; None for a rate.
        alpha: error rate of the verdict, and of each bound; of a mean that is held to several sides, or of several
            means, a bound has its share of it.
        p: of the hypothesis that there is nothing to fail for; None where nothing was tested.
        needed_n: images at which the rate or mean seen would decide; None where it decides already or never would.
        detectable: the least true rate, or distance of a mean from its band, that fails with a power of 0.8 at this n;
            None where none does.
        effect: mean of after minus before, or the mean that is claimed about, with an interval.
    """

    status: Status
    claim: Claim = "rate"
    reason: str = ""
    cause: Cause = ""
    n: int = 0
    not_applicable: int = 0
    refused: int = 0
    mass: float | None = None
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
        """Whether the behavior holds; what is inconclusive, invalid or not asked does not pass."""
        return self.status == "pass"

    @property
    def decided(self) -> bool:
        """Whether it passes or fails: more images would not be asked about."""
        return self.status in DECIDED

    @property
    def of_a_bias(self) -> bool:
        """Whether it is invalid for a cause that a bias of the model can bring about."""
        return self.status == "invalid" and self.cause in OF_A_BIAS

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
    test: Test = exact,
) -> Verdict:
    """Hold the rate of violations to what is allowed.

    Args:
        margins: one a case; > 0 holds, None does not count.
        clusters: the image of each case; without it each case is an image of its own.
        allowed: rate of violations that passes, in [0, 1).
        alpha: error rate of each one-sided bound, in (0, 0.5).
        test: of a mean of values in [0, 1], here of the images' violating shares.

    Raises:
        ValueError: for clusters of another length, or allowed or alpha out of range.
    """
    _check(margins, clusters, alpha)
    if not 0 <= allowed < 1:
        raise ValueError(f"allowed is {allowed}; it has to be in [0, 1)")
    applied = _applied(margins, clusters)
    left_out = len(margins) - len(applied)
    hollow = _hollow([margin for margin, _ in applied], "margins")
    if hollow:
        return invalid(*hollow, n=_images(applied), not_applicable=left_out, allowed=allowed, alpha=alpha)
    by_image = _by_cluster((float(margin <= 0), image) for margin, image in applied)
    sample = Tally.of(by_image)
    low, high = lower(test, sample, alpha), upper(test, sample, alpha)
    status = status_of_rate(sample, allowed, alpha, test=test)
    needed = needed_n(sample, allowed, alpha, test=test) if status == "inconclusive" else None
    violations = sum(margin <= 0 for margin, _ in applied)
    said = f"{_seen(by_image, violations, len(applied), (low, high), allowed)}; {share(allowed)} is allowed"
    return Verdict(
        status=status,
        reason=_with_needed(said, needed) if status == "inconclusive" else said,
        n=len(by_image),
        not_applicable=left_out,
        violations=violations,
        rate=sample.mean,
        rate_low=low,
        rate_high=high,
        allowed=allowed,
        alpha=alpha,
        p=test(sample, allowed),
        needed_n=needed,
        detectable=detectable(len(by_image), allowed, alpha, test=test),
    )


def judge_mean(
    values: Sequence[float | None],
    clusters: Sequence[Hashable] | None = None,
    *,
    band: tuple[float, float],
    alpha: float = 0.05,
    test: Test = exact,
) -> Verdict:
    """Hold the mean over images of values in [-1, 1] to a band.

    `detectable` takes the values that were seen, shifted, for those that would be.

    Args:
        values: one a case; None does not count.
        clusters: the image of each case; without it each case is an image of its own.
        band: lowest and highest mean that pass.
        alpha: error rate of each one-sided bound, in (0, 0.5).
        test: of a mean of values in [0, 1], onto which those in [-1, 1] are scaled.

    Raises:
        ValueError: for clusters of another length, values outside [-1, 1], a band that is none, alpha out of range.
    """
    _check(values, clusters, alpha)
    if not band[0] < band[1]:
        raise ValueError(f"the band is {band}; its first end has to be below its second")
    applied = _applied(values, clusters)
    left_out = len(values) - len(applied)
    hollow = _hollow([value for value, _ in applied], "values")
    if hollow:
        return invalid(*hollow, claim="mean", n=_images(applied), not_applicable=left_out, band=band, alpha=alpha)
    if max(abs(value) for value, _ in applied) > 1:
        raise ValueError("values have to be in [-1, 1]")
    sample = Tally.of((_by_cluster(applied) + 1) / 2)
    n, mean = round(sample.n), _signed(sample.mean)
    status = status_of_mean(sample, band, alpha, test=test)
    held_to = alpha if status == "pass" else alpha / _sides(band)
    low, high = _signed(lower(test, sample, held_to)), _signed(upper(test, sample, held_to))
    needed = _needed_for_mean(sample, band, alpha, test) if status == "inconclusive" else None
    said = (
        f"mean {figure(mean, apart=band)} over {counted(n, 'image')}, from {between(low, high, apart=band)};"
        f" {brief(band[0])} to {brief(band[1])} is allowed"
    )
    return Verdict(
        status=status,
        claim="mean",
        reason=_with_needed(said, needed) if status == "inconclusive" else said,
        n=n,
        not_applicable=left_out,
        band=band,
        alpha=alpha,
        p=_p_outside(test, sample, band),
        needed_n=needed,
        detectable=_detectable_mean(sample, band, alpha, test),
        effect=mean,
        effect_low=low,
        effect_high=high,
    )


def status_of_rate(sample: Tally, allowed: float, alpha: float = 0.05, *, test: Test = exact) -> Status:
    """What images' violating shares say: fail or pass where the bound on their mean is above or below the allowed."""
    if _fails(sample, allowed, alpha, test):
        return "fail"
    return "pass" if _passes(sample, allowed, alpha, test) else "inconclusive"


def status_of_mean(sample: Tally, band: tuple[float, float], alpha: float = 0.05, *, test: Test = exact) -> Status:
    """What values that were scaled from [-1, 1] to [0, 1] say of a band of [-1, 1].

    Both edges have to be kept for a pass, so each is held to alpha; either is enough for a fail, so each is held to its
    share of it (Bonferroni).
    """
    if _p_outside(test, sample, band) < alpha:
        return "fail"
    low, high = ((edge + 1) / 2 for edge in band)
    return "pass" if _inside(sample, (low, high), alpha, test) else "inconclusive"


def invalid(reason: str, cause: Cause = "", **figures: Any) -> Verdict:
    """A verdict that says nothing of the model, and why; with what figures there are."""
    return Verdict(status="invalid", reason=reason, cause=cause, **figures)


def worst(statuses: Iterable[str]) -> str:
    """The gravest of some statuses: fail, invalid, inconclusive, pass, not asked."""
    return min(statuses, key=BY_GRAVITY.index)


def could_pass(n: int, allowed: float, alpha: float = 0.05, *, test: Test = exact) -> bool:
    """Whether n images without a violation would pass."""
    return n > 0 and _passes(Tally.of_violations(0, n), allowed, alpha, test)


def most_that_pass(n: int, allowed: float, alpha: float = 0.05, *, test: Test = exact) -> int | None:
    """The most violations among n images that still pass; None where not even none does."""
    too_many = _first(lambda x: x > n or not _passes(Tally.of_violations(x, n), allowed, alpha, test), 0, n + 1)
    return too_many - 1 if n and too_many else None


def fewest_that_pass(allowed: float, alpha: float = 0.05, *, test: Test = exact) -> int | None:
    """The least number of images that pass where none violates; None where 100,000 do not."""
    if not could_pass(MOST_CASES, allowed, alpha, test=test):
        return None
    return _first(lambda n: could_pass(n, allowed, alpha, test=test), 1, MOST_CASES)


def fewest_inside(band: tuple[float, float], alpha: float = 0.05, *, test: Test = exact) -> int | None:
    """The least number of images of which a mean passes where all have the spotless value; None where 100,000 do not.

    The spotless value is the one that passes soonest: in a band around 0 its middle. It is 0 where a side of the band
    is open, since no model is at the end of the range.
    """
    low, high = ((edge + 1) / 2 for edge in band)
    spotless = 0.5 if low <= 0 or high >= 1 else low / (1 - high + low)

    def passes(n: int) -> bool:
        return _inside(Tally(np.array([spotless]), np.array([float(n)])), (low, high), alpha, test)

    return _first(passes, 1, MOST_CASES) if passes(MOST_CASES) else None


def needed_n(sample: Tally, allowed: float, alpha: float = 0.05, *, test: Test = exact) -> int | None:
    """The least number of images, above those there are, at which what was seen of them would decide.

    None where the rate is the allowed one, so that no number would, or where 100,000 would not.
    """
    if sample.mean == allowed:
        return None
    decides = _passes if sample.mean < allowed else _fails
    return _enlarged(sample, lambda larger: decides(larger, allowed, alpha, test))


def detectable(n: int, allowed: float, alpha: float = 0.05, *, test: Test = exact) -> float | None:
    """The least true rate of violations that fails with a power of 0.8 at n images; None where even 1 does not.

    Of images that have one row each, or whose rows hold or violate together; where they do not, less can be found.
    """
    if not _fails(Tally.of_violations(n, n), allowed, alpha, test):
        return None
    fewest = _first(lambda x: _fails(Tally.of_violations(x, n), allowed, alpha, test), 1, n)
    return float(betaincinv(fewest, n - fewest + 1, POWER))


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


def _applied(rows: Sequence[float | None], clusters: Sequence[Hashable] | None) -> list[tuple[float, Hashable]]:
    images = range(len(rows)) if clusters is None else clusters
    return [(row, image) for row, image in zip(rows, images, strict=True) if row is not None]


def _images(applied: Sequence[tuple[float, Hashable]]) -> int:
    return len({image for _, image in applied})


def _hollow(rows: Sequence[float], what: str) -> tuple[str, Cause] | None:
    """Why nothing can be judged, and which kind of cause that is; None where it can."""
    if not rows:
        return "no case applies", "no cases"
    bad = sum(not math.isfinite(row) for row in rows)
    return (f"{bad:,} of {len(rows):,} {what} are not finite", "not finite") if bad else None


def _seen(by_image: np.ndarray, violations: int, rows: int, ends: tuple[float, float], allowed: float) -> str:
    """How many violate: images where each holds or violates as a whole, else rows and an image's share of them."""
    rate, limits = float(by_image.mean()), (allowed,)
    bounds = f"from {shares(*ends, limits)}"
    verb = "violates" if violations == 1 else "violate"
    if rows == len(by_image):
        return f"{violations:,} of {rows:,} {verb} ({share(rate, limits)}, {bounds})"
    on_average = f"on average {share(rate, limits)} of an image's ({counted(len(by_image), 'image')}, {bounds})"
    return f"{violations:,} of {counted(rows, 'row')} {verb}, {on_average}"


def _by_cluster(rows: Iterable[tuple[float, Hashable]]) -> np.ndarray:
    """The mean of each cluster, in the order in which they first appear."""
    clusters: dict[Hashable, list[float]] = defaultdict(list)
    for row, image in rows:
        clusters[image].append(row)
    return np.array([np.mean(members) for members in clusters.values()])


def _fails(sample: Tally, allowed: float, alpha: float, test: Test) -> bool:
    """Whether the lower bound is above what is allowed."""
    return test(sample, allowed) < alpha


def _passes(sample: Tally, allowed: float, alpha: float, test: Test) -> bool:
    """Whether the upper bound is at most what is allowed."""
    return test(sample.mirrored(), 1 - allowed) <= alpha


def _inside(sample: Tally, edges: tuple[float, float], alpha: float, test: Test) -> bool:
    """Whether both bounds are between two edges in [0, 1]; an edge that is 0 or 1 holds of itself."""
    low, high = edges
    above = low <= 0 or _passes(sample.mirrored(), 1 - low, alpha, test)
    return above and (high >= 1 or _passes(sample, high, alpha, test))


def _enlarged(sample: Tally, decides: Callable[[Tally], bool]) -> int | None:
    """The least number of images, above those there are, at which a sample of the same values decides."""
    n = round(sample.n)
    if n >= MOST_CASES or not decides(sample.times(MOST_CASES / n)):
        return None
    return _first(lambda size: decides(sample.times(size / n)), n + 1, MOST_CASES)


def _first(true: Callable[[int], bool], low: int, high: int) -> int:
    """The least number for which it is true, of those from low to high, from some of which on it is."""
    return low + bisect_left(range(low, high), True, key=true)


def _with_needed(said: str, needed: int | None) -> str:
    """Add at which n what was seen would decide."""
    return f"{said}; " + (f"n = {needed:,} would decide" if needed else "no n would decide")


def _detectable_mean(sample: Tally, band: tuple[float, float], alpha: float, test: Test) -> float | None:
    """How far from the band a mean has to be to fail with a power of 0.8, on the side where that is farther.

    Of a sample's mean it is taken, by the normal approximation, that in a fifth of all samples it is nearer to the band
    by `stray` than the true one.
    """
    stray = _quantile(POWER) * sample.deviation / math.sqrt(sample.n)
    low, high = ((edge + 1) / 2 for edge in band)
    outward = [(one, edge) for one, edge in ((sample, high), (sample.mirrored(), 1 - low)) if edge < 1]
    found = [_found_beyond(one, edge, alpha / _sides(band), stray, test) for one, edge in outward]
    there = [distance for distance in found if distance is not None]
    return 2 * max(there) if there else None


def _found_beyond(sample: Tally, edge: float, alpha: float, stray: float, test: Test) -> float | None:
    """How far above an edge the mean of a sample's values has to be, in steps; None where the range ends before."""

    def fails(steps: int) -> bool:
        return _fails(sample.moved(edge + steps * _STEP - stray), edge, alpha, test)

    last = int((1 - edge) / _STEP)
    return _first(fails, 1, last) * _STEP if last > 0 and fails(last) else None


def _sides(band: tuple[float, float]) -> int:
    """On how many sides a mean can leave its band."""
    return max(1, (band[0] > -1) + (band[1] < 1))


def _p_outside(test: Test, sample: Tally, band: tuple[float, float]) -> float:
    """Of the hypothesis that the mean is in its band; an edge at the end of the range is no place to look for it."""
    low, high = ((edge + 1) / 2 for edge in band)
    above = [test(sample, high)] if high < 1 else []
    below = [test(sample.mirrored(), 1 - low)] if low > 0 else []
    return min(1.0, _sides(band) * min(above + below, default=1.0))


def _needed_for_mean(sample: Tally, band: tuple[float, float], alpha: float, test: Test) -> int | None:
    """The n at which the mean seen would pass where it is in the band, and fail where it is not."""
    low, high = ((edge + 1) / 2 for edge in band)
    share = alpha / _sides(band)
    if sample.mean > high:
        return _enlarged(sample, lambda larger: _fails(larger, high, share, test))
    if sample.mean < low:
        return _enlarged(sample, lambda larger: _fails(larger.mirrored(), 1 - low, share, test))
    return _enlarged(sample, lambda larger: _inside(larger, (low, high), alpha, test))


def _quantile(probability: float) -> float:
    """Of the standard normal distribution."""
    return float(ndtri(probability))


def _signed(unit: float) -> float:
    return 2 * float(unit) - 1
