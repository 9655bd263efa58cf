"""Expectations of maps: which parts of a picture the match rests on, before and after an edit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vlcheck.errors import NotApplicable
from vlcheck.expect.base import AFTER, BEFORE, BaseExpectation, Condition, Sample
from vlcheck.metrics.contribution_map import SIDE, MapReading
from vlcheck.metrics.tolerances import Tolerances
from vlcheck.perturb.place import CELLS, Cell
from vlcheck.stats.decision import Claim

_THIRD = SIDE // 3


@dataclass(frozen=True)
class MirroredMap(BaseExpectation):
    """DIR: with the picture, the map is mirrored. With r the correlation of both maps, one of them mirrored: `r - by`.

    Example:
        >>> from vlcheck import Case
        >>> from vlcheck.expect import AFTER, BEFORE, Sample, Tolerances
        >>> from vlcheck.metrics.contribution_map import CELL_NAMES, MapReading
        >>> from vlcheck.perturb import Solid
        >>> case = Case(id="ball", image=Solid((64, 48), (200, 0, 0)), caption="a ball", target="ball")
        >>> left = {"ball": 1.0, **{name: float(name == "row 3 column 1") for name in CELL_NAMES}}
        >>> right = {"ball": 1.0, **{name: float(name == "row 3 column 6") for name in CELL_NAMES}}
        >>> sample = Sample(case, {BEFORE: MapReading("ball", left), AFTER: MapReading("ball", right)})
        >>> round(MirroredMap().margins(sample, Tolerances(by=0.3))[""], 2)
        0.7
    """

    expected: ClassVar[str] = "the map of the mirrored picture is the mirrored map"
    hollow: ClassVar[str] = "maps that are alike everywhere are mirrored by chance"

    def reads(self) -> tuple[str, ...]:
        return ("by",)

    def conditions(self, sample: Sample, tolerances: Tolerances) -> tuple[Condition, ...]:
        r = self.effect(sample)
        return (Condition("the correlation of the maps", r, "above", tolerances.by, "by", r - tolerances.by),)

    def effect(self, sample: Sample) -> float:
        """Return the correlation of both maps, one of them mirrored, in [-1, 1]."""
        return _correlation(_cells(sample, BEFORE)[:, ::-1], _cells(sample, AFTER))


@dataclass(frozen=True)
class FollowsObject(BaseExpectation):
    """For each cell of a 3 x 3 grid, the mean share of the map minus that of the object, which is in each cell equally.

    The perturbation has to be `Each(*map(Collage, CELLS))`, which shows the object once in each cell.

    Example:
        >>> from vlcheck import Case
        >>> from vlcheck.expect import AFTER, Sample, Tolerances
        >>> from vlcheck.metrics.contribution_map import CELL_NAMES, MapReading
        >>> from vlcheck.perturb import Solid
        >>> case = Case(id="ball", image=Solid((64, 48), (200, 0, 0)), caption="a ball", target="ball")
        >>> middle = {"ball": 1.0, **{name: float(name == "row 3 column 3") for name in CELL_NAMES}}
        >>> margins = FollowsObject().margins(Sample(case, {AFTER: MapReading("ball", middle)}), Tolerances())
        >>> round(margins["middle"], 2), round(margins["top left"], 2)
        (0.89, -0.11)
    """

    claim: ClassVar[Claim] = "mean"
    expected: ClassVar[str] = "each place of the picture has the share of the map that it has of the objects"

    def margins(self, sample: Sample, tolerances: Tolerances) -> Mapping[str, float]:
        return {cell: share - 1 / len(CELLS) for cell, share in shares_by_cell(sample, AFTER).items()}

    def effect(self, sample: Sample) -> float:
        """Return the share of the middle cell minus that of the objects in it."""
        return self.margins(sample, Tolerances())["middle"]


def shares_by_cell(sample: Sample, arm: str) -> Mapping[Cell, float]:
    """Return the share of a map in each cell of a 3 x 3 grid.

    Args:
        sample: a sample of the metric `map`.
        arm: the view, e.g. "after".

    Raises:
        NotApplicable: there is no map of the view.
    """
    shares = _cells(sample, arm).reshape(3, _THIRD, 3, _THIRD).sum((1, 3)).ravel()
    return dict(zip(CELLS, shares.tolist(), strict=True))


def _cells(sample: Sample, arm: str) -> np.ndarray:
    reading = sample[arm]
    if not isinstance(reading, MapReading):
        raise TypeError("an expectation of maps is for the metric map")
    return reading.cells


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Return Pearson's correlation of two maps. Raises NotApplicable if one is the same everywhere."""
    if not (one.std() and other.std()):
        raise NotApplicable("the map is the same everywhere")
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])
