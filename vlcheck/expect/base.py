"""The parts of every expectation: samples of scores, conditions on them, and signed margins.

A margin above 0 means that the expectation holds; its size says how clearly. The three types are those of CheckList
(Ribeiro et al., ACL 2020): Preserved is an invariance (INV), Drops, Swaps and Flips are directional (DIR), Beats is a
minimum functionality test (MFT), and so is BeatsBlind, which is judged by its lead over choices without the picture.
Balance, BothContribute, ContextReliance, NeitherAlone, Skew and SidePreference are
claims about a mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from types import MappingProxyType
from typing import ClassVar, Literal, Protocol, TypeGuard, runtime_checkable

from vlcheck._util.numbers import brief, figure
from vlcheck.cases.case import Case
from vlcheck.cases.view import View
from vlcheck.errors import NotApplicable
from vlcheck.metrics.reading import Reading
from vlcheck.metrics.tolerances import Tolerances
from vlcheck.perturb import Perturbation
from vlcheck.stats.decision import Claim
from vlcheck.stats.operating_scale import Scale

Competence = Literal["no", "each case", "to pass"]
About = Literal["change", "truth", "preference"]

BEFORE, AFTER, OTHER = "before", "after", "other"
WHOLE = ""
THE_TRUE_WORD, TRUE_BEFORE = "the true word", "the word true before the edit"  # see `Expectation.share_of`
NO_RIVALS: Mapping[str, float] = MappingProxyType({})


class Unknown(NotApplicable):
    """The model does not know the case, so that an invariance on it would hold trivially."""


class Unneeded(NotApplicable):
    """The picture does not decide the word for the model, so that removing the picture shows nothing."""


class Unscaled(NotApplicable):
    """There are no other images to calibrate the scale on which the case's scores are read."""


class Refused(NotApplicable):
    """The data allows the case, but the model refuses it, e.g. because the picture is too narrow for its processor."""


class Withheld(NotApplicable):
    """The model was not asked about an arm, since its answer cannot make the case count."""


class Given(NotApplicable):
    """The model answers before and after alike by construction, so that the case says nothing of it."""


