"""Collages: a thing in a cell, among things of other pictures."""

import numpy as np
import pytest

import vlcheck
from vlcheck.cases.view import View
from vlcheck.errors import NotApplicable
from vlcheck.perturb import CELLS, Collage, Grayscale


@pytest.fixture(scope="module")
def cases():
    return vlcheck.open_cases("scenes:30:5").select(vlcheck.with_target("single"))


def third(image, cell):
    """The pixels of a cell."""
    row, column = divmod(CELLS.index(cell), 3)
    height, width = (edge // 3 for edge in (image.height, image.width))
    return np.asarray(image)[row * height : (row + 1) * height, column * width : (column + 1) * width]


def inside(image, box):
    """The pixels of a box."""
    return np.asarray(image.crop((box.x, box.y, box.x + box.width, box.y + box.height)))


def test_the_thing_is_in_its_cell_and_other_things_in_all_others(cases):
    shown = {cell: Collage(cell)(View.of(cases[0]), cases) for cell in ("top left", "bottom right")}
    first, last = (view.picture.render() for view in shown.values())
    (there,), (here,) = shown["top left"].region, shown["bottom right"].region
    assert (inside(first, there) == inside(last, here)).all()
    assert not (inside(first, there) == inside(first, here)).all()
    spread = [third(first, cell).reshape(-1, 3).std(0).max() for cell in CELLS]
    assert min(spread) > 10  # something is in each cell
    (box,) = shown["bottom right"].region
    assert box.x > first.width * 2 / 3
    assert box.y > first.height * 2 / 3


def test_the_others_refute_the_text_and_stay_the_same_for_each_cell(cases):
    pieces = [Collage(cell)(View.of(cases[0]), cases).picture.source.pieces for cell in CELLS]
    others = {tuple(piece.image.key for piece in its[1:]) for its in pieces}
    assert len(others) == 1
    for k in range(9):
        assert {its[k].paste.cell for its in pieces} == {*CELLS}  # each thing is once in each cell
    by_key = {case.image.key: case for case in cases}
    assert all(cases[0].refuted_by(by_key[key]) for key in next(iter(others)))
    assert len({Collage(cell)(View.of(cases[0]), cases).picture.key for cell in CELLS}) == len(CELLS)


def test_too_few_others_and_edited_pictures_are_left_out(cases):
    with pytest.raises(NotApplicable, match="fewer than 8 other pictures"):
        Collage("top")(View.of(cases[0]), cases[:5])
    with pytest.raises(NotApplicable, match="one place of an unedited picture"):
        Collage("top")(Grayscale()(View.of(cases[0]), ()), cases)
    with pytest.raises(ValueError, match="none of top left"):
        Collage("centre")
