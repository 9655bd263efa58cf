"""Outcomes: the findings on a behavior's cases, the guards against hollow verdicts, and the verdict."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from itertools import chain
from types import MappingProxyType
from typing import Literal, NamedTuple

from vlcheck._util.numbers import brief, counted, share
from vlcheck.behaviors.behavior import Behavior
from vlcheck.cases.foils import CONTROL, PARTS, WITHOUT_PICTURE
from vlcheck.errors import NotApplicable, UsageError
from vlcheck.expect.base import (
    AFTER,
    BEFORE,
    NO_RIVALS,
    WHOLE,
    Competing,
    Condition,
    Expectation,
    Given,
    Refused,
    Sample,
    Unknown,
    Unneeded,
    Unscaled,
)
from vlcheck.metrics.reading import Unlikely
from vlcheck.metrics.tolerances import Tolerances
from vlcheck.policy.policy import Rule
from vlcheck.stats.bootstrap import bootstrap_interval, by_cluster
from vlcheck.stats.bounds import Test, exact
from vlcheck.stats.decision import BY_GRAVITY, HOLLOW, NOT_ASKED, Cause, Claim
from vlcheck.stats.lead import judge_lead, leads_over, unbeatable
from vlcheck.stats.operating_scale import RAW
from vlcheck.stats.power import fewest_ahead, fewest_inside, fewest_that_pass
from vlcheck.stats.verdict import Verdict, invalid, judge, judge_mean

Hollow = tuple[str, Cause]  # the reason why a verdict is invalid, and the kind of this reason

FEWEST_KNOWN = 0.5
MOST_UNLIKELY = 0.5
MOST_GIVEN = 0.5
MOST_REFUSED = 0.5
FEWEST_ANSWERED = 0.5  # share of the images that a control has to answer to be a rival
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
        return cls(margins, known, expect.rivals(sample) if _competes(type(expect)) else NO_RIVALS)  # type: ignore[attr-defined]


@cache
def _competes(expectation: type[Expectation]) -> bool:
    return issubclass(expectation, Competing)  # of a protocol: too slow for every case


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


@dataclass(frozen=True)
class Findings:
    """The results of all cases of a behavior under one metric.

    Attributes:
        behavior: the behavior.
        each: the result of each case.
        hollow: why a pass would mean nothing, whatever the cases show; "" if it means something.
        wanted: the number of images that should count at most; None for no limit.
        strange: the tags that the behavior asks for and nothing has, in words; "" for none.
    """

    behavior: Behavior
    each: tuple[Finding, ...]
    hollow: str = ""
    wanted: int | None = None
    strange: str = ""

    def under(self, tolerances: Tolerances) -> Findings:
        """Return the findings for the same scores under other tolerances."""
        expect = self.behavior.expect
        return replace(self, each=tuple(Finding.of(one.sample, expect, tolerances, one.errors) for one in self.each))

    @property
    def samples(self) -> list[Sample]:
        return [finding.sample for finding in self.each]

    @cached_property
    def counted(self) -> list[Finding]:
        """The findings that have a margin."""
        return [finding for finding in self.each if finding.margins]

    @cached_property
    def images(self) -> int:
        """The number of images that count."""
        return len({*self._images(self.counted)})

    @cached_property
    def askable(self) -> int:
        """The number of images that the data allows, whatever the model answers."""
        return len({*self._images(finding for finding in self.each if finding.sample.askable)})

    @property
    def futile(self) -> bool:
        """True if the verdict would be invalid however many more images of this sort were asked about."""
        checks = (self._given, self._unlikely, self._incompetent, self._mostly_refused)
        amiss = self.hollow or not self.counted or self._broken or self._constant
        return bool(amiss or any(check() for check in checks))

    def verdict(self, rule: Rule, test: Test = exact) -> Verdict:
        """Return the verdict: invalid if it would be hollow, else the result of the statistics.

        A directional or functional expectation asks for no competence, so it fails also if the model shows no
        knowledge. If nothing is decided, and the data has fewer images than a pass needs, the verdict is "not asked".

        Args:
            rule: the policy's statistical limits.
            test: the statistical test; it has to allow for the number of looks.

        Raises:
            UsageError: the claim is about a mean, and the policy has no band for it.
        """
        found = self._judged(rule, test)
        excused = found.status == "fail" and self.behavior.expect.competence == "no"
        if self.hollow and found.status not in HOLLOW and not excused:
            found = self._invalid((f"{self.hollow}: {self.behavior.expect.hollow}", "unlikely"), rule)
        given = self._given()
        if given and found.status != "fail":  # the other images may be evidence enough for that
            found = self._invalid(given, rule)
        said = "; ".join(filter(None, [found.reason, self._said_of_refusals(), self._said_of_the_control()]))
        return replace(
            found, reason=said, refused=len(self.refused), mass=self._mean_of("mass"), cut=self._mean_of("cut")
        )

    def _judged(self, rule: Rule, test: Test) -> Verdict:
        if broken := self._broken or self._constant:
            return self._invalid(broken, rule)
        if told := self._told(rule, test):
            return replace(self._invalid((told, "no cases"), rule), status=NOT_ASKED, cause="")
        if hollow := self._hollow():
            return self._unless_too_few(self._invalid(hollow, rule), rule, test)
        if self.behavior.expect.claim == "rate":
            return self._with_effect(self._rate(rule, test))
        if self.behavior.expect.claim == "lead":
            return self._ahead(rule, test)
        verdict = self._mean(rule, test)
        known = sum(finding.known for finding in self.counted)
        if verdict.passed and known < FEWEST_KNOWN * len(self.counted):
            return self._invalid(self._unknown(known, len(self.counted)), rule)
        return verdict

    @cached_property
    def refused(self) -> list[Finding]:
        """The findings on cases that the data allows and the model refuses."""
        return [finding for finding in self.each if isinstance(finding.reason, Refused) and not finding.errors]

    def _said_of_refusals(self) -> str:
        if not self.refused or not self.counted:  # if no case counts, the verdict lists all reasons anyway
            return ""
        return f"the model refuses {self._of(len(self.refused))}: {self.refused[0].reason}"

    def _mean_of(self, name: Literal["mass", "cut"]) -> float | None:
        """Return the mean of an attribute of all readings; None if no reading has it."""
        read = [getattr(reading, name) for finding in self.each for reading in finding.sample.readings.values()]
        found = [one for one in read if one is not None and math.isfinite(one)]
        return sum(found) / len(found) if found else None

    def _hollow(self) -> Hollow | None:
        """Return the reason why the verdict would be hollow, though all scores are sound."""
        if not self.each:
            strange = f": {self.strange}" if self.strange else ""
            return f"the data has no case for it ({self.behavior.cases.label}){strange}", "no cases"
        checks = (self._unlikely, self._incompetent, self._none_applies, self._mostly_refused)
        return next((reason for check in checks if (reason := check())), None)

    @property
    def constant(self) -> bool:
        """True if all scores are one number, whatever the picture and the text."""
        return self._constant is not None

    def broken(self) -> str:
        """Return what went wrong in scoring; "" if nothing did."""
        return self._broken[0] if self._broken else ""

    @cached_property
    def _broken(self) -> Hollow | None:
        return self._errors() or self._not_finite()

    def _errors(self) -> Hollow | None:
        errors = [finding.errors[0] for finding in self.each if finding.errors]
        return (f"{self._of(len(errors))} could not be scored: {errors[0]}", "errors") if errors else None

    def _not_finite(self) -> Hollow | None:
        bad = sum(not finding.finite for finding in self.each)
        return (f"scores of {self._of(bad)} are not finite", "not finite") if bad else None

    def _of(self, number: int) -> str:
        """Return "3 of 50 cases" for 3."""
        return f"{number:,} of {counted(len(self.each), 'case')}"

    def _given(self) -> Hollow | None:
        """Return the reason if at least half of the images are decided by construction."""
        given = [finding for finding in self.each if isinstance(finding.reason, Given)]
        others = {*self._images(finding for finding in self.each if not isinstance(finding.reason, Given))}
        most = given and len({*self._images(given)} - others) >= MOST_GIVEN * len({*self._images(self.each)})
        return (f"in {self._of(len(given))} {given[0].reason}", "by construction") if most else None

    @cached_property
    def _constant(self) -> Hollow | None:
        scores = chain.from_iterable(finding.scores() for finding in self.each)
        first, second = next(scores, None), next(scores, None)
        if first is None or first != second or any(score != first for score in scores):
            return None
        several = len({*self._images(self.each)}) > 1  # for one image a saturated head may give equal scores
        return (f"the score is {brief(first)} whatever the picture and the text", "constant") if several else None

    def _unlikely(self) -> Hollow | None:
        unlikely = [finding.reason for finding in self.each if isinstance(finding.reason, Unlikely)]
        if unlikely and len(unlikely) >= MOST_UNLIKELY * (len(unlikely) + len(self.counted)):
            return f"in {self._of(len(unlikely))} {unlikely[0]}", "unlikely"
        return None

    def _incompetent(self) -> Hollow | None:
        if self.behavior.expect.competence != "each case":
            return None
        known = {*self._images(self.counted)}
        unknown = {*self._images(finding for finding in self.each if isinstance(finding.reason, Unknown))} - known
        asked = len(known) + len(unknown)
        return self._unknown(len(known), asked) if len(known) < FEWEST_KNOWN * asked else None

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

    def _unknown(self, known: int, asked: int) -> Hollow:
        said = f"the model knows only {known:,} of {counted(asked, 'case')}: {self.behavior.expect.hollow}"
        return said, "unknown"

    def _rate(self, rule: Rule, test: Test) -> Verdict:
        margins = [finding.margins.get(WHOLE) for finding in self.each]
        verdict = judge(margins, self._images(self.each), allowed=rule.allowed, alpha=rule.alpha, test=test)
        return self._unless_too_few(verdict, rule, test)

    def _told(self, rule: Rule, test: Test) -> str:
        """Return that words alone tell the foils, if no model could pass on the images that there are; else ""."""
        there = [finding.sample for finding in self.each if finding.sample.askable]
        plain = [{name: one for name, one in its.rivals.items() if name != CONTROL} for its in there]
        return told_by_words(plain, [one.case.image.key for one in there], rule, test)

    def _said_of_the_control(self) -> str:
        """Return that the control is left out, if it answers less than half of the images."""
        if not self._control_is_left_out:
            return ""
        answered = len({*self._images(finding for finding in self.counted if CONTROL in finding.rivals)})
        return f"{CONTROL} answers {answered:,} of {counted(self.images, 'image')} and is left out"

    @cached_property
    def _control_is_left_out(self) -> bool:
        answered = sum(CONTROL in finding.rivals for finding in self.counted)
        return 0 < answered < FEWEST_ANSWERED * len(self.counted)

    def _ahead(self, rule: Rule, test: Test) -> Verdict:
        verdict = judge_lead(*self.compared, alpha=rule.alpha, test=test)
        return self._unless_too_few(verdict, rule, test)

    @property
    def compared(self) -> tuple[list[float | None], Mapping[str, list[float | None]], list[str]]:
        """The margin of each case, the credits of each rival, and the case's image."""
        names = dict.fromkeys(name for finding in self.each for name in finding.rivals)
        if self._control_is_left_out:
            del names[CONTROL]
        rivals = {name: [finding.rivals.get(name) for finding in self.each] for name in names}
        return [finding.margins.get(WHOLE) for finding in self.each], rivals, self._images(self.each)

    def leads(self, rule: Rule, test: Test = exact) -> Mapping[str, Mapping[str, float | int]]:
        """Return the table of a lead: the share of right answers of the model and of each rival, and the leads.

        Args:
            rule: the policy's statistical limits.
            test: the statistical test; it has to allow for the number of looks.
        """
        if self.behavior.expect.claim != "lead" or not self.counted or self._not_finite():
            return {}
        margins, rivals, images = self.compared
        right = [None if margin is None else float(margin > 0) for margin in margins]
        own = by_cluster((one, image) for one, image in zip(right, images, strict=True) if one is not None)
        cells: dict[str, float | int] = {"right": float(own.mean()), "n": len(own)}
        for lead in leads_over(right, rivals, images, alpha=rule.alpha, test=test):
            figures = (lead.right, lead.right_low, lead.right_high, lead.lead, lead.low, lead.high, lead.n)
            cells |= {f"{lead.rival}{part}": figure for part, figure in zip(PARTS, figures, strict=True)}
        return {WITHOUT_PICTURE: cells}

    def _mean(self, rule: Rule, test: Test) -> Verdict:
        """Return the verdict of claims about means: a fail if one mean is outside the band, a pass if all are inside.

        A fail may be found in several places, so each claim is tested for one at its share of alpha (Bonferroni). A
        pass needs all claims, so each is tested for one at the whole alpha.
        """
        if rule.band is None:
            raise UsageError(f"the policy has no band for {self.behavior.name}: add one under [behaviors].")
        claims = sorted({claim for finding in self.counted for claim in finding.margins})
        plain = {claim: self._held(claim, rule, rule.alpha, test) for claim in claims}
        strict = {
            claim: self._held(claim, rule, rule.alpha / len(claims), test)
            for claim in claims
            if not plain[claim].passed
        }
        if not strict:
            return max(plain.values(), key=lambda verdict: abs(verdict.effect or 0.0))
        at = min(strict, key=lambda claim: (BY_GRAVITY.index(strict[claim].status), strict[claim].p or 0.0))
        needed = [verdict.needed_n for verdict in (strict[at], plain[at]) if verdict.needed_n]
        p = min(1.0, (strict[at].p or 0.0) * len(claims))
        return replace(strict[at], alpha=rule.alpha, p=p, needed_n=min(needed, default=None))

    def _held(self, claim: str, rule: Rule, alpha: float, test: Test) -> Verdict:
        band = rule.band
        values = [finding.margins.get(claim) for finding in self.each]
        verdict = judge_mean(values, self._images(self.each), band=band, alpha=alpha, test=test)
        verdict = self._unless_too_few(verdict, rule, test)
        return replace(verdict, reason=f"{claim}: {verdict.reason}") if claim != WHOLE else verdict

    def _unless_too_few(self, verdict: Verdict, rule: Rule, test: Test) -> Verdict:
        """Return the verdict, or "not asked" if it decides nothing and the data has fewer images than a pass needs.

        Images that do not count because of the model's answers are included, up to the number that was wanted: for
        another model they might count.
        """
        could_count = verdict.n + self.askable - self.images
        if self.wanted is not None:
            could_count = min(could_count, self.wanted)
        least = fewest_needed(self.behavior.expect.claim, rule, test)
        if verdict.decided or (could_count and (least is None or could_count >= least)):
            return verdict
        has = counted(could_count, "image") if could_count else verdict.reason
        said = f"{has}; a pass needs {least}" if least else has
        return replace(verdict, status=NOT_ASKED, reason=said, cause="")

    def _with_effect(self, verdict: Verdict) -> Verdict:
        effects = [finding.effect for finding in self.counted if finding.effect is not None]
        low, high = bootstrap_interval(effects, self._images(self.counted))
        return replace(verdict, effect=sum(effects) / len(effects), effect_low=low, effect_high=high)

    def _invalid(self, hollow: Hollow, rule: Rule) -> Verdict:
        claim = self.behavior.expect.claim
        return replace(
            invalid(*hollow, n=self.images, not_applicable=len(self.each) - len(self.counted)),
            claim=claim,
            alpha=rule.alpha,
            allowed=rule.allowed if claim == "rate" else None,
            band=rule.band if claim == "mean" else None,
        )

    @staticmethod
    def _images(findings: Iterable[Finding]) -> list[str]:
        return [finding.sample.case.image.key for finding in findings]


