"""The stored calibration is of this code, and no cell of it is outside its bound."""

import json

import pytest

from benchmarks.calibration import AGREEMENT, ALPHA, IMAGES, RATES, RESULTS, ROWS, Cell, Counted, bound, measured, wrong


@pytest.fixture(scope="module")
def stored():
    return json.loads(RESULTS.read_text())


@pytest.fixture(scope="module")
def cells(stored):
    return [
        Cell(**{**one, "fixed": Counted(**one["fixed"]), "sequential": Counted(**one["sequential"])})
        for one in stored["cells"]
    ]


def test_every_cell_is_there_with_2000_runs(cells):
    rates = [cell for cell in cells if cell.claim == "rate"]
    assert len(rates) == len(IMAGES) * len(RATES) * (1 + (len(ROWS) - 1) * len(AGREEMENT))
    assert {counted.runs for cell in cells for counted in (cell.fixed, cell.sequential)} == {2000}


@pytest.mark.parametrize("how", ["fixed", "sequential"])
def test_no_cell_is_wrong_more_often_than_alpha_and_three_errors(cells, how):
    outside = [cell for cell in cells if wrong(cell, getattr(cell, how)) > bound() * 2000]
    assert not outside
    assert max(wrong(cell, getattr(cell, how)) for cell in cells) > 0


def test_no_values_of_two_kinds_deceive_the_bound(stored):
    assert all(0.03 < worst <= ALPHA for both in stored["two_values"].values() for worst in both.values())


AGAIN = [
    Cell("rate", 30, 0.15, 1, "1"),
    Cell("rate", 30, 0.101, 9, "rare"),
    Cell("mean in a narrow band", 30, 0.1, 1, "uniform"),
]


@pytest.mark.parametrize("cell", AGAIN, ids=str)
def test_a_cell_measured_again_is_the_same_but_for_chance(cells, cell):
    kept = next(one for one in cells if one.seed == cell.seed)
    again = measured(cell)
    errors = 3 * (2 * 0.25 * 2000) ** 0.5
    for one, other in ((again.fixed, kept.fixed), (again.sequential, kept.sequential)):
        assert (one.failed, one.passed) == pytest.approx((other.failed, other.passed), abs=errors)
        assert one.images == pytest.approx(other.images, rel=0.05)
