"""Aggregate expectations: the mean over cases must lie in a band."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from vlcheck.cases.view import View
from vlcheck.errors import NotApplicable
from vlcheck.expect.base import AFTER, BEFORE, OTHER, WHOLE, About, BaseExpectation, Competence, Sample
from vlcheck.expect.directional import TwoSided
from vlcheck.metrics.tolerances import Tolerances
from vlcheck.perturb import AblateOther, Bare, Compose, OtherImage, Perturbation
from vlcheck.stats.decision import Claim


@dataclass(frozen=True)
class Balance(BaseExpectation):
    """Mean of D = score(original, bare) - score(blocked, with hint), in [-1, 1]; 0 relies on picture and words alike.

    The caption with its hint is before; the same caption with the picture blocked is after. Source: figure 1 of the
    study.

    Example:
        >>> from vlcheck import Case
        >>> from vlcheck.expect import AFTER, Reading, Sample
        >>> from vlcheck.perturb import Solid
        >>> from vlcheck.policy.policy import Tolerances
        >>> red = Solid((64, 48), (200, 0, 0))
        >>> case = Case(id="ball", image=red, caption="the red ball", target="red")
        >>> sample = Sample(case, {"bare": Reading("red", {"red": 0.8}), AFTER: Reading("red", {"red": 0.7})})
        >>> round(Balance().margins(sample, Tolerances())[""], 2)
        0.1
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
        """Return D."""
        return sample["bare"].value - sample[AFTER].value


@dataclass(frozen=True)
class ContextReliance(BaseExpectation):
    """Mean of score(own picture, target hidden) - score(other picture, its target hidden); 0 if only the target tells.

    Far above 0 the model takes the target from what is around it. A model that takes every hole for the same thing
    scores both alike: that is no knowledge, and cancels. The picture with the target is before, without it after.

    Source:
        The ablation of the object in Frank et al. 2021, arXiv:2109.04448, with a control.

    Example:
        >>> from vlcheck import Case
        >>> from vlcheck.expect import AFTER, Reading, Sample
        >>> from vlcheck.perturb import Solid
        >>> from vlcheck.policy.policy import Tolerances
        >>> red = Solid((64, 48), (200, 0, 0))
        >>> case = Case(id="ball", image=red, caption="the red ball", target="red")
        >>> scores = {AFTER: 0.8, "elsewhere": 0.1}
        >>> sample = Sample(case, {arm: Reading("red", {"red": score}) for arm, score in scores.items()})
        >>> round(ContextReliance().margins(sample, Tolerances())[""], 2)
        0.7
    """

    claim: ClassVar[Claim] = "mean"
    competence: ClassVar[Competence] = "to pass"
    expected: ClassVar[str] = "what is around a hidden thing does not tell it"
    hollow: ClassVar[str] = "a model that does not know the thing takes it from nowhere"

    def arms(self) -> Mapping[str, Perturbation]:
        return {OTHER: OtherImage(), "elsewhere": AblateOther()}

    def reads(self) -> tuple[str, ...]:
        return ("delta",)

    def margins(self, sample: Sample, tolerances: Tolerances) -> Mapping[str, float]:
        return {WHOLE: self.effect(sample)}

    def effect(self, sample: Sample) -> float:
        """Return the difference of the scores with both targets hidden."""
        return sample[AFTER].value - sample["elsewhere"].value

    def wanted(self, arm: str, target: str) -> str:
        return f"{target} is true" if arm == BEFORE else f"{target} cannot be seen"