@dataclass(frozen=True)
class Condition:
    """An inequality that must hold for a case.

    Attributes:
        what: the quantity, e.g. "the drop".
        value: its value.
        has_to_be: the side of the limit on which the value must be.
        limit: the limit.
        name: the tolerance that the limit comes from, e.g. "within" or "0.5 + by"; "" if the policy has no part in it.
        margin: above 0 if the condition holds.
        ends: the scores before and after, if the value is their difference; else empty.
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
        by_policy = f" (tolerance of the policy: {self.name})" if self.name else ""
        return f"{self.what}{moved} is {value}; it has to be {self.has_to_be} {brief(self.limit)}{by_policy}"


@dataclass(frozen=True, slots=True)
class Sample:
    """One case's readings by arm; an arm is one of the views that are compared, such as "before" and "after".

    Attributes:
        case: the case.
        readings: the model's scores by arm.
        absent: the reason why an arm has no reading, by arm.
        perturbation: the perturbation between before and after, as results show it; "" if there is none.
        askable: whether the data allows the case, whatever the model answers.
        rivals: credit of others for the case, in [0, 1], by their names; see `Competing`.
        given: whether the model decides the case by construction.
        withheld: the arms that the model was not asked about; they are neither in `readings` nor in `absent`.
    """

    case: Case
    readings: Mapping[str, Reading]
    absent: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    perturbation: str = ""
    askable: bool = True
    rivals: Mapping[str, float] = field(default_factory=lambda: NO_RIVALS)
    given: bool = False
    withheld: frozenset[str] = frozenset()

    def __getitem__(self, arm: str) -> Reading:
        if arm in self.withheld:
            raise Withheld(f"the model was not asked about {arm}")
        if self.given and arm in self.absent:
            raise Given(self.absent[arm])
        if arm in self.absent:
            raise (Refused if self.askable else NotApplicable)(self.absent[arm])
        if arm == AFTER and arm not in self.readings:
            raise ValueError("the expectation compares before with after, so that the behavior needs a perturb")
        return self.readings[arm]

    def demand_there(self, *arms: str) -> None:
        """Raise the reason why one of some arms has no reading; those that the model was not asked about are skipped.

        An expectation that calls this first, and reads AFTER last, counts a case alike whether or not AFTER was asked
        about.

        Args:
            *arms: the arms to check.

        Raises:
            NotApplicable: an arm has no reading.
        """
        for arm in arms:
            if arm not in self.withheld:
                self[arm]

    def demand_answered(self, arms: Iterable[str], tolerances: Tolerances) -> None:
        """Raise Unlikely if a reading gives too little probability to all accepted answers.

        Args:
            arms: the arms to check; those without a reading are skipped.
            tolerances: the least probability is `mass` or `floor`.

        Raises:
            Unlikely: Under the same conditions as `Reading.demand_answered`.
        """
        for arm in arms:
            if arm in self.readings:
                self.readings[arm].demand_answered(tolerances)

    def on(self, scale: Scale) -> Sample:
        """Return the same sample, read on an operating scale."""
        if all(one.scale is scale for one in self.readings.values()):
            return self
        return replace(self, readings={arm: replace(one, scale=scale) for arm, one in self.readings.items()})

    def known(self, own: str, other: str, delta: float) -> bool:
        """Return True if the model scores the case's own picture higher than one in which the target is not true.

        Args:
            own: the arm with the case's own picture.
            other: the arm with the other picture.
            delta: the least difference of scores, in [0, 1].
        """
        return other not in self.absent and self[own].value - self[other].value > delta


class Expectation(Protocol):
    """A behavior's expectation of a case's readings.

    Attributes:
        claim: "rate" if each case holds or is violated, "mean" if the mean is compared with a band, "lead" if cases
            that hold are compared with those that others have right; it is then `Competing`.
        competence: whether the model has to know a case: "no", "each case" to be counted, or half of them "to pass".
        expected: the expectation in a few words, for reviewers.
        hollow: why a pass would mean nothing if the model knows too little.
        contrasts: whether the texts before and after cannot both be true. Each is then a foil of the other for a model
            that only compares texts.
        about: the subject of a case: the "change" of the answers alone, the "truth" of an answer as well, or the
            "preference" among words. A symmetry that a model has by construction (`StatesSymmetry`) decides a change or
            a preference.
        share_of: the word whose share against a rival the conditions are about: THE_TRUE_WORD, TRUE_BEFORE, or a
            word such as "left"; "" if they are about scores.
    """

    claim: ClassVar[Claim]
    competence: ClassVar[Competence]
    expected: ClassVar[str]
    hollow: ClassVar[str]
    contrasts: ClassVar[bool]
    about: ClassVar[About]
    share_of: ClassVar[str]

    def arms(self) -> Mapping[str, Perturbation]:
        """Return the views needed beside before and after, each as a perturbation of before."""

    def words(self, view: View) -> tuple[str, ...]:
        """Return the words that the target is compared with."""

    def reads(self) -> tuple[str, ...]:
        """Return the names of the tolerances that the expectation depends on."""

    def known(self, sample: Sample, tolerances: Tolerances) -> bool:
        """Return True if the model knows the case; called only if `competence` asks for it.

        Args:
            sample: the case's readings.
            tolerances: the policy's tolerances; the score has to differ by `delta`.
        """

    def margins(self, sample: Sample, tolerances: Tolerances) -> Mapping[str, float]:
        """Return the signed margin, or for a mean the value, by subject; most expectations have one subject, WHOLE.

        Args:
            sample: the case's readings.
            tolerances: the policy's tolerances.

        Raises:
            NotApplicable: If the case does not count; the message is the reason.
        """

    def conditions(self, sample: Sample, tolerances: Tolerances) -> tuple[Condition, ...]:
        """Return all conditions of a case that counts, for reviewers; empty if margins are not made of conditions.

        Args:
            sample: the case's readings.
            tolerances: the policy's tolerances.
        """

    def effect(self, sample: Sample) -> float:
        """Return how far the score moves: after minus before, in [-1, 1]."""

    def wanted(self, arm: str, target: str) -> str:
        """Describe for reviewers what should be true of a view.

        Args:
            arm: BEFORE or AFTER.
            target: the target of the view.

        Returns:
            A short text; "" if it depends on the case.
        """


@runtime_checkable
class Competing(Protocol):
    """An expectation of a lead: a model has to have more cases right than each of its rivals.

    The credit of a rival is 1 for a case that it has right, 0 for one that it has wrong, and a share of 1 if it guesses
    among several answers.
    """

    def learn(self, images: Mapping[str, Sequence[Case]]) -> Mapping[str, Mapping[str, float]]:
        """Return the credit of rivals that need no model, in [0, 1], by the id of the case and their names.

        Args:
            images: all cases that the data has for the behavior, by the name of their image, whether they are asked
                about or not. A rival must not learn from those of the case's own image.
        """

    def rivals(self, sample: Sample) -> Mapping[str, float]:
        """Return the credit of each rival for a case, in [0, 1], by its name.

        Args:
            sample: the case's readings; `sample.rivals` are those of `learn` and of the run's control.

        Raises:
            NotApplicable: If the case does not count; the message is the reason.
        """

    def chosen(self, reading: Reading, case: Case) -> float:
        """Return the credit of a control that sees no picture for a case, in [0, 1].

        Args:
            reading: the control's answers.
            case: the case.
        """


def competes(expect: Expectation) -> TypeGuard[Competing]:
    """Return True if an expectation claims a lead."""
    return _has_rivals(type(expect))


@cache
def _has_rivals(kind: type) -> bool:
    return issubclass(kind, Competing)  # of a protocol: too slow for every case


class BaseExpectation:
    """The defaults of most expectations: no further arms, words, tolerances or competence.

    An expectation about a rate defines either `conditions` or `margins`. From conditions, the least margin is the
    case's.
    """

    claim: ClassVar[Claim] = "rate"
    competence: ClassVar[Competence] = "no"
    expected: ClassVar[str] = ""
    hollow: ClassVar[str] = "what a model guesses holds by chance"
    contrasts: ClassVar[bool] = False
    about: ClassVar[About] = "change"
    share_of: ClassVar[str] = ""

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
