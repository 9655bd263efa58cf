"""Outcomes: the findings on a behavior's cases, and the verdict on them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from vlcheck._util.numbers import counted, part_of
from vlcheck.behaviors.behavior import Behavior
from vlcheck.cases.foils import CONTROL, PARTS, WITHOUT_PICTURE
from vlcheck.errors import UsageError
from vlcheck.evaluation.finding import Finding, image_keys
from vlcheck.evaluation.guards import FEWEST_KNOWN, Guards, Hollow
from vlcheck.evaluation.reachable import fewest_needed, told_by_words
from vlcheck.expect.base import WHOLE, Sample
from vlcheck.metrics.tolerances import Tolerances
from vlcheck.policy.policy import Rule
from vlcheck.stats.bootstrap import bootstrap_interval, by_cluster
from vlcheck.stats.bounds import Test, exact
from vlcheck.stats.decision import BY_GRAVITY, HOLLOW, NOT_ASKED
from vlcheck.stats.lead import judge_lead, leads_over
from vlcheck.stats.verdict import Verdict, invalid, judge, judge_mean

FEWEST_ANSWERED = 0.5  # share of the images that a control has to answer to be a rival


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
        return len({*image_keys(self.counted)})

    @cached_property
    def askable(self) -> int:
        """The number of images that the data allows, whatever the model answers."""
        return len({*image_keys(finding for finding in self.each if finding.sample.askable)})

    @cached_property
    def guards(self) -> Guards:
        """The guards against a hollow verdict."""
        return Guards(self.behavior, self.each, self.counted, self.strange)

    @property
    def futile(self) -> bool:
        """True if the verdict would be invalid however many more images of this sort were asked about."""
        return bool(self.hollow or not self.counted or self.guards.futile)

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
        given = self.guards.given()
        if given and found.status != "fail":  # the other images may be evidence enough for that
            found = self._invalid(given, rule)
        said = "; ".join(filter(None, [found.reason, self.guards.said_of_refusals(), self._said_of_the_control()]))
        return replace(
            found, reason=said, refused=len(self.guards.refused), mass=self._mean_of("mass"), cut=self._mean_of("cut")
        )

    def _judged(self, rule: Rule, test: Test) -> Verdict:
        if broken := self.guards.broken or self.guards.constant:
            return self._invalid(broken, rule)
        if told := self._told(rule, test):
            return replace(self._invalid((told, "no cases"), rule), status=NOT_ASKED, cause="")
        if hollow := self.guards.hollow():
            return self._unless_too_few(self._invalid(hollow, rule), rule, test)
        if self.behavior.expect.claim == "rate":
            return self._with_effect(self._rate(rule, test))
        if self.behavior.expect.claim == "lead":
            return self._ahead(rule, test)
        verdict = self._mean(rule, test)
        known = sum(finding.known for finding in self.counted)
        if verdict.passed and known < FEWEST_KNOWN * len(self.counted):
            return self._invalid(self.guards.unknown(known, len(self.counted)), rule)
        return verdict

    def _mean_of(self, name: Literal["mass", "cut"]) -> float | None:
        """Return the mean of an attribute of all readings; None if no reading has it."""
        read = [getattr(reading, name) for finding in self.each for reading in finding.sample.readings.values()]
        found = [one for one in read if one is not None and math.isfinite(one)]
        return sum(found) / len(found) if found else None

    @property
    def constant(self) -> bool:
        """True if all scores are one number, whatever the picture and the text."""
        return self.guards.constant is not None

    def broken(self) -> str:
        """Return what went wrong in scoring; "" if nothing did."""
        return self.guards.broken[0] if self.guards.broken else ""

    def _rate(self, rule: Rule, test: Test) -> Verdict:
        margins = [finding.margins.get(WHOLE) for finding in self.each]
        verdict = judge(margins, image_keys(self.each), allowed=rule.allowed, alpha=rule.alpha, test=test)
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
        answered = len({*image_keys(finding for finding in self.counted if CONTROL in finding.rivals)})
        return f"{CONTROL} answers {part_of(answered, self.images, 'image')} and is left out"

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
        return [finding.margins.get(WHOLE) for finding in self.each], rivals, image_keys(self.each)

    def leads(self, rule: Rule, test: Test = exact) -> Mapping[str, Mapping[str, float | int]]:
        """Return the table of a lead: the share of right answers of the model and of each rival, and the leads.

        Args:
            rule: the policy's statistical limits.
            test: the statistical test; it has to allow for the number of looks.
        """
        if self.behavior.expect.claim != "lead" or not self.counted or self.guards.not_finite():
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
        verdict = judge_mean(values, image_keys(self.each), band=band, alpha=alpha, test=test)
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
        low, high = bootstrap_interval(effects, image_keys(self.counted))
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
