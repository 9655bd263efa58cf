"""Findings without what only their rows and tables show: of many cases, a verdict is taken from these."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from vlcheck.behaviors.behavior import Behavior
from vlcheck.behaviors.made_trials import RECENT
from vlcheck.evaluation.finding import Finding
from vlcheck.metrics.reading import Reading


def kept_of(findings: Iterable[Finding], behavior: Behavior, cases: int) -> Iterable[Finding]:
    """Return findings as they are kept: slim ones of more than RECENT cases, unless tables read all of their scores.

    Args:
        findings: some findings.
        behavior: the behavior that they are about.
        cases: number of all of its cases.
    """
    return findings if cases <= RECENT or behavior.tables else slimmed(findings)


def slimmed(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield findings in a third of their memory; the verdict on them is the same."""
    for finding in findings:
        readings = {arm: _without_scores(one) for arm, one in _telling(finding.sample.readings).items()}
        for arm in [*readings][:1]:
            readings[arm] = replace(readings[arm], scores=_ends(finding))
        yield replace(finding, sample=replace(finding.sample, readings=readings, absent={}), violated="")


def _telling(readings: Mapping[str, Reading]) -> Mapping[str, Reading]:
    """Return the readings that say more than their scores; if none does, the first one."""
    found = {arm: one for arm, one in readings.items() if not (one.mass is None and one.cut is None)}
    return found or dict([*readings.items()][:1])


def _without_scores(reading: Reading) -> Reading:
    return replace(reading, scores={}, candidates=())


def _ends(finding: Finding) -> dict[str, float]:
    """Return the least and the highest score of a case, which are equal if all are; one that is not finite alone."""
    wrong = (score for score in finding.scores() if not finding.finite and score - score != 0)
    if (strange := next(wrong, None)) is not None:
        return {"strange": strange}
    return {"low": min(finding.scores()), "high": max(finding.scores())}
