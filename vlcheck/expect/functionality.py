"""Minimum functionality (MFT): the true word must score higher than false ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vlcheck._util.hashing import digest
from vlcheck.cases.case import Case
from vlcheck.cases.view import View
from vlcheck.errors import NotApplicable
from vlcheck.expect.base import BEFORE, THE_TRUE_WORD, About, BaseExpectation, Condition, Sample
from vlcheck.expect.directional import leads
from vlcheck.metrics.tolerances import Tolerances
from vlcheck.perturb import opposite


@dataclass(frozen=True)
class Beats(BaseExpectation):
    """MFT: the true word beats a wrong one. With q = P(true) over both, the margin is `q - .5 - by`.

    The wrong word is the opposite side, or one of the case's candidates, the same in every run.

    Attributes:
        all: whether the true word has to beat every candidate; the wrong word is then the one with the highest score.

    Example:
        >>> from vlcheck import Case
        >>> from vlcheck.expect import BEFORE, Reading, Sample
        >>> from vlcheck.perturb import Solid
        >>> from vlcheck.policy.policy import Tolerances
        >>> red = Solid((64, 48), (200, 0, 0))
        >>> case = Case(id="ball", image=red, caption="the red ball", target="red", candidates=("blue",))
        >>> sample = Sample(case, {BEFORE: Reading("red", {"red": 0.6, "blue": 0.2})})
        >>> round(Beats().margins(sample, Tolerances(by=0.05))[""], 2)
        0.2
    """

    expected: ClassVar[str] = "the true word scores higher than a wrong one"
    hollow: ClassVar[str] = "a word that is guessed beats another one by chance"
    about: ClassVar[About] = "truth"
    share_of: ClassVar[str] = THE_TRUE_WORD

    all: bool = False

    def words(self, view: View) -> tuple[str, ...]:
        return self._rivals(view.case)

    def reads(self) -> tuple[str, ...]:
        return ("by", "floor")

    def conditions(self, sample: Sample, tolerances: Tolerances) -> tuple[Condition, ...]:
        target, rival = sample.case.target, self._rival(sample)
        preferred = sample[BEFORE].preference(target, rival, tolerances.floor)
        return (leads(target, BEFORE, preferred, tolerances.by, rival),)

    def effect(self, sample: Sample) -> float:
        """Return P(true) minus P(wrong)."""
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
