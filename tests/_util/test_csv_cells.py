"""No text of a table is a formula when a spreadsheet opens it, and each text can be got back."""

import pytest

from vlcheck._util.csv_cells import csv_cell


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'=1"])
def test_a_text_that_would_be_a_formula_gets_an_apostrophe(text):
    assert csv_cell(text) == "'" + text


@pytest.mark.parametrize("value", ["a dog", "", "1-2", -0.5, None, '["-"]'])
def test_other_values_are_unchanged(value):
    assert csv_cell(value) is value
