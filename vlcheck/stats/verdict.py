"""Verdicts from margins, by statistics alone.

A case with a margin of 0 or less is a violation. The estimand of a rate is the mean over images of each image's
violating share. A rate fails if the lower end of its interval is above the allowed rate, and passes if the upper end is
not; a mean passes inside its band and fails outside. Both ends are one-sided bounds at alpha. Their test depends on how
often the verdict is computed while images come in: `bounds.exact` for once, `betting.anytime` for any number of times.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from vlcheck._util.numbers import between, brief, counted, figure, part_of, share, shares, verb
from vlcheck.stats.bootstrap import by_cluster
from vlcheck.stats.bounds import Tally, Test, exact, lower, upper
from vlcheck.stats.decision import (
    DECIDED,
    OF_A_BIAS,
    Cause,
    Claim,
    Status,
    n_sides,
    p_outside,
    status_of_mean,
    status_of_rate,
)
from vlcheck.stats.power import detectable, detectable_mean, needed_for_mean, needed_n


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The result of a behavior's cases, with its statistics; `vlcheck.Verdict` is its line in the results file.

    Attributes:
        status: the verdict.
        claim: "rate" if a rate of violations was judged, "mean" if a mean was, "lead" if it was the lead over rivals
            (see `vlcheck.stats.lead`).
        reason: the explanation, in a few words.
        cause: the kind of reason for an invalid verdict; "" otherwise.
        n: number of images that count.
        not_applicable: number of cases that do not count.
        refused: number of those among them that the data allows and the model refuses.
        mass: for a model that answers questions, the mean of P(yes) + P(no); for one that only compares words, the mean
            of P(any of them); None otherwise.
        cut: for a model that thinks before it answers, the share of its thoughts that were cut at their limit; None
            otherwise.
        violations: number of rows whose margin is 0 or less, of which an image may have several; None for a mean.
        rate: mean over images of the violating share; None for a mean.
        rate_low: one-sided lower bound of the rate at alpha.
        rate_high: one-sided upper bound of the rate at alpha.
        allowed: the allowed rate; None for a mean; for a lead that of the best rival, which decides nothing.
        band: the lowest and highest mean that pass; None for a rate.
        alpha: error rate of the verdict, and of each bound; a mean with a band of two sides, or one of several means,
            has bounds at its share of it.
        p: p-value of the hypothesis that the model is within the limit; None if nothing was tested.
        needed_n: number of images at which the observed rate or mean would decide; None if it decides already or never
            would.
        detectable: the least true rate, or the least distance of a mean from its band, that fails with a power of 0.8
            at this n; None if none does.
        effect: mean of after minus before, or the mean or lead that is judged.
        effect_low: lower end of its interval.
        effect_high: upper end of its interval.

    Example:
        >>> verdict = judge([0.2] * 59 + [-0.1])
        >>> verdict.status, round(verdict.rate, 3), verdict.passed
        ('pass', 0.017, True)
    """

    status: Status
    claim: Claim = "rate"
    reason: str = ""
    cause: Cause = ""
    n: int = 0
    not_applicable: int = 0
    refused: int = 0
    mass: float | None = None
    cut: float | None = None
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
        """True if the behavior holds; inconclusive, invalid and "not asked" verdicts do not pass."""
        return self.status == "pass"

    @property
    def decided(self) -> bool:
        """True if it passes or fails, so that no more images are needed."""
        return self.status in DECIDED

    @property
    def of_a_bias(self) -> bool:
        """True if it is invalid for a cause that a bias of the model can produce."""
        return self.status == "invalid" and self.cause in OF_A_BIAS

    @property
    def summary(self) -> str:
        """The verdict in one line."""
        return f"{self.status}: {self.reason}"

    def as_dict(self) -> dict[str, Any]:
        """Return all attributes by name, as the results file has them."""
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
    """Decide whether the rate of violations is within the allowed rate.

    Args:
        margins: one a case; a case holds above 0, and does not count if the margin is None.
        clusters: the image of each case; without it each case is an image of its own.
        allowed: rate of violations that passes, in [0, 1).
        alpha: error rate of each one-sided bound, in (0, 0.5).
        test: a test of a mean of values in [0, 1], here of the images' violating shares.

    Returns:
        The verdict; "invalid" if no case counts or a margin is not finite.

    Raises:
        ValueError: If clusters have another length, or allowed or alpha is out of range.

    Example:
        >>> judge([0.2] * 60).summary
        'pass: 0 of 60 violate (0 %, from 0 to 4.9 %); 10 % is allowed'
    """
    _check(margins, clusters, alpha)
    if not 0 <= allowed < 1:
        raise ValueError(f"allowed is {allowed}; it has to be in [0, 1)")
    applied = _applied(margins, clusters)
    left_out = len(margins) - len(applied)
    hollow = _hollow([margin for margin, _ in applied], "margins")
    if hollow:
        return invalid(*hollow, n=_images(applied), not_applicable=left_out, allowed=allowed, alpha=alpha)
    by_image = by_cluster((float(margin <= 0), image) for margin, image in applied)
    sample = Tally.of(by_image)
    low, high = lower(test, sample, alpha), upper(test, sample, alpha)
    status = status_of_rate(sample, allowed, alpha, test=test)
    needed = needed_n(sample, allowed, alpha, test=test) if status == "inconclusive" else None
    violations = sum(margin <= 0 for margin, _ in applied)
    said = f"{_seen(by_image, violations, len(applied), (low, high), allowed)}; {share(allowed)} is allowed"
    return Verdict(
        status=status,
        reason=with_needed(said, needed) if status == "inconclusive" else said,
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
    """Decide whether the mean over images of values in [-1, 1] is in a band.

    The verdict's `detectable` assumes that values at another mean are distributed as the observed ones, shifted.

    Args:
        values: one a case, in [-1, 1]; None does not count.
        clusters: the image of each case; without it each case is an image of its own.
        band: lowest and highest mean that pass.
        alpha: error rate of each one-sided bound, in (0, 0.5).
        test: a test of a mean of values in [0, 1], to which those in [-1, 1] are scaled.

    Returns:
        The verdict; "invalid" if no case counts or a value is not finite.

    Raises:
        ValueError: If clusters have another length, a value is outside [-1, 1], the band is empty, or alpha is out of
            range.
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
    sample = Tally.of((by_cluster(applied) + 1) / 2)
    n, mean = round(sample.n), to_signed(sample.mean)
    status = status_of_mean(sample, band, alpha, test=test)
    held_to = alpha if status == "pass" else alpha / n_sides(band)
    low, high = to_signed(lower(test, sample, held_to)), to_signed(upper(test, sample, held_to))
    needed = needed_for_mean(sample, band, alpha, test) if status == "inconclusive" else None
    said = (
        f"mean {figure(mean, apart=band)} over {counted(n, 'image')}, from {between(low, high, apart=band)};"
        f" {brief(band[0])} to {brief(band[1])} is allowed"
    )
    return Verdict(
        status=status,
        claim="mean",
        reason=with_needed(said, needed) if status == "inconclusive" else said,
        n=n,
        not_applicable=left_out,
        band=band,
        alpha=alpha,
        p=p_outside(test, sample, band),
        needed_n=needed,
        detectable=detectable_mean(sample, band, alpha, test),
        effect=mean,
        effect_low=low,
        effect_high=high,
    )


def invalid(reason: str, cause: Cause = "", **figures: Any) -> Verdict:
    """Return an invalid verdict, which says nothing about the model.

    Args:
        reason: the explanation, in a few words.
        cause: the kind of reason.
        **figures: further attributes of the verdict.
    """
    return Verdict(status="invalid", reason=reason, cause=cause, **figures)


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
    """Return why nothing can be judged, with the kind of cause; None if it can."""
    if not rows:
        return "no case applies", "no cases"
    bad = sum(not math.isfinite(row) for row in rows)
    return (f"{bad:,} of {len(rows):,} {what} are not finite", "not finite") if bad else None


def _seen(by_image: np.ndarray, violations: int, rows: int, ends: tuple[float, float], allowed: float) -> str:
    """Describe the violations: images if each holds or violates as a whole, else rows and an image's share of them."""
    rate, limits = float(by_image.mean()), (allowed,)
    bounds = f"from {shares(*ends, limits)}"
    violate = verb(violations, "violates", "violate")
    if rows == len(by_image):
        return f"{violations:,} of {rows:,} {violate} ({share(rate, limits)}, {bounds})"
    on_average = f"on average {share(rate, limits)} of an image's ({counted(len(by_image), 'image')}, {bounds})"
    return f"{part_of(violations, rows, 'row')} {violate}, {on_average}"


def with_needed(said: str, needed: int | None) -> str:
    """Add the number of images at which the same distribution of values would decide.

    Args:
        said: the reason of a verdict.
        needed: the number; None if no number would decide.
    """
    return f"{said}; " + (f"n = {needed:,} would decide" if needed else "no n would decide")


def to_signed(unit: float) -> float:
    """Scale a value from [0, 1] to [-1, 1]."""
    return 2 * float(unit) - 1
