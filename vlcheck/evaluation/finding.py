"""The finding on one case: its margins, or the reason why it does not count."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from vlcheck.errors import NotApplicable
from vlcheck.expect.base import AFTER, BEFORE, NO_RIVALS, WHOLE, Condition, Expectation, Sample, competes
from vlcheck.metrics.tolerances import Tolerances
from vlcheck.stats.operating_scale import RAW


class Counted(NamedTuple):
    """The part of a case that counts in the verdict.

    Attributes:
        margins: the margin of each claim, by name.
        known: whether the model knows the case, if the expectation asks for that.
        rivals: credit of each rival for the case, for an expectation of a lead.
    """

    margins: Mapping[str, float]
    known: bool
    rivals: Mapping[str, float]

    @classmethod
    def of(cls, sample: Sample, expect: Expectation, tolerances: Tolerances) -> Counted:
        """Compute them from a case's scores; raise NotApplicable, with the reason, if it does not count.

        Args:
            sample: the case's scores.
            expect: the expectation.
            tolerances: the tolerances of the policy.
        """
        sample.demand_answered(decisive_arms(expect), tolerances)
        margins = expect.margins(sample, tolerances)
        known = expect.competence == "no" or expect.known(sample, tolerances)
        return cls(margins, known, expect.rivals(sample) if competes(expect) else NO_RIVALS)


def decisive_arms(expect: Expectation) -> set[str]:
    """Return the arms that decide about a case; the others are for tables."""
    return {BEFORE, AFTER, *expect.arms()}


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one case.

    Attributes:
        sample: the case's scores.
        margins: the margin of each claim, by name; empty if the case does not count.
        reason: why it does not count; None if it does.
        effect: the change of the score; None if the case does not count.
        known: whether the model knows the case, if the expectation asks for that.
        errors: messages of what went wrong in scoring it.
        violated: the condition that fails most clearly; "" if none fails, or none can be named.
        rivals: credit of each rival for the case, for an expectation of a lead; empty if the case does not count.
        shares: the shares that the conditions are about, before and after: see `Expectation.share_of`; empty if they
            are about scores.
    """

    sample: Sample
    margins: Mapping[str, float]
    reason: NotApplicable | None
    effect: float | None
    known: bool
    errors: tuple[str, ...] = ()
    violated: str = ""
    rivals: Mapping[str, float] = field(default_factory=lambda: NO_RIVALS)
    shares: tuple[float, ...] = ()

    @classmethod
    def of(cls, sample: Sample, expect: Expectation, tolerances: Tolerances, errors: tuple[str, ...] = ()) -> Finding:
        """Compute a case's margins.

        Args:
            sample: the case's scores.
            expect: the expectation.
            tolerances: the tolerances of the policy.
            errors: messages of what went wrong in scoring it.
        """
        try:
            found = Counted.of(sample, expect, tolerances)
            conditions, effect = expect.conditions(sample, tolerances), expect.effect(sample)
            violated = _violated(sample, conditions, found.margins.get(WHOLE))
            shares = tuple(one.value for one in conditions) if expect.share_of else ()
            return cls(sample, found.margins, None, effect, found.known, errors, violated, found.rivals, shares)
        except NotApplicable as reason:
            return cls(sample, {}, reason, None, False, errors)

    def scores(self) -> Iterator[float]:
        """Yield every score of the case."""
        for reading in self.sample.readings.values():
            yield from reading.scores.values()

    @property
    def finite(self) -> bool:
        """True if every score of the case is a finite number."""
        return all(map(math.isfinite, self.scores()))


def _violated(sample: Sample, conditions: Iterable[Condition], margin: float | None) -> str:
    """Return the condition of a case that fails most clearly; "" if none fails."""
    least = min(conditions, key=lambda one: one.margin, default=None)
    if least is None or least.margin > 0 or least.margin != margin:  # a subclass may use other conditions for margins
        return ""
    own = "" if sample[BEFORE].scale == RAW else ", on the model's own scale"
    return f"{least.said}{own}"


def image_keys(findings: Iterable[Finding]) -> list[str]:
    """Return the key of the image of each finding."""
    return [finding.sample.case.image.key for finding in findings]
