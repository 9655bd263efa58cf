"""Directional expectations (DIR): an edit must move the score in a known direction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from vlcheck.cases.view import View
from vlcheck.expect.base import (
    AFTER,
    BEFORE,
    TRUE_BEFORE,
    About,
    BaseExpectation,
    Condition,
    Sample,
    Unneeded,
)
from vlcheck.metrics.tolerances import Tolerances
from vlcheck.perturb import Perturbation, opposite


@dataclass(frozen=True)
class Drops(BaseExpectation):
    """DIR: the score falls; a constant score cannot pass.

    The margin is `min(before - after - by, below - after, before - below)`.

    Attributes:
        decided_by: a perturbation that removes the evidence, e.g. Block(). If the score does not fall by `delta` under
            it, the picture does not decide the word, and the case does not count.

    Example:
        >>> from vlcheck import Case
        >>> from vlcheck.expect import AFTER, BEFORE, Reading, Sample
        >>> from vlcheck.perturb import Solid
        >>> from vlcheck.policy.policy import Tolerances
        >>> red = Solid((64, 48), (200, 0, 0))
        >>> case = Case(id="ball", image=red, caption="the red ball", target="red")
        >>> sample = Sample(case, {BEFORE: Reading("red", {"red": 0.9}), AFTER: Reading("red", {"red": 0.3})})
        >>> round(Drops().margins(sample, Tolerances(by=0.05, below=0.5))[""], 2)
        0.2
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
        sample.demand_there(BEFORE, AFTER)
        if self.decided_by is not None and sample[BEFORE].value - sample["without"].value <= tolerances.delta:
            raise Unneeded("the picture does not decide the word")
        before, after = sample[BEFORE].value, sample[AFTER].value
        drop, below = before - after, tolerances.below
        return (
            Condition("the drop", drop, "above", tolerances.by, "by", drop - tolerances.by, (before, after)),
            Condition("the score after", after, "under", below, "below", below - after),
            Condition("the score before", before, "above", below, "below", before - below),
        )

    def wanted(self, arm: str, target: str) -> str:
        return f"{target} is true" if arm == BEFORE else "the score has to drop"


class TwoSided(BaseExpectation):
    """Base of expectations that compare a side with its opposite."""

    hollow: ClassVar[str] = "sides that are guessed change by chance"

    def words(self, view: View) -> tuple[str, ...]:
        return (opposite(view.target),)

    def reads(self) -> tuple[str, ...]:
        return ("by", "floor")


@dataclass(frozen=True)
class Swaps(TwoSided):
    """DIR with certain truth: the preferred side changes from the true one to the other when the picture is mirrored.

    With q = P(true) over both sides, the margin is `min(q(I) - .5, .5 - q(mirror I)) - by`.

    Example:
        >>> from vlcheck import Case
        >>> from vlcheck.expect import AFTER, BEFORE, Reading, Sample
        >>> from vlcheck.perturb import Solid
        >>> from vlcheck.policy.policy import Tolerances
        >>> red = Solid((64, 48), (200, 0, 0))
        >>> case = Case(id="ball", image=red, caption="the left ball", target="left")
        >>> scores = {BEFORE: {"left": 0.8, "right": 0.2}, AFTER: {"left": 0.3, "right": 0.7}}
        >>> sample = Sample(case, {arm: Reading("left", by_word) for arm, by_word in scores.items()})
        >>> round(Swaps().margins(sample, Tolerances(by=0.05))[""], 2)
        0.15
    """

    expected: ClassVar[str] = "the true side before, the other one after"
    about: ClassVar[About] = "truth"
    share_of: ClassVar[str] = TRUE_BEFORE

    def conditions(self, sample: Sample, tolerances: Tolerances) -> tuple[Condition, ...]:
        target = sample.case.target
        before, after = _preferences(sample, target, tolerances.floor)
        return leads(target, BEFORE, before, tolerances.by), _trails(target, AFTER, after, tolerances.by)

    def wanted(self, arm: str, target: str) -> str:
        return f"{target} is true" if arm == BEFORE else f"{opposite(target)} is true now"


@dataclass(frozen=True)
class Flips(TwoSided):
    """DIR without truth: the preferred side changes when the picture is mirrored, in either direction.

    This suits data whose annotators mix the viewer's and the subject's left. With q = P(left) over both sides, a = q(I)
    - .5 and b = .5 - q(mirror I), the margin is `max(min(a, b), min(-a, -b)) - by`.

    Example:
        >>> from vlcheck import Case
        >>> from vlcheck.expect import AFTER, BEFORE, Reading, Sample
        >>> from vlcheck.perturb import Solid
        >>> from vlcheck.policy.policy import Tolerances
        >>> red = Solid((64, 48), (200, 0, 0))
        >>> case = Case(id="ball", image=red, caption="the left ball", target="left")
        >>> scores = {BEFORE: {"left": 0.3, "right": 0.7}, AFTER: {"left": 0.8, "right": 0.2}}
        >>> sample = Sample(case, {arm: Reading("left", by_word) for arm, by_word in scores.items()})
        >>> round(Flips().margins(sample, Tolerances(by=0.05))[""], 2)
        0.15
    """

    expected: ClassVar[str] = "one side before, the other one after"
    share_of: ClassVar[str] = "left"

    def conditions(self, sample: Sample, tolerances: Tolerances) -> tuple[Condition, ...]:
        before, after = _preferences(sample, "left", tolerances.floor)
        to_right = leads("left", BEFORE, before, tolerances.by), _trails("left", AFTER, after, tolerances.by)
        to_left = _trails("left", BEFORE, before, tolerances.by), leads("left", AFTER, after, tolerances.by)
        return max(to_right, to_left, key=lambda flip: min(one.margin for one in flip))

    def wanted(self, arm: str, target: str) -> str:
        return "" if arm == BEFORE else "the other side is true now"


def _preferences(sample: Sample, word: str, floor: float) -> tuple[float, float]:
    against = opposite(word)
    return sample[BEFORE].preference(word, against, floor), sample[AFTER].preference(word, against, floor)


def leads(word: str, arm: str, preferred: float, by: float, rival: str = "") -> Condition:
    """Return the condition that a word is preferred to another one.

    Args:
        word: the word.
        arm: the view, as in "before".
        preferred: share of the word among both, in [0, 1].
        by: the least lead over one half.
        rival: the other word; "" for the word's opposite.
    """
    what = f"the share of {word}{rival and f' against {rival}'} {arm}"
    return Condition(what, preferred, "above", 0.5 + by, "0.5 + by", preferred - 0.5 - by)


def _trails(word: str, arm: str, preferred: float, by: float) -> Condition:
    """Return the condition that the word's opposite is preferred to it."""
    return Condition(f"the share of {word} {arm}", preferred, "under", 0.5 - by, "0.5 - by", 0.5 - preferred - by)
