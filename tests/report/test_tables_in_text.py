"""The tables at the end of a run: each figure stands beside the number of rows that it rests on."""

from tests.report import pages
from vlcheck.report.text.summary import color_and_grey
from vlcheck.results.schema import record_of


def test_the_two_metrics_of_a_row_may_rest_on_two_numbers():
    def verdict(metric, n):
        tables = {"color_grey": {"color": 0.9, "grey": 0.4, "n": n}}
        return record_of(pages.verdict("test_a", metric, tables=tables))

    *_, row = color_and_grey([verdict("mlm", 16), verdict("itm", 1_032)])
    assert row.split() == ["test_a", *["0.900", "0.400"] * 2, "16", "and", "1,032"]
    *_, row = color_and_grey([verdict("mlm", 16), verdict("itm", 16)])
    assert row.split()[-1] == "16"
    *_, row = color_and_grey([verdict("itm", 16)])
    assert row.split() == ["test_a", "-", "-", "0.900", "0.400", "16"]
