"""The guards against hollow verdicts: reasons why a pass, or any verdict, would say nothing about the model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from types import MappingProxyType

from vlcheck._util.numbers import brief, part_of
from vlcheck.behaviors.behavior import Behavior
from vlcheck.errors import NotApplicable
from vlcheck.evaluation.finding import Finding, image_keys
from vlcheck.expect.base import Given, Refused, Unknown, Unneeded, Unscaled
from vlcheck.metrics.reading import Unlikely
from vlcheck.stats.decision import Cause

Hollow = tuple[str, Cause]  # the reason why a verdict is invalid, and the kind of this reason
FEWEST_KNOWN = 0.5
MOST_UNLIKELY = 0.5
MOST_GIVEN = 0.5
MOST_REFUSED = 0.5
_CAUSES: Mapping[type[NotApplicable], Cause] = MappingProxyType(
    {
        Unknown: "unknown",
        Unneeded: "unknown",
        Unlikely: "unlikely",
        Refused: "refused",
        Unscaled: "one image",
        Given: "by construction",
    }
)


@dataclass(frozen=True)
class Guards:
    """The guards against a hollow verdict on some findings.

    Attributes:
        behavior: the behavior.
        each: the result of each case.
        counted: those of them that have a margin.
        strange: the tags that the behavior asks for and nothing has, in words; "" for none.
    """

    behavior: Behavior
    each: Sequence[Finding]
    counted: Sequence[Finding]
    strange: str

    def hollow(self) -> Hollow | None:
        """Return the reason why the verdict would be hollow, though all scores are sound."""
        if not self.each:
            strange = f": {self.strange}" if self.strange else ""
            return f"the data has no case for it ({self.behavior.cases.label}){strange}", "no cases"
        checks = (self._unlikely, self._incompetent, self._none_applies, self._mostly_refused)
        return next((reason for check in checks if (reason := check())), None)

    @property
    def futile(self) -> bool:
        """True if the verdict would be invalid however many more images of this sort were asked about."""
        checks = (self.given, self._unlikely, self._incompetent, self._mostly_refused)
        return bool(self.broken or self.constant or any(check() for check in checks))

    @cached_property
    def refused(self) -> list[Finding]:
        """The findings on cases that the data allows and the model refuses."""
        return [finding for finding in self.each if isinstance(finding.reason, Refused) and not finding.errors]

    def said_of_refusals(self) -> str:
        """Return a sentence about the cases that the model refuses; "" if there are none."""
        if not self.refused or not self.counted:  # if no case counts, the verdict lists all reasons anyway
            return ""
        return f"the model refuses {self._of(len(self.refused))}: {self.refused[0].reason}"

    @cached_property
    def broken(self) -> Hollow | None:
        """The fault in scoring; None if there is none."""
        return self._errors() or self.not_finite()

    def _errors(self) -> Hollow | None:
        errors = [finding.errors[0] for finding in self.each if finding.errors]
        return (f"{self._of(len(errors))} could not be scored: {errors[0]}", "errors") if errors else None

    def not_finite(self) -> Hollow | None:
        """Return the reason if a score is not a finite number."""
        bad = sum(not finding.finite for finding in self.each)
        return (f"scores of {self._of(bad)} are not finite", "not finite") if bad else None

    def _of(self, number: int) -> str:
        """Return "3 of 50 cases" for 3."""
        return part_of(number, len(self.each), "case")

    def given(self) -> Hollow | None:
        """Return the reason if at least half of the images are decided by construction."""
        given = [finding for finding in self.each if isinstance(finding.reason, Given)]
        others = {*image_keys(finding for finding in self.each if not isinstance(finding.reason, Given))}
        most = given and len({*image_keys(given)} - others) >= MOST_GIVEN * len({*image_keys(self.each)})
        return (f"in {self._of(len(given))} {given[0].reason}", "by construction") if most else None

    @cached_property
    def constant(self) -> Hollow | None:
        """The reason if all scores are one number, whatever the picture and the text; else None."""
        scores = chain.from_iterable(finding.scores() for finding in self.each)
        first, second = next(scores, None), next(scores, None)
        if first is None or first != second or any(score != first for score in scores):
            return None
        several = len({*image_keys(self.each)}) > 1  # for one image a saturated head may give equal scores
        return (f"the score is {brief(first)} whatever the picture and the text", "constant") if several else None

    def _unlikely(self) -> Hollow | None:
        unlikely = [finding.reason for finding in self.each if isinstance(finding.reason, Unlikely)]
        if unlikely and len(unlikely) >= MOST_UNLIKELY * (len(unlikely) + len(self.counted)):
            return f"in {self._of(len(unlikely))} {unlikely[0]}", "unlikely"
        return None

    def _incompetent(self) -> Hollow | None:
        if self.behavior.expect.competence != "each case":
            return None
        known = {*image_keys(self.counted)}
        unknown = {*image_keys(finding for finding in self.each if isinstance(finding.reason, Unknown))} - known
        asked = len(known) + len(unknown)
        return self.unknown(len(known), asked) if len(known) < FEWEST_KNOWN * asked else None

    def _mostly_refused(self) -> Hollow | None:
        askable = sum(finding.sample.askable for finding in self.each)
        most = self.refused and len(self.refused) >= MOST_REFUSED * askable
        return ("at most half of the cases are left", "refused") if most else None

    def _none_applies(self) -> Hollow | None:
        if self.counted:
            return None
        reasons = Counter(str(finding.reason) for finding in self.each)
        named = ", ".join(f"{count:,} x {reason}" for reason, count in reasons.most_common(3))
        causes = Counter(_cause(finding.reason) for finding in self.each)
        return f"no case applies: {named}", max(causes, key=causes.__getitem__)

    def unknown(self, known: int, asked: int) -> Hollow:
        """Return the reason that the model knows too few cases.

        Args:
            known: number of cases that it knows.
            asked: number of cases that it was asked about.
        """
        said = f"the model knows only {part_of(known, asked, 'case')}: {self.behavior.expect.hollow}"
        return said, "unknown"


def _cause(reason: NotApplicable | None) -> Cause:
    """Return the cause of a case's not counting: "no cases" if the model has no part in it."""
    return next((cause for kind, cause in _CAUSES.items() if isinstance(reason, kind)), "no cases")
