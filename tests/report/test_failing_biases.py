"""What fails: the first tests of a bias, and links to all others."""

from tests.report.pages import results, rows, verdict
from vlcheck.report.page import draw
from vlcheck.report.page.document import page_view
from vlcheck.report.page.row_budget import Room

NAMES = [f"test_{color}_preserves" for color in ("red", "green", "blue", "grey", "pink")]


def test_the_tests_beyond_the_first_ones_are_folded_links():
    found = results(*((verdict(name), rows()) for name in NAMES))
    (bias,) = page_view(found, source="r", room=Room()).found
    assert (len(bias.tests), len(bias.more)) == (3, 2)
    told = draw(found, source="r").partition('id="found"')[2].partition("</section>")[0]
    folded = told.partition("<summary>and 2 more</summary>")[2].partition("</details>")[0]
    assert [f'<li><a href="#{one.id}">' in folded for one in (*bias.tests, *bias.more)] == [False] * 3 + [True] * 2
