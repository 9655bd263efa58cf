from vlcheck.report.text.columns import aligned
from vlcheck.report.text.fitting import fitted

TABLE = [
    *aligned([["test", "metric", "n", "observed"], ["test_of_grey", "mlm", "40", "0.975"], ["test_b", "itm", "7", "0"]])
]


def test_lines_that_fit_and_lines_of_a_file_stay_as_they_are():
    lines = ["a sentence " * 30, "", *TABLE]
    assert [*fitted(lines, None)] == lines
    assert [*fitted(TABLE, 80)] == TABLE


def test_prose_is_wrapped_between_words_and_a_path_stays_whole():
    path = "/a-very-long/path-to-the/results.jsonl"
    assert [*fitted([f"results: {path} is written", ""], 24)] == ["results:", f"  {path}", "  is written", ""]


def test_a_wide_table_is_drawn_in_parts_with_the_first_column_in_each():
    assert max(map(len, TABLE)) == 34
    assert [*fitted(TABLE, 28)] == [
        "test          metric   n",
        "test_of_grey     mlm  40",
        "test_b           itm   7",
        "test          observed",
        "test_of_grey     0.975",
        "test_b               0",
    ]


def test_where_the_first_column_leaves_no_room_its_cells_have_lines_of_their_own():
    assert [*fitted(TABLE, 20)] == [
        "test",
        "  metric   n",
        "test_of_grey",
        "     mlm  40",
        "test_b",
        "     itm   7",
        "test",
        "  observed",
        "test_of_grey",
        "     0.975",
        "test_b",
        "         0",
    ]


def test_cells_of_several_words_stay_together():
    rows = [["bias", "mlm", "itm"], ["position", "invalid: knows too few cases", "fail"], ["color", "pass", "pass"]]
    assert [*fitted(aligned(rows), 40)] == [
        "bias                               mlm",
        "position  invalid: knows too few cases",
        "color                             pass",
        "bias       itm",
        "position  fail",
        "color     pass",
    ]
