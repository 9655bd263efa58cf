"""What the filters say where nothing fits, and what they look through."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.conftest import PATIENCE
from tests.report.pages import results, row, verdict
from vlcheck.report.page import draw
from vlcheck.report.page.row_budget import Room

expect.set_options(timeout=PATIENCE)  # which is apart from that of a page


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A page that shows four of twelve rows."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    shown = [row(f"case-{number:02}", 0.02 * number - 0.1) for number in range(12)]
    path.write_text(draw(results((verdict(), shown)), source="r.jsonl", room=Room(rows=4)), encoding="utf-8")
    return path.as_uri()


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_where_no_row_fits_it_is_said_with_what_was_looked_through_and_a_click_undoes_it(
    browser, address, theme, width
):
    page = browser.new_page(color_scheme=theme, viewport={"width": width, "height": 900})
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    nothing, search = page.locator("#no-fit"), page.locator("[name=search]")
    expect(nothing).to_be_hidden()
    expect(page.locator("#evidence > .count")).to_contain_text("Search and filters look at the rows that are shown.")
    room = """field => {
        const pen = document.createElement("canvas").getContext("2d"), style = getComputedStyle(field);
        pen.font = style.font;
        return field.clientWidth - parseFloat(style.paddingLeft) * 2 - pen.measureText(field.placeholder).width;
    }"""
    assert search.evaluate(room) > 0  # the hint is not cut
    search.fill("case-99")
    expect(nothing).to_be_visible()
    expect(nothing).to_contain_text("No row on this page fits, so that nothing is shown here.")
    expect(nothing).to_contain_text("The page has 4 of 12 rows; r.jsonl has all.")
    expect(page.locator("details.verdict:visible")).to_have_count(0)
    assert Axe().run(page).response["violations"] == []
    nothing.get_by_role("button", name="clear filters").click()
    expect(nothing).to_be_hidden()
    expect(search).to_be_focused()
    expect(page.locator("details.verdict:visible")).to_have_count(1)
    page.close()


def test_a_page_of_all_rows_speaks_of_no_others_and_one_without_a_verdict_has_no_filters():
    page = draw(results((verdict(), [row("one", -0.1)])), source="r.jsonl")
    assert "Search and filters look" not in page
    assert "No row fits, so that nothing is shown here." in page
    assert 'id="filter"' not in draw(results(), source="r.jsonl")


def test_a_page_without_a_verdict_has_no_error(browser, tmp_path):
    path = tmp_path / "empty.html"
    path.write_text(draw(results(), source="r.jsonl"), encoding="utf-8")
    page = browser.new_page()
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(path.as_uri())
    assert complaints == []
    page.close()
