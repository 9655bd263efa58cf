"""From the scores of a case to a signed margin: > 0 holds, its size is how clearly.

The three types are those of CheckList (Ribeiro et al., ACL 2020): Preserved is an invariance (INV), Drops, Swaps and
Flips are directional (DIR), Beats is a minimum functionality test (MFT). Balance, Skew and SidePreference are claims
about a mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import ClassVar, Literal, Protocol

from vlcheck._util.numbers import brief, figure
from vlcheck.cases.case import Case
from vlcheck.cases.view import View
from vlcheck.errors import NotApplicable
from vlcheck.metrics.reading import Reading, Tolerances
from vlcheck.perturb import Perturbation
from vlcheck.stats.decision import Claim
from vlcheck.stats.operating_scale import Scale

Competence = Literal["no", "each case", "to pass"]

BEFORE, AFTER, OTHER = "before", "after", "other"
WHOLE = ""


class Unknown(NotApplicable):
    """The model does not know the case: an invariance on it would be hollow."""


class Unneeded(NotApplicable):
    """The picture does not decide the word for the model: what it loses with the picture says nothing."""


class Unscaled(NotApplicable):
    """No other image has set the scale to read the case on: of one image alone nothing can be said."""


class Refused(NotApplicable):
    """The data lets the case be asked, and the model refuses it: the picture is too narrow for its processor, say."""


@dataclass(frozen=True)
class Condition:
    """What has to hold of a case, as an inequality.

    Attributes:
        what: what is held to a limit.
        value: how large it is.
        has_to_be: on which side of the limit it has to be.
        limit: the limit.
        name: which tolerance that is.
        margin: > 0 where it holds.
        ends: the scores before and after of which the value is the difference; empty where it is none.
    """

    what: str
    value: float
    has_to_be: Literal["above", "under"]
    limit: float
    name: str
    margin: float
    ends: tuple[float, ...] = ()

    @property
    def said(self) -> str:
        """The inequality with its numbers, in words."""
        moved = f" from {' to '.join(map(figure, self.ends))}" if self.ends else ""
        value = figure(self.value, apart=(self.limit,))
        return f"{self.what}{moved} is {value}; it has to be {self.has_to_be} {brief(self.limit)} ({self.name})"


@dataclass(frozen=True)
class Sample:
    """One case's readings by arm, and why an arm has none; under which perturbation, where there is one.

    Attributes:
        askable: whether the data lets the case be asked, whatever the model answers.
    """

    case: Case
    readings: Mapping[str, Reading]
    absent: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    perturbation: str = ""
    askable: bool = True

    def __getitem__(self, arm: str) -> Reading:
        if arm in self.absent:
            raise (Refused if self.askable else NotApplicable)(self.absent[arm])
        return self.readings[arm]

    def demand_answered(self, arms: Iterable[str], tolerances: Tolerances) -> None:
        """Raise Unlikely as `Reading.demand_answered`."""
        for arm in arms:
            if arm in self.readings:
                self.readings[arm].demand_answered(tolerances)

    def on(self, scale: Scale) -> Sample:
        """Return the same sample read on an operating scale."""
        return replace(self, readings={arm: replace(one, scale=scale) for arm, one in self.readings.items()})

    def known(self, own: str, other: str, delta: float) -> bool:
        """Whether the model scores the case's own picture higher by delta than one in which the target is not true."""
        return other not in self.absent and self[own].value - self[other].value > delta


class Expectation(Protocol):
    """What a behavior expects of a case's readings.

    Attributes:
        claim: "rate" where each case holds or is violated, "mean" where the mean is held to a band.
        competence: whether a case has to be known to the model: each for itself, or half of them for a pass.
        expected: what has to hold, in a few words for reviewers.
        hollow: why a pass would say nothing where the model knows too little.
        contrasts: whether before and after say things that are not both true; then each is a foil of the other for a
            model that only compares texts.
    """

    claim: ClassVar[Claim]
    competence: ClassVar[Competence]
    expected: ClassVar[str]
    hollow: ClassVar[str]
    contrasts: ClassVar[bool]

    def arms(self) -> Mapping[str, Perturbation]:
        """The views it needs beside before and after, each a perturbation of before."""

    def words(self, view: View) -> tuple[str, ...]:
        """The words it compares the target with."""

    def reads(self) -> tuple[str, ...]:
        """The tolerances that it goes by; no other one matters."""

    def known(self, sample: Sample, tolerances: Tolerances) -> bool:
        """Whether the model knows the case; asked only where competence is."""

    def margins(self, sample: Sample, tolerances: Tolerances) -> Mapping[str, float]:
        """The signed margin, or the value of a mean, by what is claimed about; most claim about the WHOLE alone.

        Raises:
            NotApplicable: where the case says nothing.
        """

    def conditions(self, sample: Sample, tolerances: Tolerances) -> tuple[Condition, ...]:
        """All that has to hold of a case that counts, for reviewers; nothing where that is not told apart."""

    def effect(self, sample: Sample) -> float:
        """How far the score moves: after minus before."""

    def wanted(self, arm: str, target: str) -> str:
        """What has to be said BEFORE or AFTER of a view that has this target, for reviewers; "" where that varies."""


class BaseExpectation:
    """What most expectations share: no arms, no other words, no tolerances, no competence, after minus before.

    One of a rate has either conditions, the margin of the one that holds least is then the case's, or margins.
    """

    claim: ClassVar[Claim] = "rate"
    competence: ClassVar[Competence] = "no"
    expected: ClassVar[str] = ""
    hollow: ClassVar[str] = "what a model guesses holds by chance"
    contrasts: ClassVar[bool] = False

    def arms(self) -> Mapping[str, Perturbation]:
        return {}

    def words(self, view: View) -> tuple[str, ...]:
        return ()

    def reads(self) -> tuple[str, ...]:
        return ()

    def known(self, sample: Sample, tolerances: Tolerances) -> bool:
        return sample.known(BEFORE, OTHER, tolerances.delta)

    def conditions(self, sample: Sample, tolerances: Tolerances) -> tuple[Condition, ...]:
        return ()

    def margins(self, sample: Sample, tolerances: Tolerances) -> Mapping[str, float]:
        return {WHOLE: min(one.margin for one in self.conditions(sample, tolerances))}

    def effect(self, sample: Sample) -> float:
        return sample[AFTER].value - sample[BEFORE].value

    def wanted(self, arm: str, target: str) -> str:
        return f"{target} is true" if arm == BEFORE else ""
