"""Tables after the study's figures say whose figures they are, on the page and on the terminal."""

import pytest

from tests.report.pages import results, rows, verdict
from vlcheck.report.page.tables import grids
from vlcheck.report.text.summary import color_and_grey, left_and_right, vision_and_language

SIDES = dict.fromkeys(f"left_is_true_{arm}_{word}" for arm in ("original", "mirrored") for word in ("left", "right"))
TABLES = {
    "vision_language": {"original_hint": 0.9, "n": 3},
    "color_grey": {"color": 0.7, "grey": 0.2, "n": 3},
    "left_right": dict.fromkeys(SIDES, 0.5) | {"left_is_true_n": 3},
}


@pytest.mark.parametrize(
    ("table", "lines", "said"),
    [
        ("vision_language", vision_and_language, "vision and language (figure 1 of Jung et al. 2023)"),
        ("color_grey", color_and_grey, "color and grey (figure 2 of Jung et al. 2023)"),
        ("left_right", left_and_right, "left and right (figure 3 of Jung et al. 2023)"),
    ],
)
def test_a_table_after_the_study_names_it(table, lines, said):
    (one,) = results((verdict(tables={table: TABLES[table]}), rows())).verdicts.values()
    (grid,) = grids(one)
    assert grid.caption.lower().startswith(said.lower())
    assert next(lines([one])).startswith(said)
