"""The two modalities as two players: what each gives to a match score, alone and together with the other one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from vlcheck._util.numbers import brief
from vlcheck.expect.base import AFTER, BEFORE, WHOLE, BaseExpectation, Sample
from vlcheck.metrics.reading import Reading, Unlikely
from vlcheck.metrics.tolerances import Tolerances
from vlcheck.perturb import Block, Compose, OtherCaption, Perturbation
from vlcheck.stats.decision import Claim

PICTURE_ALONE, NEITHER = "picture alone", "neither"  # arms beside before and after
ALONE: Mapping[str, Perturbation] = MappingProxyType(
    {PICTURE_ALONE: OtherCaption(), NEITHER: Compose(Block(), OtherCaption())}
)


@dataclass(frozen=True)
class ModalityScores:
    """The match score of a text with its picture, of each alone, and of neither.

    An absent picture is black. In the place of an absent text stands the caption of another picture: a model was
    trained on captions, and may say anything of an empty text.

    Attributes:
        both: score of the text with its picture, in [0, 1].
        text: score of the text with the black picture.
        picture: score of the other caption with the picture.
        neither: score of the other caption with the black picture.

    Source:
        Hu, Li and Zhou 2022, arXiv:2205.00302, take modalities as the players of a game; Gat, Schwartz and Schwing
        2021, arXiv:2110.14375, take a modality away by putting that of another sample in its place. Both do so for the
        accuracy over a data set.

    Example:
        >>> scores = ModalityScores(both=0.9, text=0.7, picture=0.1, neither=0.1)
        >>> [round(one, 3) for one in (scores.of_text, scores.of_picture, scores.text_share, scores.synergy)]
        [0.7, 0.1, 0.875, 0.2]
    """

    both: float
    text: float
    picture: float
    neither: float

    @classmethod
    def of(cls, sample: Sample, score: Callable[[Reading], float]) -> ModalityScores:
        """Return the scores of a sample.

        Args:
            sample: has the four views: before, after, and those of `ALONE`.
            score: the score of a reading.

        Raises:
            NotApplicable: a view could not be asked about.
        """
        return cls(*(score(sample[arm]) for arm in (BEFORE, AFTER, PICTURE_ALONE, NEITHER)))

    @property
    def of_text(self) -> float:
        """The Shapley value of the text: what it adds to the score, without the picture and with it, on average."""
        return (self.text - self.neither + self.both - self.picture) / 2

    @property
    def of_picture(self) -> float:
        """The Shapley value of the picture. With that of the text it sums to `both` minus `neither`."""
        return (self.picture - self.neither + self.both - self.text) / 2

    @property
    def support(self) -> float:
        """The sum of the Shapley values that are above 0: how much speaks for the match."""
        return max(self.of_text, 0.0) + max(self.of_picture, 0.0)

    @property
    def text_share(self) -> float:
        """The share of the text in `support`, in [0, 1]."""
        return max(self.of_text, 0.0) / self.support

    @property
    def synergy(self) -> float:
        """The surplus of both over each alone: the Shapley interaction index of the two players."""
        return self.both - self.text - self.picture + self.neither


@dataclass(frozen=True)
class NeitherAlone(BaseExpectation):
    """Mean of T-SHAP minus V-SHAP of the two whole modalities, in [-1, 1]; at 0 the match owes as much to each.

    T-SHAP is the share of the text in what speaks for the match of a caption with its own picture, V-SHAP that of the
    picture. A picture that speaks against this match has no share. The perturbation has to be `Block()`: the caption
    with its picture is before, with a black picture after. A case does not count if nothing speaks for the match by
    `by`.

    Example:
        >>> from vlcheck import Case
        >>> from vlcheck.expect import AFTER, BEFORE, Reading, Sample, Tolerances
        >>> from vlcheck.perturb import Solid
        >>> case = Case(id="ball", image=Solid((64, 48), (200, 0, 0)), caption="the red ball", target="red")
        >>> scores = {BEFORE: 0.9, AFTER: 0.7, "picture alone": 0.1, "neither": 0.1}
        >>> sample = Sample(case, {arm: Reading("red", {"red": score}) for arm, score in scores.items()})
        >>> round(NeitherAlone().margins(sample, Tolerances())[""], 2)
        0.75
    """

    claim: ClassVar[Claim] = "mean"
    expected: ClassVar[str] = "neither the words nor the picture decide the match alone"
    hollow: ClassVar[str] = "a score that tells no match from no mismatch is decided by nothing"

    def arms(self) -> Mapping[str, Perturbation]:
        return ALONE

    def reads(self) -> tuple[str, ...]:
        return ("by",)

    def margins(self, sample: Sample, tolerances: Tolerances) -> Mapping[str, float]:
        if ModalityScores.of(sample, _level).support < tolerances.by:
            raise Unlikely(f"neither the words nor the picture speak for the match by {brief(tolerances.by)}")
        return {WHOLE: self.effect(sample)}

    def effect(self, sample: Sample) -> float:
        """Return T-SHAP minus V-SHAP."""
        return 2 * ModalityScores.of(sample, _level).text_share - 1

    def wanted(self, arm: str, target: str) -> str:
        return f"{target} is true" if arm == BEFORE else "nothing can be seen"


def _level(reading: Reading) -> float:
    return reading.value
