"""The line over dates: its points are the shares that pass, and its label says them."""

import re
from datetime import UTC, datetime

import pytest

from vlcheck.report.board.sparkline import DatedCell, sparkline


def cells(*told, month=1):
    """Cells of (day, status, passes of 4)."""
    return [DatedCell(datetime(2026, month, day, tzinfo=UTC), status, passes, 4) for day, status, passes in told]


def points(svg):
    (line,) = re.findall(r'points="(.*?)"', svg)
    return [tuple(map(float, point.split(","))) for point in line.split()]


def test_points_lie_by_date_and_by_the_share_that_passes():
    (first, low), (second, half), (last, high) = points(
        sparkline(cells((1, "fail", 0), (2, "fail", 2), (5, "pass", 4)))
    )
    assert second - first == pytest.approx((last - first) / 4, abs=0.1)
    assert low > half > high
    assert half == pytest.approx((low + high) / 2, abs=0.1)


def test_a_shape_stands_where_the_status_changes_next_and_at_the_end():
    svg = sparkline(cells((1, "fail", 0), (2, "fail", 1), (3, "pass", 4), (4, "pass", 4)))
    shapes = re.findall(r'<use class="(.*?)" href="#s-(.*?)" x="(.*?)"', svg)
    assert [shape[:2] for shape in shapes] == [("fail", "fail"), ("pass", "pass")]
    places = [x for x, _ in points(svg)]
    assert [float(x) for *_, x in shapes] == pytest.approx([places[1] - 4.5, places[3] - 4.5], abs=0.1)


def test_the_label_says_each_run_and_of_many_the_ends_and_the_extremes():
    few = sparkline(cells((1, "fail", 0), (3, "no verdict", 2)))
    assert 'aria-label="passes 0 of 4 (fail) on 01 January 2026, 2 of 4 (no verdict) on 03 January 2026"' in few
    many = cells(*((day, "fail" if day % 3 else "pass", day % 5) for day in range(1, 21)))
    label = re.search('aria-label="(.*?)"', sparkline(many))[1]
    assert label == (
        "20 runs: passes first 1 of 4 (fail) on 01 January 2026, last 0 of 4 (fail) on 20 January 2026;"
        " fewest 0 of 4 (fail) on 05 January 2026, most 4 of 4 (fail) on 04 January 2026"
    )


def test_runs_of_one_moment_lie_beside_each_other():
    assert len({x for x, _ in points(sparkline(cells((1, "fail", 0), (1, "fail", 1), (1, "pass", 4))))}) == 3