def _violated(sample: Sample, conditions: Iterable[Condition], margin: float | None) -> str:
    """Return the condition of a case that fails most clearly; "" if none fails."""
    least = min(conditions, key=lambda one: one.margin, default=None)
    if least is None or least.margin > 0 or least.margin != margin:  # a subclass may use other conditions for margins
        return ""
    own = "" if sample[BEFORE].scale == RAW else ", on the model's own scale"
    return f"{least.said}{own}"


def _cause(reason: NotApplicable | None) -> Cause:
    """Return the cause of a case's not counting: "no cases" if the model has no part in it."""
    return next((cause for kind, cause in _CAUSES.items() if isinstance(reason, kind)), "no cases")


def told_by_words(rivals: Sequence[Mapping[str, float]], images: Sequence[str], rule: Rule, test: Test = exact) -> str:
    """Return that words alone tell the foils, if even a model that is always right could not pass; else "".

    Too few images to be ahead of a coin are no such reason.

    Args:
        rivals: the credits of the choices by the words alone, for each case; empty if no lead is claimed.
        images: the image of each case.
        rule: the policy's statistical limits.
        test: the statistical test; it has to allow for the number of looks.
    """
    names = dict.fromkeys(name for one in rivals for name in one)
    least = fewest_needed("lead", rule, test) if names else None
    if least is None or len({*images}) < least:
        return ""
    each = {name: [one.get(name) for one in rivals] for name in names}
    lead = unbeatable(each, images, alpha=rule.alpha, test=test)
    if lead is None:
        return ""
    return f"words alone tell these foils ({lead.rival} in {share(lead.right)} of {counted(lead.n, 'image')})"


@cache
def fewest_needed(claim: Claim, rule: Rule, test: Test = exact) -> int | None:
    """Return the least number of images with which a behavior can pass; None if it cannot pass with any number.

    Args:
        claim: "rate", "mean" or "lead", what the behavior makes a claim about.
        rule: the policy's statistical limits.
        test: the statistical test of the bounds.
    """
    if claim == "rate":
        return fewest_that_pass(rule.allowed, rule.alpha, test=test)
    if claim == "lead":
        return fewest_ahead(rule.alpha, test=test)
    return fewest_inside(rule.band, rule.alpha, test=test)
