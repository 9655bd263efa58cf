"""Expectations of maps, on maps made by hand."""

import numpy as np
import pytest

from vlcheck import Case
from vlcheck.errors import NotApplicable
from vlcheck.expect import AFTER, BEFORE, FollowsObject, MirroredMap, Sample, Tolerances
from vlcheck.expect.maps import shares_by_cell
from vlcheck.metrics.contribution_map import CELL_NAMES, SIDE, MapReading
from vlcheck.metrics.reading import Reading
from vlcheck.perturb import CELLS, Solid

CASE = Case(id="ball", image=Solid((64, 48), (200, 0, 0)), caption="a ball", target="ball")


def reading(cells):
    shares = (cells / cells.sum()).ravel().tolist()
    return MapReading("ball", {"ball": max(shares), **dict(zip(CELL_NAMES, shares, strict=True))})


def sample(**arms):
    return Sample(CASE, {arm: reading(cells) for arm, cells in arms.items()})


def test_a_map_that_is_mirrored_holds_and_one_that_stays_violates():
    cells = np.random.default_rng(0).random((SIDE, SIDE))
    mirrored = MirroredMap().margins(sample(before=cells, after=cells[:, ::-1]), Tolerances(by=0.3))
    stays = MirroredMap().margins(sample(before=cells, after=cells), Tolerances(by=0.3))
    assert mirrored[""] == pytest.approx(0.7)
    assert stays[""] < 0


def test_a_map_that_is_the_same_everywhere_says_nothing():
    with pytest.raises(NotApplicable, match="the same everywhere"):
        MirroredMap().margins(sample(before=np.ones((SIDE, SIDE)), after=np.eye(SIDE)), Tolerances())


def test_the_shares_of_the_cells_are_those_of_the_map_and_sum_to_1():
    cells = np.zeros((SIDE, SIDE))
    cells[0, 1], cells[5, 5] = 3, 1
    shares = shares_by_cell(sample(after=cells), AFTER)
    assert (shares["top left"], shares["bottom right"], sum(shares.values())) == pytest.approx((0.75, 0.25, 1))


def test_maps_that_follow_the_object_through_all_cells_favour_no_cell_and_those_that_stay_do():
    def under(cell):
        row, column = divmod(CELLS.index(cell), 3)
        cells = np.full((SIDE, SIDE), 0.01)
        cells[2 * row, 2 * column] = 1
        return cells

    def means(maps):
        margins = [FollowsObject().margins(sample(after=cells), Tolerances()) for cells in maps]
        return {cell: np.mean([one[cell] for one in margins]) for cell in CELLS}

    assert max(map(abs, means(map(under, CELLS)).values())) == pytest.approx(0, abs=1e-12)
    assert means([under("middle")] * 9)["middle"] > 0.5


def test_another_metric_has_no_map():
    with pytest.raises(TypeError, match="for the metric map"):
        MirroredMap().margins(Sample(CASE, {BEFORE: Reading("ball", {"ball": 1.0})}), Tolerances())
