"""A cell of the matrix names one of its behaviors: the worst one, if one is."""

import pytest

from tests.report.pages import mean, passing, results, verdict
from vlcheck.report.page.matrix import matrix_view

SOME = {"rate": 0.02, "violations": 1}


@pytest.mark.parametrize(
    ("first", "said"),
    [
        ({}, "2 pass; for example:"),
        (SOME, "2 pass; the worst:"),
    ],
)
def test_the_worst_of_several_that_pass_is_one_with_a_violation(first, said):
    found = results((passing("test_grey", "mlm", **first), []), (passing("test_hue", "mlm"), []))
    ((cell, _),) = (row.cells for row in matrix_view(found, dict.fromkeys(found.verdicts, "id"), {}).rows)
    assert cell.counts == said
    assert not first or cell.title.text == "grey"


def test_a_mean_that_passes_is_an_example_and_what_fails_is_the_worst():
    found = results(
        (mean("pass", effect=0.0), []),
        (passing("test_side", "mlm", bias="position"), []),
        (verdict("test_grey", rate=0.0), []),
        (verdict("test_hue", rate=0.5), []),
    )
    cells = {row.bias.text: row.cells[0] for row in matrix_view(found, dict.fromkeys(found.verdicts, "id"), {}).rows}
    assert cells["position"].counts == "2 pass; for example:"
    assert (cells["color"].counts, cells["color"].title.text) == ("2 fail; the worst:", "hue")
