"""The order of a verdict's rows is said as far as there is one."""

import pytest

from vlcheck.report.page.shown_rows import ShownRows
from vlcheck.report.page.survey import RowAt

FIRST = "; the worst, the median and the best"


@pytest.mark.parametrize(
    ("ranks", "explained", "said"),
    [
        ([1], [0], ""),
        ([0, 0, 0], [0, 0, 0], ""),
        ([1, 2], [0, 0], "; the worst and the best"),
        ([1, 2, 3], [1, 0, 0], FIRST),
        ([1, 2, 3, 4], [0, 0, 0, 0], f"{FIRST}, then the rest, the worst first"),
        ([1, 2, 3, 4], [0, 0, 0, 1], f"{FIRST}, then those with a map"),
        ([1, 2, 3, 4, 5], [0, 0, 0, 1, 0], f"{FIRST}, then those with a map, then the rest, the worst first"),
    ],
)
def test_only_what_there_is_has_a_place(ranks, explained, said):
    rows = [RowAt(None, ("", "", ""), 0, *places) for places in zip(ranks, explained, strict=True)]
    assert ShownRows(rows, lambda row: row).order == said
