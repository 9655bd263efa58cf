"""The page of an audit in Chromium: it loads nothing, and the keyboard, a narrow window and a screen reader manage."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.audit.documents import document, fails_position
from tests.audit.test_page import RUNS, hostile
from tests.conftest import PATIENCE
from vlcheck.audit.page import draw_audit


@pytest.fixture
def open_audit(browser, tmp_path):
    """Open the page of an audit; what it complained of and asked for is kept."""
    contexts = []

    def opened(audited, **options):
        path = tmp_path / "audit.html"
        path.write_text(draw_audit(audited), encoding="utf-8")
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.complaints, page.requests = [], []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("request", lambda request: page.requests.append(request.url))
        page.goto(path.as_uri())
        page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
        assert page.complaints == []
        assert page.requests == [path.as_uri()]
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing_serious_and_nothing_is_wider_than_the_window(open_audit, theme, width):
    page = open_audit(document(runs=RUNS), color_scheme=theme, viewport={"width": width, "height": 900})
    found = Axe().run(page).response["violations"]
    grave = {one["id"]: one["nodes"][0]["html"] for one in found if one["impact"] in ("serious", "critical")}
    assert grave == {}
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_cause_and_the_verdict_are_in_the_first_window_side_by_side(open_audit):
    page = open_audit(document(runs=[("r.jsonl", fails_position())]))
    row = page.locator("table.causes tbody tr", has_text="position")
    expect(row.get_by_text("a cause is found, and the model fails")).to_be_in_viewport()
    cause, verdict = (row.locator("td").nth(at).bounding_box() for at in (0, 1))
    assert cause["y"] == verdict["y"]
    assert cause["x"] + cause["width"] <= verdict["x"] + 1


def test_the_bar_is_as_long_as_its_share(open_audit):
    page = open_audit(document())
    chart = page.locator(".finding", has_text="sides named").locator("svg.share")
    assert chart.get_attribute("aria-label").startswith("0.3 %, interval 0.2 to 0.4 %, limit 1 %")
    bar, frame = chart.locator("rect").bounding_box(), chart.bounding_box()
    assert bar["width"] / frame["width"] == pytest.approx(0.3 * 292 / 320, abs=0.01)


def test_the_theme_is_the_systems_until_the_button_says_otherwise(open_audit):
    page = open_audit(document(), color_scheme="dark")
    back = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(back) == "rgb(21, 23, 27)"
    page.get_by_role("button", name="light theme").click()
    assert page.evaluate(back) == "rgb(255, 255, 255)"


def test_hostile_text_runs_nothing(open_audit):
    page = open_audit(hostile())
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") == 1280
