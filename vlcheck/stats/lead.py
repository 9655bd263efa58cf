"""Verdicts on a lead: is a model right more often than each of several rivals, on the same images?

The unit is the image. The lead over a rival is the mean over images of the model's share of right answers minus the
rival's. At a lead of 0, `bounds.exact` is the exact one-sided form of McNemar's test if both are right or wrong in one
row an image; with several rows, or with a rival that guesses, it allows for differences of any size.

A pass needs a lead over every rival, so each is tested at the whole alpha: an intersection-union test, which needs no
correction for their number (Berger, Technometrics 24, 1982). A fail may be found against any rival, so each is tested
at its share of alpha (Bonferroni).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vlcheck._util.numbers import between, counted, figure, share
from vlcheck.stats.bootstrap import by_cluster
from vlcheck.stats.bounds import Tally, Test, exact, lower, upper
from vlcheck.stats.decision import Status
from vlcheck.stats.power import detectable_mean, needed_for_mean
from vlcheck.stats.verdict import Verdict, invalid, judge, to_signed, with_needed

AHEAD = (0.0, 1.0)  # leads that pass, their lower end excluded


@dataclass(frozen=True, kw_only=True)
class Lead:
    """The lead of a model over one rival.

    Attributes:
        rival: the rival's name.
        n: number of images on which both count.
        right: mean over images of the rival's share of right answers, in [0, 1].
        right_low: one-sided lower bound of `right` at alpha.
        right_high: one-sided upper bound of `right` at alpha.
        lead: mean over images of the model's share of right answers minus the rival's, in [-1, 1].
        low: one-sided lower bound of the lead at alpha; a pass needs one above 0.
        high: one-sided upper bound of the lead at alpha divided by the number of rivals; a fail needs one below 0.
        p_behind: p-value of the hypothesis that the model is not ahead; a pass needs one of at most alpha.
        p_ahead: p-value of the hypothesis that the model is not behind.
    """

    rival: str
    n: int
    right: float
    right_low: float
    right_high: float
    lead: float
    low: float
    high: float
    p_behind: float
    p_ahead: float


@dataclass(frozen=True)
class _Paired:
    """The differences of one rival, one an image, scaled to [0, 1]."""

    lead: Lead
    sample: Tally


def leads_over(
    right: Sequence[float | None],
    rivals: Mapping[str, Sequence[float | None]],
    clusters: Sequence[Hashable] | None = None,
    *,
    alpha: float = 0.05,
    test: Test = exact,
) -> tuple[Lead, ...]:
    """Return the lead over each rival with its bounds.

    Args:
        right: 1 for a case that the model has right, 0 for one that it has wrong; None for one that does not count.
        rivals: the same for each rival, by its name; a number between 0 and 1 for one that guesses among several.
        clusters: the image of each case; without it each case is an image of its own.
        alpha: error rate of each one-sided bound, in (0, 0.5).
        test: a test of a mean of values in [0, 1].

    Returns:
        The leads in the order of the rivals; none for a rival that shares no case with the model.

    Example:
        >>> (lead,) = leads_over([1.0] * 10, {"a coin": [0.5] * 10})
        >>> lead.lead, round(lead.low, 2)
        (0.5, 0.11)
    """
    return tuple(one.lead for one in _paired(right, rivals, clusters, alpha, test))


def judge_lead(
    margins: Sequence[float | None],
    rivals: Mapping[str, Sequence[float | None]],
    clusters: Sequence[Hashable] | None = None,
    *,
    alpha: float = 0.05,
    test: Test = exact,
) -> Verdict:
    """Decide whether a model is right more often than each of its rivals.

    Args:
        margins: one a case; a case is right above 0, and does not count if the margin is None.
        rivals: the same for each rival, by its name, as in `leads_over`.
        clusters: the image of each case; without it each case is an image of its own.
        alpha: error rate of the decision, in (0, 0.5).
        test: a test of a mean of values in [0, 1].

    Returns:
        The verdict. `rate` is the share of wrong answers; `allowed` is that of the best rival on the same cases, for
        comparison only; `effect` is the least certain lead, with its bounds.

    Example:
        >>> judge_lead([0.2] * 20 + [-0.1] * 2, {"a coin": [0.5] * 22}).summary
        'pass: right in 90.9 %, a coin in 50 %: a lead of 0.409 over 22 images, from 0.193 to 0.518'
    """
    wrong = judge(margins, clusters, alpha=alpha, test=test)
    if wrong.status == "invalid":
        return replace(wrong, claim="lead", allowed=None)
    right = [None if margin is None else float(margin > 0) for margin in margins]
    paired = _paired(right, rivals, clusters, alpha, test)
    if not paired:
        nothing = "there is nothing to compare the model with"
        return invalid(nothing, "no cases", claim="lead", n=wrong.n, not_applicable=wrong.not_applicable, alpha=alpha)
    status = _status([one.lead for one in paired], alpha)
    shown = _shown(paired, status)
    needed = _needed(paired, alpha, test) if status == "inconclusive" else None
    said = _said(wrong.rate or 0.0, shown.lead)
    return replace(
        wrong,
        status=status,
        claim="lead",
        reason=with_needed(said, needed) if status == "inconclusive" else said,
        allowed=1 - max(one.lead.right for one in paired),
        p=min(1.0, len(paired) * min(one.lead.p_ahead for one in paired)),
        needed_n=needed,
        detectable=detectable_mean(shown.sample, AHEAD, alpha / len(paired), test),
        effect=shown.lead.lead,
        effect_low=shown.lead.low,
        effect_high=shown.lead.high,
    )


def unbeatable(
    rivals: Mapping[str, Sequence[float | None]],
    clusters: Sequence[Hashable],
    *,
    alpha: float = 0.05,
    test: Test = exact,
) -> Lead | None:
    """Return the lead over the best rival of those that even a model that is always right would not be ahead of.

    Args:
        rivals: the credits of each rival, by its name, as in `leads_over`.
        clusters: the image of each case.
        alpha: error rate of the decision, in (0, 0.5).
        test: a test of a mean of values in [0, 1].

    Returns:
        The lead of the model that is always right; None if that would pass.

    Example:
        >>> images = list(range(20))
        >>> unbeatable({"a coin": [0.5] * 20}, images)
        >>> unbeatable({"a coin": [0.5] * 20, "its length": [1.0] * 18 + [0.0] * 2}, images).rival
        'its length'
    """
    leads = leads_over([1.0] * len(clusters), rivals, clusters, alpha=alpha, test=test)
    return max((one for one in leads if one.p_behind > alpha), key=lambda one: one.right, default=None)


def _paired(
    right: Sequence[float | None],
    rivals: Mapping[str, Sequence[float | None]],
    clusters: Sequence[Hashable] | None,
    alpha: float,
    test: Test,
) -> list[_Paired]:
    images = range(len(right)) if clusters is None else clusters
    rows = {
        rival: [
            (own, other, image)
            for own, other, image in zip(right, shares, images, strict=True)
            if own is not None and other is not None
        ]
        for rival, shares in rivals.items()
    }
    common = {rival: its for rival, its in rows.items() if its}
    return [_pair(rival, its, alpha, len(common), test) for rival, its in common.items()]


def _pair(rival: str, rows: Sequence[tuple[float, float, Hashable]], alpha: float, rivals: int, test: Test) -> _Paired:
    differences = by_cluster((own - other, image) for own, other, image in rows)
    sample = Tally.of((np.clip(differences, -1.0, 1.0) + 1) / 2)
    alone = Tally.of(np.clip(by_cluster((other, image) for _, other, image in rows), 0.0, 1.0))
    lead = Lead(
        rival=rival,
        n=len(differences),
        right=alone.mean,
        right_low=lower(test, alone, alpha),
        right_high=upper(test, alone, alpha),
        lead=to_signed(sample.mean),
        low=to_signed(lower(test, sample, alpha)),
        high=to_signed(upper(test, sample, alpha / rivals)),
        p_behind=test(sample, 0.5),
        p_ahead=test(sample.mirrored(), 0.5),
    )
    return _Paired(lead, sample)


def _status(each: Sequence[Lead], alpha: float) -> Status:
    if len(each) * min(one.p_ahead for one in each) < alpha:
        return "fail"
    return "pass" if all(one.p_behind <= alpha for one in each) else "inconclusive"


def _shown(paired: Sequence[_Paired], status: Status) -> _Paired:
    """Return the rival that a verdict shows: that which it fails against, else the one with the least certain lead."""
    if status == "fail":
        return min(paired, key=lambda one: one.lead.p_ahead)
    return min(paired, key=lambda one: (one.lead.low, one.lead.lead))


def _needed(paired: Sequence[_Paired], alpha: float, test: Test) -> int | None:
    """Return the number of images at which the same differences would decide; None if no number would."""
    behind = [one for one in paired if one.lead.lead < 0]
    if behind:
        share_of_each = alpha / len(paired)
        needed = [needed_for_mean(one.sample, AHEAD, share_of_each, test) for one in behind]
        return min((n for n in needed if n), default=None)
    if any(one.lead.lead == 0 for one in paired):
        return None
    open_ = [needed_for_mean(one.sample, AHEAD, alpha, test) for one in paired if one.lead.p_behind > alpha]
    return max((n for n in open_ if n), default=None) if all(open_) else None


def _said(wrong: float, nearest: Lead) -> str:
    ends = (0.0,)
    return (
        f"right in {share(1 - wrong)}, {nearest.rival} in {share(nearest.right)}: a lead of"
        f" {figure(nearest.lead, apart=ends)} over {counted(nearest.n, 'image')}, from"
        f" {between(nearest.low, nearest.high, apart=ends)}"
    )