@dataclass(frozen=True)
class Skew(BaseExpectation):
    """For each word, the mean of how often it is answered minus how often it is true: no word may be a favorite.

    The answer is the likeliest of the target and the case's candidates. A word that another part of the picture makes
    true is not among the candidates, and the case says nothing about it.

    Example:
        >>> from vlcheck import Case
        >>> from vlcheck.expect import BEFORE, Reading, Sample
        >>> from vlcheck.perturb import Solid
        >>> from vlcheck.policy.policy import Tolerances
        >>> red = Solid((64, 48), (200, 0, 0))
        >>> case = Case(id="ball", image=red, caption="the red ball", target="red", candidates=("blue",))
        >>> sample = Sample(case, {BEFORE: Reading("red", {"red": 0.3, "blue": 0.6})})
        >>> Skew().margins(sample, Tolerances())
        {'blue': 1.0, 'red': -1.0}
    """

    claim: ClassVar[Claim] = "mean"
    competence: ClassVar[Competence] = "to pass"
    expected: ClassVar[str] = "no word is answered more often than it is true"
    hollow: ClassVar[str] = "answers at random make no word a favourite"
    about: ClassVar[About] = "preference"

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
        """Return the target's share among all possible answers, minus 1: 0 if every answer is true."""
        return sample[BEFORE].share(sample.case.target, *sample.case.candidates) - 1.0


@dataclass(frozen=True)
class SidePreference(TwoSided):
    """Mean of q(right) minus how often right is true, where q is P(right) / (P(left) + P(right)).

    The cases have each side as the truth equally often.

    Example:
        >>> from vlcheck import Case
        >>> from vlcheck.expect import BEFORE, Reading, Sample
        >>> from vlcheck.perturb import Solid
        >>> from vlcheck.policy.policy import Tolerances
        >>> red = Solid((64, 48), (200, 0, 0))
        >>> case = Case(id="ball", image=red, caption="the left ball", target="left")
        >>> sample = Sample(case, {BEFORE: Reading("left", {"left": 0.4, "right": 0.6})})
        >>> round(SidePreference().margins(sample, Tolerances())[""], 2)
        0.6
    """

    claim: ClassVar[Claim] = "mean"
    competence: ClassVar[Competence] = "to pass"
    expected: ClassVar[str] = "right is said as often as it is true"
    hollow: ClassVar[str] = "sides at random prefer neither"
    about: ClassVar[About] = "preference"

    def arms(self) -> Mapping[str, Perturbation]:
        return {OTHER: OtherImage()}

    def reads(self) -> tuple[str, ...]:
        return ("delta", "floor")

    def margins(self, sample: Sample, tolerances: Tolerances) -> Mapping[str, float]:
        right = sample[BEFORE].preference("right", "left", tolerances.floor)
        return {WHOLE: right - float(sample.case.target == "right")}

    def effect(self, sample: Sample) -> float:
        """Return q(right), minus 1 if right is true."""
        return sample[BEFORE].share("right", "left") - float(sample.case.target == "right")


@dataclass(frozen=True)
class BothContribute(BaseExpectation):
    """Mean of T-SHAP minus V-SHAP, in [-1, 1]; 0 owes as much of the match score to the words as to the picture.

    T-SHAP is the share of the words among all that moves the score, V-SHAP that of the picture; their sum is 1. Near 1
    the model reads and does not look, near -1 it looks and does not read: one of its modalities has collapsed.

    Source:
        Parcalabescu and Frank 2022, arXiv:2212.08158.

    Example:
        >>> from vlcheck import Case
        >>> from vlcheck.expect import BEFORE, Reading, Sample
        >>> from vlcheck.perturb import Solid
        >>> from vlcheck.policy.policy import Tolerances
        >>> red = Solid((64, 48), (200, 0, 0))
        >>> case = Case(id="ball", image=red, caption="the red ball", target="red")
        >>> sample = Sample(case, {BEFORE: Reading("red", {"red": 0.55})})
        >>> round(BothContribute().margins(sample, Tolerances())[""], 2)
        0.1
    """

    claim: ClassVar[Claim] = "mean"
    expected: ClassVar[str] = "neither the words nor the picture decide alone"

    def margins(self, sample: Sample, tolerances: Tolerances) -> Mapping[str, float]:
        return {WHOLE: self.effect(sample)}

    def effect(self, sample: Sample) -> float:
        """Return T-SHAP minus V-SHAP."""
        text = sample[BEFORE].value
        return text - (1 - text)
