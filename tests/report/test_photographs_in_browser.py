"""The page of a run on real photographs in Chromium: axe finds nothing, in both themes and at both widths."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.conftest import PATIENCE
from vlcheck import evaluate

# Rows out of sight have no place of their own yet, so that axe would take what is behind them for something else.
UNFOLDED = """
document.querySelectorAll('details.verdict').forEach(one => { one.open = true });
document.querySelectorAll('.row').forEach(row => { row.style.contentVisibility = 'visible' });
"""
SIZES = [(1280, "light"), (390, "light"), (1280, "dark"), (390, "dark")]


@pytest.fixture(scope="module")
def address(photographs_root, tmp_path_factory):
    """The page of a model that knows no photograph, on a few of them: of one bias, since axe takes long."""
    path = tmp_path_factory.mktemp("photographs") / "report.html"
    evaluate("tiny", f"coco:{photographs_root}:4", suite="behavior_tests/test_position.py", progress=False).report(path)
    return path.as_uri()


@pytest.mark.slow
def test_axe_finds_nothing_on_a_page_of_photographs(browser, address):
    """With all verdicts unfolded, and with the dialog of a picture open."""
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    page.evaluate(UNFOLDED)
    assert page.locator(".row svg.picture:visible").count() > 20
    found = {}
    for width, theme in SIZES:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=theme)
        found[width, theme] = complaints(page)
        assert page.evaluate("document.documentElement.scrollWidth") == width
    page.locator(".row svg.picture:visible").first.click()
    page.locator("dialog[open]").wait_for()
    found["dialog"] = complaints(page)
    page.close()
    assert found == {place: [] for place in (*SIZES, "dialog")}


def complaints(page):
    """The rules that axe finds broken, each with an element."""
    return [(one["id"], one["nodes"][0]["html"][:200]) for one in Axe().run(page).response["violations"]]
