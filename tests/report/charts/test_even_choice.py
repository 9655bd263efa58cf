"""Charts of any number of rows: what is drawn of many is an even choice, and takes no more memory."""

import tracemalloc
from collections import Counter

import pytest

from tests.report.charts.drawn import Drawing, of
from tests.report.pages import bare, mean, row, verdict
from vlcheck.report.page.charts import charts_of
from vlcheck.report.page.charts.even_choice import EvenChoice, Marks
from vlcheck.results.schema import record_of


@pytest.mark.parametrize("period", [2, 3, 4, 7, 8])
def test_a_choice_follows_no_period_of_the_rows(period):
    """The rows of four edits come in turn: each edit has its share of what is drawn."""
    choice = EvenChoice(200)
    for number in range(4_000):
        choice.add(number % period)
    counts = Counter(choice.first(200))
    assert sum(counts.values()) == 200
    assert max(counts.values()) - min(counts.values()) <= 4


def test_a_choice_of_few_is_all_of_them_in_their_order():
    choice = EvenChoice(10)
    for number in range(7):
        choice.add(number)
    assert list(choice.first(10)) == list(range(7))
    assert len(list(choice.first(3))) == 3


@pytest.mark.parametrize(
    ("violating", "holding", "drawn", "said"),
    [
        (4, 5, (4, 5), ""),
        (1_000, 0, (100, 0), "drawn: an even choice of 100 of 1,000 that violate"),
        (10, 990, (10, 90), "drawn: an even choice of 10 of 10 that violate and 90 of 990 that hold"),
        (500, 500, (50, 50), "drawn: an even choice of 50 of 500 that violate and 50 of 500 that hold"),
    ],
)
def test_the_rarer_sort_has_room_for_half_of_what_is_drawn(violating, holding, drawn, said):
    marks = Marks(100)
    for number in range(violating + holding):
        marks.add(number, number < violating)
    counts = Counter(violates for _, violates in marks.each)
    assert (counts[True], counts[False]) == drawn
    assert marks.chosen == said
    assert marks.counts == f"{violating:,} of {violating + holding:,} rows violate"


KINDS = {
    "sides": (verdict(share_of="left"), lambda at: row(f"c{at}", 0.1 - at % 3, shares=[at % 7 / 7, at % 5 / 5])),
    "bells": (verdict(share_of="the true word"), lambda at: row(f"c{at}", 0.1 - at % 3, shares=[at % 7 / 7])),
    "slopes": (verdict(), lambda at: row(f"c{at}", 0.1 - at % 3)),
    "strip": (verdict(), lambda at: bare(f"c{at}", 0.1 - at % 3)),
    "values": (mean(), lambda at: bare(f"c{at}", at % 7 / 7)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_chart_of_many_rows_says_how_many_it_draws_and_is_no_larger(kind):
    one, made = KINDS[kind]
    (view,) = of(one, map(made, range(3_000)))
    found = Drawing(view.drawing)
    assert found.kind == kind
    assert len(view.drawing) < 8_000
    if kind == "values":
        assert "3,000 rows" in view.caption
    else:
        assert "drawn: an even choice of" in view.caption
        assert "of 2,000 that violate" in view.caption
        assert found.desc.endswith("of 1,000 that hold")
        assert "2,000 of 3,000 rows violate" in found.title


@pytest.mark.parametrize("kind", KINDS)
def test_a_chart_of_four_times_as_many_rows_keeps_no_more(kind):
    one, made = KINDS[kind]
    rows = [record_of(made(at)) for at in range(105)]

    def kept(times):
        chart, *_ = charts_of(record_of(one))
        tracemalloc.start()
        for each in rows * times:
            chart.add(each)
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return kept

    kept(20)  # what is loaded once
    assert kept(80) < kept(20) + 5_000  # a row takes 3,000 bytes, and two of its numbers 150
