"""The tables that trackers keep: figures as in the results, and pairs of pictures of the worst cases."""

from tests.report import pages
from vlcheck.export.tables import evidence_table, tables_of, verdict_table
from vlcheck.results.anchors import row_anchor, verdict_anchor


def cells(table):
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def test_the_gravest_verdict_comes_first_with_its_figures():
    first, *others = cells(verdict_table(pages.small()))
    assert [one["status"] for one in (first, *others)] == ["fail", "invalid", "inconclusive", "pass"]
    assert (first["observed"], first["low"], first["high"], first["n"]) == (2 / 3, 0.2713, 0.9372, 6)
    assert (first["allowed"], others[1]["band_low"], others[1]["band_high"]) == (0.1, -0.15, 0.15)
    assert first["anchor"] == verdict_anchor(first["test"], first["behavior"], "mlm")
    assert not {"model", "data", "tables", "known"} & first.keys()


def test_the_worst_cases_of_what_does_not_pass_are_there_the_worst_first():
    rows = cells(evidence_table(pages.small(), 3))
    of_fail = [one for one in rows if one["status"] == "fail"]
    assert [(one["case"], one["margin"]) for one in of_fail] == [("one", -0.3), ("two", -0.2), ("four", -0.1)]
    assert not [one for one in rows if one["status"] == "pass"]
    assert [one["case"] for one in rows if one["behavior"] == "test_right_is_no_favourite"] == ["two", "one"]
    assert [one["margin"] for one in rows if one["status"] == "invalid"] == [None, None]
    test = pages.verdict()["test"]
    assert of_fail[0]["anchor"] == row_anchor(test, "test_grey_preserves", "mlm", "one", "grayscale v1")


def test_a_pair_of_pictures_stands_side_by_side():
    first = cells(evidence_table(pages.small(), 1))[0]
    picture = first["pictures"]
    assert picture.size == (128 + 4 + 128, 64)
    red, grey = picture.getpixel((10, 10)), picture.getpixel((200, 10))
    assert red[0] > 150 > red[1] + 60
    assert max(grey) - min(grey) < 10


def test_a_larger_copy_is_taken_where_there_is_one():
    large = pages.image("red", size=(512, 256))["jpeg"]
    shown = [pages.image("red", large=large), pages.image("grey")]
    found = pages.results((pages.verdict(), [pages.row("one", -0.3)]), images=shown)
    assert cells(evidence_table(found, 1))[0]["pictures"].size == (512 + 4 + 128, 256)


def test_a_case_without_pictures_has_a_blank_one_and_a_run_without_any_has_no_column():
    mixed = pages.results((pages.verdict(), [pages.row("one", -0.3), pages.row("two", -0.2, image="?", perturbed="?")]))
    assert [row[0].size for row in evidence_table(mixed, 5).rows] == [(260, 64), (1, 1)]
    damaged = [pages.image("red", jpeg="no base64"), pages.image("grey", jpeg=None)]
    without = pages.results((pages.verdict(), [pages.row("one", -0.3)]), images=damaged)
    table = evidence_table(without, 5)
    assert "pictures" not in table.columns
    assert table.rows[0][0] == "color"


def test_none_are_kept_if_none_are_asked_for():
    assert tables_of(pages.small(), 0).keys() == {"verdicts"}
    assert tables_of(pages.small(), 5).keys() == {"verdicts", "evidence"}
