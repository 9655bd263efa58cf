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

from vlcheck._util.hashing import digest
from vlcheck._util.numbers import brief, figure
from vlcheck.cases.case import Case
from vlcheck.errors import NotApplicable
from vlcheck.metrics.reading import Reading, Tolerances
from vlcheck.perturb import Bare, Compose, OtherImage, Perturbation, View, opposite
from vlcheck.stats.operating_scale import Scale

Claim = Literal["rate", "mean"]
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


@dataclass(frozen=True)
class Preserved(BaseExpectation):
    """INV: `within - (before - after)`; a gain is no loss. Cases that the model does not know do not count."""

    competence: ClassVar[Competence] = "each case"
    expected: ClassVar[str] = "the score stays"
    hollow: ClassVar[str] = "what is not known cannot be lost, and an untrained model preserves everything"

    def arms(self) -> Mapping[str, Perturbation]:
        return {OTHER: OtherImage()}

    def reads(self) -> tuple[str, ...]:
        return ("within", "delta")

    def conditions(self, sample: Sample, tolerances: Tolerances) -> tuple[Condition, ...]:
        before, after = sample[BEFORE].value, sample[AFTER].value
        if not self.known(sample, tolerances):
            raise Unknown("the model does not know the case")
        loss, within = before - after, tolerances.within
        return (Condition("the loss", loss, "under", within, "within", within - loss, (before, after)),)

    def wanted(self, arm: str, target: str) -> str:
        return f"{target} is {'true' if arm == BEFORE else 'still true'}"


@dataclass(frozen=True)
class Drops(BaseExpectation):
    """DIR: `min(before - after - by, below - after, before - below)`: a constant score cannot pass.

    Attributes:
        decided_by: a perturbation that takes the evidence away, e.g. Block(): where the score does not fall by
            delta under it, the picture does not decide the word, and the case does not count.
    """

    expected: ClassVar[str] = "the score drops"
    hollow: ClassVar[str] = "a score that follows no picture drops by chance"
    contrasts: ClassVar[bool] = True

    decided_by: Perturbation | None = None

    def arms(self) -> Mapping[str, Perturbation]:
        return {} if self.decided_by is None else {"without": self.decided_by}

    def reads(self) -> tuple[str, ...]:
        return ("by", "below") if self.decided_by is None else ("by", "below", "delta")

    def conditions(self, sample: Sample, tolerances: Tolerances) -> tuple[Condition, ...]:
        before, after = sample[BEFORE].value, sample[AFTER].value
        if self.decided_by is not None and before - sample["without"].value <= tolerances.delta:
            raise Unneeded("the picture does not decide the word")
        drop, below = before - after, tolerances.below
        return (
            Condition("the drop", drop, "above", tolerances.by, "by", drop - tolerances.by, (before, after)),
            Condition("the score after", after, "under", below, "below", below - after),
            Condition("the score before", before, "above", below, "below", before - below),
        )

    def wanted(self, arm: str, target: str) -> str:
        return f"{target} is true" if arm == BEFORE else "the score has to drop"


class _Sides(BaseExpectation):
    hollow: ClassVar[str] = "sides that are guessed change by chance"

    def words(self, view: View) -> tuple[str, ...]:
        return (opposite(view.target),)

    def reads(self) -> tuple[str, ...]:
        return ("by", "floor")


@dataclass(frozen=True)
class Swaps(_Sides):
    """DIR, where the truth is certain: with q = P(true) over both sides, `min(q(I) - .5, .5 - q(mirror I)) - by`."""

    expected: ClassVar[str] = "the true side before, the other one after"

    def conditions(self, sample: Sample, tolerances: Tolerances) -> tuple[Condition, ...]:
        target = sample.case.target
        before, after = _preferences(sample, target, tolerances.floor)
        return _leads(target, BEFORE, before, tolerances.by), _trails(target, AFTER, after, tolerances.by)

    def wanted(self, arm: str, target: str) -> str:
        return f"{target} is true" if arm == BEFORE else f"{opposite(target)} is true now"


@dataclass(frozen=True)
class Flips(_Sides):
    """DIR, where annotators mix the viewer's and the subject's left: the mirror needs no truth, only a flip.

    With q = P(left) over both sides, a = q(I) - .5 and b = .5 - q(mirror I): `max(min(a, b), min(-a, -b)) - by`.
    """

    expected: ClassVar[str] = "one side before, the other one after"

    def conditions(self, sample: Sample, tolerances: Tolerances) -> tuple[Condition, ...]:
        """Those of the flip that is nearer: from left to right, or from right to left."""
        before, after = _preferences(sample, "left", tolerances.floor)
        to_right = _leads("left", BEFORE, before, tolerances.by), _trails("left", AFTER, after, tolerances.by)
        to_left = _trails("left", BEFORE, before, tolerances.by), _leads("left", AFTER, after, tolerances.by)
        return max(to_right, to_left, key=lambda flip: min(one.margin for one in flip))

    def wanted(self, arm: str, target: str) -> str:
        return "" if arm == BEFORE else "the other side is true now"


