"""Foils: of a caption and sentences that are false of the picture, the model chooses the caption."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from vlcheck.cases.case import Case
from vlcheck.cases.foils import ITSELF
from vlcheck.cases.view import View
from vlcheck.errors import NotApplicable
from vlcheck.expect.base import BEFORE, OTHER, BaseExpectation, Condition, Sample
from vlcheck.expect.words_alone import blind_choices, credit
from vlcheck.metrics.reading import Reading
from vlcheck.metrics.tolerances import Tolerances
from vlcheck.perturb import OtherImage, Perturbation
from vlcheck.stats.decision import Claim


@dataclass(frozen=True)
class BeatsBlind(BaseExpectation):
    """MFT: the caption scores higher than each of its foils, in more images than for any choice without the picture.

    The margin is the caption's raw score minus the highest of its foils; equal scores are a wrong answer. The verdict
    is on the lead over the best blind choice: see `vlcheck.stats.lead`. The blind choices are those of the words alone
    (`vlcheck.expect.words_alone`), that of the model itself with another picture, which shows what it would say
    anyway, and that of the run's control, if it sees no picture.

    The behavior has `given=Sentences()`.

    Example:
        >>> from vlcheck import Case
        >>> from vlcheck.expect import BEFORE, Reading, Sample
        >>> from vlcheck.perturb import Solid
        >>> from vlcheck.policy.policy import Tolerances
        >>> red = Solid((64, 48), (200, 0, 0))
        >>> case = Case(id="ball", image=red, caption="a ball", target="ball", foils=("two balls",))
        >>> sample = Sample(case, {BEFORE: Reading("a ball", {"a ball": 0.75, "two balls": 0.5})})
        >>> BeatsBlind().margins(sample, Tolerances())[""]
        0.25
    """

    claim: ClassVar[Claim] = "lead"
    expected: ClassVar[str] = "the caption beats its foils more often than without the picture"
    hollow: ClassVar[str] = "what a model chooses by the words is right by chance"

    def arms(self) -> Mapping[str, Perturbation]:
        return {OTHER: OtherImage()}

    def words(self, view: View) -> tuple[str, ...]:
        if not view.case.foils:
            raise NotApplicable("the case has no foils")
        return view.case.foils

    def conditions(self, sample: Sample, tolerances: Tolerances) -> tuple[Condition, ...]:
        caption, *foils = _scores(sample[BEFORE], sample.case)
        lead = caption - max(foils)
        return (Condition("the caption's lead over its best foil", lead, "above", 0.0, "", lead),)

    def effect(self, sample: Sample) -> float:
        """Return the caption's score minus that of the best foil."""
        caption, *foils = _scores(sample[BEFORE], sample.case)
        return caption - max(foils)

    def wanted(self, arm: str, target: str) -> str:
        return "the caption is true, and no foil" if arm == BEFORE else ""

    def learn(self, images: Mapping[str, Sequence[Case]]) -> Mapping[str, Mapping[str, float]]:
        """Return the credit of each choice by the words alone, by the id of the case and the choice's name.

        Args:
            images: all cases that the data has for the behavior, by the name of their image.
        """
        return blind_choices(images)

    def rivals(self, sample: Sample) -> Mapping[str, float]:
        """Return the credit of each blind choice for a case, by its name."""
        return {**sample.rivals, ITSELF: self.chosen(sample[OTHER], sample.case)}

    def chosen(self, reading: Reading, case: Case) -> float:
        """Return the credit of the answers to a case, if equal scores are a guess among them.

        Args:
            reading: the answers.
            case: the case.
        """
        return credit(_scores(reading, case))


def _scores(reading: Reading, case: Case) -> list[float]:
    """Return the score of the caption, then those of the foils."""
    return [reading.scores[text] for text in (reading.target, *case.foils)]
