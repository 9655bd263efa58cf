"""Aggregate expectations: the mean over cases must lie in a band."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from vlcheck.cases.view import View
from vlcheck.errors import NotApplicable
from vlcheck.expect.base import AFTER, BEFORE, OTHER, WHOLE, BaseExpectation, Competence, Sample
from vlcheck.expect.directional import TwoSided
from vlcheck.metrics.tolerances import Tolerances
from vlcheck.perturb import Bare, Compose, OtherImage, Perturbation
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
