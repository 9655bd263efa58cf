"""Invariance (INV): an edit must not change what the model says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from vlcheck.expect.base import AFTER, BEFORE, OTHER, BaseExpectation, Competence, Condition, Sample, Unknown
from vlcheck.metrics.tolerances import Tolerances
from vlcheck.perturb import OtherImage, Perturbation


@dataclass(frozen=True)
class Preserved(BaseExpectation):
    """INV: the score does not fall. Cases that the model does not know do not count.

    The margin is `within - (before - after)`: a gain is no loss.

    Example:
        >>> from vlcheck import Case
        >>> from vlcheck.expect import AFTER, BEFORE, OTHER, Reading, Sample
        >>> from vlcheck.perturb import Solid
        >>> from vlcheck.policy.policy import Tolerances
        >>> red = Solid((64, 48), (200, 0, 0))
        >>> case = Case(id="ball", image=red, caption="the red ball", target="red")
        >>> scores = {BEFORE: 0.9, AFTER: 0.85, OTHER: 0.2}
        >>> sample = Sample(case, {arm: Reading("red", {"red": score}) for arm, score in scores.items()})
        >>> round(Preserved().margins(sample, Tolerances(within=0.10, delta=0.15))[""], 2)
        0.05
    """

    competence: ClassVar[Competence] = "each case"
    expected: ClassVar[str] = "the score stays"
    hollow: ClassVar[str] = "what is not known cannot be lost, and an untrained model preserves everything"

    def arms(self) -> Mapping[str, Perturbation]:
        return {OTHER: OtherImage()}

    def reads(self) -> tuple[str, ...]:
        return ("within", "delta")

    def conditions(self, sample: Sample, tolerances: Tolerances) -> tuple[Condition, ...]:
        sample.demand_there(BEFORE, AFTER)
        if not self.known(sample, tolerances):
            raise Unknown("the model does not know the case")
        before, after = sample[BEFORE].value, sample[AFTER].value
        loss, within = before - after, tolerances.within
        return (Condition("the loss", loss, "under", within, "within", within - loss, (before, after)),)

    def wanted(self, arm: str, target: str) -> str:
        return f"{target} is {'true' if arm == BEFORE else 'still true'}"
