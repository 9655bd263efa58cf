"""The outcomes that a case may have if each of its scores is a little higher or lower.

A score is moved in log-odds, by up to its bound. Of each picture four readings are tried: the true word higher and all
others lower, and the reverse; all words higher, and all lower. Another word that is nearly the likeliest is tried as
the likeliest, too. The first two are tried in all pictures of a case at once, in every combination, the others in
one picture at a time; all words higher in all pictures at once, too.

No outcome is missed if, in each picture, what the expectation computes rises with the score of the true word and falls
with those of others, or the reverse, and a limit on a sum of scores is that of one picture. This is so for every
expectation that comes with vlcheck.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from types import MappingProxyType

from vlcheck.errors import NotApplicable
from vlcheck.evaluation.finding import Counted
from vlcheck.expect.base import WHOLE, Expectation, Sample
from vlcheck.metrics.reading import Reading
from vlcheck.metrics.tolerances import Tolerances
from vlcheck.stats.log_odds import shifted

Bounds = Mapping[str, float]  # of the scores of one reading in log-odds, by word; 0 for an exact score


@dataclass(frozen=True)
class Possible:
    """The outcome of a case: whether it counts, and with what margins.

    Attributes:
        reason: the sort of reason why it does not count; None if it counts.
        margins: the margin of each claim, by name; empty if it does not count.
        known: whether the model knows the case.
        rivals: credit of each rival.
    """

    reason: type[NotApplicable] | None = None
    margins: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    known: bool = False
    rivals: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of(cls, sample: Sample, expect: Expectation, tolerances: Tolerances) -> Possible:
        """Compute it from a case's scores.

        Args:
            sample: the case's scores.
            expect: the expectation.
            tolerances: the tolerances of the policy.
        """
        try:
            return cls(None, *Counted.of(sample, expect, tolerances))
        except NotApplicable as reason:
            return cls(type(reason))

    def counts(self, expect: Expectation) -> Hashable:
        """Return what a verdict counts of it; of a claim about a mean, whose values it adds up, which claims there are.

        Args:
            expect: the expectation.
        """
        if expect.claim == "mean":
            return self.reason, frozenset(self.margins)
        return self.reason, self.margins.get(WHOLE, 1.0) > 0, self.known, tuple(self.rivals.items())


def possible(
    sample: Sample, bounds: Mapping[str, Bounds], expect: Expectation, tolerances: Tolerances
) -> list[Possible]:
    """Return what a case may come to, beginning with what it comes to with its scores as they are.

    Args:
        sample: the case's scores, on their scale.
        bounds: the bounds of the scores' errors, by arm; an arm that is left out is exact.
        expect: the expectation.
        tolerances: the tolerances of the policy.
    """
    loose = [arm for arm, each in bounds.items() if arm in sample.readings and any(each.values())]
    if not loose:
        return [Possible.of(sample, expect, tolerances)]
    tried = [sample, *_together(sample, bounds, loose), _all_up(sample, bounds, loose), *_apart(sample, bounds, loose)]
    return [Possible.of(one, expect, tolerances) for one in tried]


def _together(sample: Sample, bounds: Mapping[str, Bounds], loose: Collection[str]) -> Iterator[Sample]:
    """Yield the sample with each reading as far for and as far against its true word as may be."""
    ends = [[_ended(sample.readings[arm], bounds[arm], up) for up in _for_and_against(sample, arm)] for arm in loose]
    for readings in product(*ends):
        yield replace(sample, readings={**sample.readings, **dict(zip(loose, readings, strict=True))})


def _all_up(sample: Sample, bounds: Mapping[str, Bounds], loose: Collection[str]) -> Sample:
    """Return the sample with all scores higher: several pictures may be what keeps a case from counting."""
    readings = {arm: _ended(sample.readings[arm], bounds[arm], sample.readings[arm].scores) for arm in loose}
    return replace(sample, readings={**sample.readings, **readings})


def _apart(sample: Sample, bounds: Mapping[str, Bounds], loose: Collection[str]) -> Iterator[Sample]:
    """Yield the sample with one of its readings at another end."""
    for arm in loose:
        reading = sample.readings[arm]
        ends = [_ended(reading, bounds[arm], (), mass_up=False)]
        ends += (_ended(reading, bounds[arm], {word}) for word in _nearly_likeliest(reading, bounds[arm]))
        if len(loose) > 1:
            ends.append(_ended(reading, bounds[arm], reading.scores))
        for end in ends:
            yield replace(sample, readings={**sample.readings, arm: end})


def _for_and_against(sample: Sample, arm: str) -> tuple[set[str], set[str]]:
    reading = sample.readings[arm]
    return {reading.target}, {*reading.scores} - {reading.target}


def _ended(reading: Reading, bounds: Bounds, up: Collection[str], *, mass_up: bool = True) -> Reading:
    """Return a reading with some words as likely as may be, all others as unlikely, and `mass` at one of its ends."""
    scores = {
        word: shifted(score, bounds.get(word, 0.0) if word in up else -bounds.get(word, 0.0))
        for word, score in reading.scores.items()
    }
    most, mass = max(bounds.values(), default=0.0), reading.mass
    if mass is not None:
        mass = shifted(mass, most if mass_up else -most)
    return replace(reading, scores=scores, mass=mass)


def _nearly_likeliest(reading: Reading, bounds: Bounds) -> Iterator[str]:
    """Yield the words, other than the true one, that may be the likeliest, if there are several."""
    bound = max(bounds.values(), default=0.0)
    most = shifted(max(reading.scores.values()), -bound)
    near = [word for word, score in reading.scores.items() if shifted(score, bound) >= most]
    if len(near) > 1:
        yield from (word for word in near if word != reading.target)
