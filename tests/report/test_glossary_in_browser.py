"""The names of figures in Chromium: their meanings by hover, focus and touch, and without scripts."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.conftest import PATIENCE
from tests.report.pages import results, rows, verdict
from vlcheck.report.glossary import TERMS
from vlcheck.report.page import draw

DETECTABLE = TERMS["detectable"].meaning
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    path = tmp_path_factory.mktemp("terms") / "report.html"
    path.write_text(draw(results((verdict(), rows())), source="r.jsonl"), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def open_page(browser, address):
    contexts = []

    def opened(**options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()


def term(page, name="detectable"):
    return page.locator("a.term", has_text=name).first


def inside(page, tip):
    box, size = tip.bounding_box(), page.viewport_size
    return box["x"] >= 0 and box["x"] + box["width"] <= size["width"] and box["y"] >= 0


def test_hover_and_focus_show_the_meaning_and_escape_and_leaving_hide_it(open_page):
    page = open_page()
    tip = page.locator(".tip")
    expect(tip).to_be_hidden()
    term(page).hover()
    expect(tip).to_have_text(DETECTABLE)
    assert inside(page, tip)
    tip.hover()  # which is read at leisure
    page.wait_for_timeout(400)
    expect(tip).to_be_visible()
    page.mouse.move(2, 2)
    expect(tip).to_be_hidden()
    term(page).focus()
    expect(tip).to_have_text(DETECTABLE)
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    page.keyboard.press("Tab")
    expect(tip).not_to_have_text(DETECTABLE)
    expect(tip).to_be_visible()


def test_a_screen_reader_has_the_meaning_of_each_name_from_the_glossary(open_page):
    page = open_page()
    links = page.locator("a.term").all()
    assert len(links) >= 10
    for link in links:
        said = page.locator(f"#{link.get_attribute('aria-describedby')}")
        assert said.count() == 1
        assert said.text_content() == TERMS[link.text_content()].meaning
    assert page.locator(".tip").get_attribute("aria-hidden") == "true"


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_enter_leads_to_the_glossary(open_page, scripts):
    page = open_page(java_script_enabled=scripts)
    term(page, "p (Holm)").press("Enter")
    expect(page.locator("dd:target")).to_have_text(TERMS["p (Holm)"].meaning)
    expect(page.locator("dd:target")).to_be_in_viewport()


def test_the_first_touch_shows_the_meaning_and_the_second_leads_to_the_glossary(open_page):
    page = open_page(has_touch=True, viewport={"width": 390, "height": 800})
    tip = page.locator(".tip")
    term(page).tap()
    expect(tip).to_have_text(DETECTABLE)
    assert inside(page, tip)
    assert page.locator("dd:target").count() == 0
    page.locator("h4").first.dispatch_event("pointerdown", {"pointerType": "touch", "bubbles": True})
    expect(tip).to_be_hidden()
    term(page).tap()
    term(page).tap()
    expect(page.locator("dd:target")).to_have_text(DETECTABLE)
    expect(tip).to_be_hidden()


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing_serious_where_a_meaning_is_shown(open_page, theme, width):
    page = open_page(color_scheme=theme, viewport={"width": width, "height": 900})
    term(page).focus()
    expect(page.locator(".tip")).to_be_visible()
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
