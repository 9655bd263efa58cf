"""The 3 x 3 grid of a picture: all nine cells, as lines and as a picture."""

import pytest

from vlcheck.perturb import CELLS, CutOut
from vlcheck.perturb.place import Collage, cell_of
from vlcheck.report.cells import GridCell, all_cells, cell_lines
from vlcheck.report.single_image.cells import draw_cells

SOME = [GridCell("bottom right", 1.0, ("100 %",)), GridCell("top", 0.25, ("25 %",)), GridCell("middle", 0.0, ("0 %",))]


def test_the_grid_has_nine_cells_in_their_places():
    cells = all_cells(SOME)
    assert tuple(one.cell for one in cells) == CELLS
    assert [one.share for one in cells] == [None, 0.25, None, None, 0.0, None, None, None, 1.0]
    assert cells[0].lines == ("not asked",)


def test_lines_have_the_grid_row_by_row():
    assert list(cell_lines(all_cells(SOME, "-"))) == [
        "        left  middle  right",
        "top        -    25 %      -",
        "middle     -     0 %      -",
        "bottom     -       -  100 %",
    ]


def test_a_picture_of_the_grid_is_darker_where_the_share_is_larger():
    drawn = draw_cells(all_cells(SOME), 300)
    assert drawn.width == 300
    wide, tall = drawn.width / 3, drawn.height / 3
    grays = {
        cell: drawn.getpixel((int(wide * column + 8), int(tall * row + 8)))[0]
        for row, column, cell in [(0, 1, "top"), (1, 1, "middle"), (2, 2, "bottom right")]
    }
    assert grays == {"top": 229, "middle": 255, "bottom right": 150}


@pytest.mark.parametrize("cell", CELLS)
def test_a_label_names_its_cell(cell):
    assert cell_of(CutOut(cell).label) == cell_of(f"bare v1 + {Collage(cell).label}") == cell


@pytest.mark.parametrize("label", ["", "grayscale v1", "cut-out(nowhere) v1", "brightness(0.8) v1", "cut-out(top"])
def test_other_labels_name_no_cell(label):
    assert cell_of(label) is None