@dataclass(frozen=True)
class Beats(BaseExpectation):
    """MFT: the true word beats a wrong one: with q = P(true) over both, `q - .5 - by`.

    The wrong word is the opposite side, or one of the case's candidates, the same in every run.

    Attributes:
        all: it has to beat every candidate: the wrong word is the one that the model finds likeliest.
    """

    expected: ClassVar[str] = "the true word scores higher than a wrong one"
    hollow: ClassVar[str] = "a word that is guessed beats another one by chance"

    all: bool = False

    def words(self, view: View) -> tuple[str, ...]:
        return self._rivals(view.case)

    def reads(self) -> tuple[str, ...]:
        return ("by", "floor")

    def conditions(self, sample: Sample, tolerances: Tolerances) -> tuple[Condition, ...]:
        target, rival = sample.case.target, self._rival(sample)
        preferred = sample[BEFORE].preference(target, rival, tolerances.floor)
        return (_leads(target, BEFORE, preferred, tolerances.by, rival),)

    def effect(self, sample: Sample) -> float:
        """P(true) minus P(wrong)."""
        reading = sample[BEFORE]
        return reading.share(sample.case.target) - reading.share(self._rival(sample))

    def _rival(self, sample: Sample) -> str:
        scores = sample[BEFORE].scores
        return max(self._rivals(sample.case), key=lambda word: scores[word])

    def _rivals(self, case: Case) -> tuple[str, ...]:
        if case.tags & {"side", "hand", "vertical"}:
            return (opposite(case.target),)
        if not case.candidates:
            raise NotApplicable("the case has no wrong word to beat")
        if self.all:
            return case.candidates
        return (min(case.candidates, key=lambda word: digest(case.id, word)),)


@dataclass(frozen=True)
class Balance(BaseExpectation):
    """Mean of D = score(original, bare) - score(blocked, with hint), in [-1, 1]: 0 leans on neither (figure 1).

    Before is the caption with its hint, after the same with the picture blocked.
    """

    claim: ClassVar[Claim] = "mean"
    competence: ClassVar[Competence] = "to pass"
    expected: ClassVar[str] = "neither the picture nor the words decide alone"
    hollow: ClassVar[str] = "a model that knows neither picture nor words leans on none of them"

    def arms(self) -> Mapping[str, Perturbation]:
        return {"bare": Bare(), OTHER: Compose(Bare(), OtherImage())}

    def reads(self) -> tuple[str, ...]:
        return ("delta",)

    def known(self, sample: Sample, tolerances: Tolerances) -> bool:
        return sample.known("bare", OTHER, tolerances.delta)

    def margins(self, sample: Sample, tolerances: Tolerances) -> Mapping[str, float]:
        return {WHOLE: self.effect(sample)}

    def effect(self, sample: Sample) -> float:
        """D."""
        return sample["bare"].value - sample[AFTER].value


@dataclass(frozen=True)
class Skew(BaseExpectation):
    """Mean, for each word, of how often it is answered minus how often it is true: no word may be a favourite.

    The answer is the likeliest of the target and the case's candidates. A word that another part of the picture
    makes true is in no case's candidates there, and the case says nothing of it.
    """

    claim: ClassVar[Claim] = "mean"
    competence: ClassVar[Competence] = "to pass"
    expected: ClassVar[str] = "no word is answered more often than it is true"
    hollow: ClassVar[str] = "answers at random make no word a favourite"

    def arms(self) -> Mapping[str, Perturbation]:
        return {OTHER: OtherImage()}

    def words(self, view: View) -> tuple[str, ...]:
        if not view.case.candidates:
            raise NotApplicable("the case has no other word to answer")
        return view.case.candidates

    def reads(self) -> tuple[str, ...]:
        return ("delta",)

    def margins(self, sample: Sample, tolerances: Tolerances) -> Mapping[str, float]:
        scores = sample[BEFORE].scores
        target = sample.case.target
        words = sorted({target, *sample.case.candidates})
        answer = max(words, key=lambda word: scores[word])
        return {word: float(word == answer) - float(word == target) for word in words}

    def effect(self, sample: Sample) -> float:
        """The target's share of all that could be answered, minus 1: 0 where every answer is true."""
        return sample[BEFORE].share(sample.case.target, *sample.case.candidates) - 1.0


@dataclass(frozen=True)
class SidePreference(_Sides):
    """Mean of q(right) minus how often right is true, over cases of which both sides are the truth equally often."""

    claim: ClassVar[Claim] = "mean"
    competence: ClassVar[Competence] = "to pass"
    expected: ClassVar[str] = "right is said as often as it is true"
    hollow: ClassVar[str] = "sides at random prefer neither"

    def arms(self) -> Mapping[str, Perturbation]:
        return {OTHER: OtherImage()}

    def reads(self) -> tuple[str, ...]:
        return ("delta", "floor")

    def margins(self, sample: Sample, tolerances: Tolerances) -> Mapping[str, float]:
        right = sample[BEFORE].preference("right", "left", tolerances.floor)
        return {WHOLE: right - float(sample.case.target == "right")}

    def effect(self, sample: Sample) -> float:
        """q(right) minus 1 where right is true."""
        return sample[BEFORE].share("right", "left") - float(sample.case.target == "right")


def _preferences(sample: Sample, word: str, floor: float) -> tuple[float, float]:
    against = opposite(word)
    return sample[BEFORE].preference(word, against, floor), sample[AFTER].preference(word, against, floor)


def _leads(word: str, arm: str, preferred: float, by: float, rival: str = "") -> Condition:
    """The word is preferred to another one, its opposite unless said."""
    what = f"the share of {word}{rival and f' against {rival}'} {arm}"
    return Condition(what, preferred, "above", 0.5 + by, "0.5 + by", preferred - 0.5 - by)


def _trails(word: str, arm: str, preferred: float, by: float) -> Condition:
    """The word's opposite is preferred to it."""
    return Condition(f"the share of {word} {arm}", preferred, "under", 0.5 - by, "0.5 - by", 0.5 - preferred - by)
