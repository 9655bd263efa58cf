"""The reviewer page in Chromium: what the eye, the keyboard and a screen reader meet."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.conftest import PATIENCE
from tests.report.pages import contribution, contributions, invalid, passing, results, row, small, unasked, verdict
from vlcheck.report.page import draw
from vlcheck.results.comparison import compare_runs

expect.set_options(timeout=PATIENCE)  # which is apart from that of a page


def large():
    """A run with everything: pictures, a control's tables, many rows, verdicts of each kind, hostile names."""
    tables = {"color_grey": {"color": 0.9, "grey": 0.4, "n": 30}}
    many = [row(f"case-{number:02}", 0.02 * number - 0.5, image="red", boxes=[[1, 2, 30, 40]]) for number in range(40)]
    long = verdict(
        "test_hue_preserves", reason="an <b>endless</b> reason " * 40, rate=0.3, rate_low=0.15, rate_high=0.5
    )
    calm = [passing(f"test_{bias}_holds", bias=bias) for bias in ("modality", "robustness")]
    causes = [invalid(f"test_{cause}", bias="place", cause=cause) for cause in ("unknown", "constant", "errors")]
    return small(
        (verdict("test_grey_drops", tables=tables), many),
        (long, [row("\u202e" + "long" * 500, -0.1)]),
        (contributions(), [contribution("words", 0.75), contribution("picture", 0.2)]),
        *((one, []) for one in (*calm, *causes, unasked("test_cells", bias="place"), unasked(bias="robustness"))),
    )


def before():
    """The release before, which had none of it."""
    good = [row(f"case-{number:02}", 0.1, image="red") for number in range(40)]
    return results((passing("test_grey_drops", "mlm"), good), run={"name": "the old one"})


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    found = large()
    page = draw(found, source="r.jsonl", beside=before(), comparison=compare_runs(before(), found))
    path.write_text(page, encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def open_page(browser, address):
    """Open the page with options of the browser's context; what it complained of and asked for is kept."""
    contexts = []

    def opened(**options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.complaints, page.requests = [], []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("request", lambda request: page.requests.append(request.url))
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()


def shown_cases(verdict):
    return verdict.locator(".row:visible h5").all_text_contents()


def named(page, name):
    return page.locator("details.verdict", has=page.locator("h4", has_text=name)).first


def test_it_opens_from_a_file_without_a_complaint_and_asks_nobody_for_anything(open_page, address):
    page = open_page()
    assert page.title() == "fail: a-model on scenes:6 - vlcheck"
    for details in page.locator("details.verdict").all():
        details.evaluate("element => { element.open = true }")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_timeout(300)
    assert page.complaints == []
    assert [url for url in page.requests if not url.startswith("data:image/jpeg;base64,")] == [address]


def test_the_pictures_are_drawn(open_page):
    """Red in color: a pixel of what the first row shows before, beside its box."""
    page = open_page()
    picture = named(page, "grey drops").locator(".row svg.picture").first
    picture.scroll_into_view_if_needed()
    style = picture.evaluate("element => getComputedStyle(element).backgroundImage")
    assert style.startswith('url("data:image/jpeg;base64,')
    box, frame = picture.locator("rect.box").bounding_box(), picture.bounding_box()
    assert box["width"] / frame["width"] == pytest.approx(30 / 256, abs=0.03)
    assert (box["x"] - frame["x"]) / frame["width"] == pytest.approx(1 / 256, abs=0.02)


def test_the_matrix_has_the_numbers_of_the_results(open_page):
    page = open_page()
    lines = list(large().verdicts.values())
    gravity = ("fail", "invalid", "inconclusive", "pass", "not asked")
    for bias in {line.bias for line in lines}:
        row = page.locator("table.matrix tbody tr", has=page.locator("th", has_text=bias))
        for place, metric in enumerate(("mlm", "itm")):
            its = [line for line in lines if (line.bias, line.metric) == (bias, metric)]
            text = row.locator("td").nth(place).inner_text().replace("\N{NO-BREAK SPACE}", " ")
            if not its:
                assert text == "no test"
                continue
            status = min((line.status for line in its), key=gravity.index)
            assert text.startswith(status)
            shown = [line for line in its if line.status == status != "not asked"]
            rates = [line.rate for line in shown if line.rate is not None]
            assert (f"wrong in {100 * max(rates):.1f}".removesuffix(".0") + " %" in text) if rates else "%" not in text
            assert status != "fail" or f"{sum(line.status == status for line in its)} fail" in text
    first = page.locator("table.matrix td").first.inner_text()
    assert "wrong in 66.7\N{NO-BREAK SPACE}% (27.1 to 93.7\N{NO-BREAK SPACE}%)" in first


def test_bars_of_words_and_picture_are_drawn_beside_the_verdict_and_each_case(open_page):
    page = open_page()
    one = named(page, "neither modality collapses")
    one.locator(":scope > summary").click()
    bars = one.locator("svg.modalities:visible")
    assert bars.count() == 3
    for bar, share in zip(bars.all(), (0.75, 0.2, 0.75), strict=True):
        text, picture = (bar.locator(name).bounding_box()["width"] for name in ("rect.of-text", "rect.of-picture"))
        assert text / (text + picture) == pytest.approx(share, abs=0.01)
        assert bar.bounding_box()["width"] > 200
    assert "words 0.750" in bars.first.text_content()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_checkbox_lays_the_map_over_both_pictures_of_its_row_and_shades_the_tokens(open_page, scripts):
    page = open_page(java_script_enabled=scripts)
    row = page.locator(".row", has_text="one").first
    maps, tokens = row.locator("image.heat"), row.locator(".tokens")
    box = row.get_by_label("Grad-CAM")
    assert (maps.count(), tokens.count(), box.count()) == (2, 2, 1)
    expect(tokens.first).to_be_hidden()
    assert maps.first.bounding_box() is None
    box.check()
    expect(tokens.first).to_be_visible()
    assert maps.first.bounding_box() == pytest.approx(row.locator("svg.picture").first.bounding_box(), abs=0.1)
    shades = [
        tokens.first.locator("span").nth(at).evaluate("it => getComputedStyle(it).backgroundColor") for at in (0, 1, 2)
    ]
    assert len(set(shades)) == 3
    expect(row.locator(".trust")).to_have_text("It beats noise. What lights up <b>.")
    assert page.locator(".row", has_text="two").first.get_by_label("Grad-CAM").count() == 0
    assert page.complaints == []


def test_the_first_explained_case_is_a_click_away_and_the_filter_leaves_explained_cases_alone(open_page):
    page = open_page()
    page.get_by_text("The explained case").click()
    expect(page.locator(".row[data-explained] h5")).to_be_in_viewport()
    page.get_by_label("explained, with a map").check()
    expect(page.locator("output[name=found]")).to_have_text("1 row of 1 verdict")
    assert shown_cases(page) == ["one"]


def test_what_fails_shows_its_map_and_names_the_method_and_the_score_beside_the_words(browser, tmp_path):
    (tmp_path / "small.html").write_text(draw(small(), source="r"), encoding="utf-8")
    page = browser.new_page()
    page.goto((tmp_path / "small.html").as_uri())
    example = page.locator("#found .example").first
    expect(example.get_by_label("map of Grad-CAM")).to_be_checked()
    expect(example.locator("image.heat").first).to_be_visible()
    expect(example.locator(".tokens").first).to_contain_text("Grad-CAM of a score of")
    example.get_by_label("map of Grad-CAM").uncheck()
    expect(example.locator("image.heat").first).to_be_hidden()
    page.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_click_in_the_matrix_reaches_the_evidence(open_page, scripts):
    page = open_page(java_script_enabled=scripts)
    link = page.locator("table.matrix td").nth(1).locator("a")
    there = page.locator(link.get_attribute("href"))
    expect(there).not_to_be_visible()  # it passes, and is closed
    link.click()
    expect(there).to_be_visible()
    expect(there.locator(".row").first).to_be_in_viewport()


def test_what_fails_is_in_the_first_window_with_its_pictures_and_leads_to_the_evidence(open_page):
    page = open_page()
    found = page.locator("#found article")
    assert found.count() == 1
    expect(found.get_by_text("Does the model do without color?")).to_be_in_viewport()
    for picture in found.locator("svg.picture").all():
        expect(picture).to_be_in_viewport()
    link = found.locator("a").first
    there = page.locator(link.get_attribute("href"))
    link.click()
    expect(there.locator(".row").first).to_be_in_viewport()


def test_filters_filter(open_page):
    page = open_page()
    shown = page.locator("details.verdict:visible")
    assert shown.count() == 14
    page.locator("[name=status]").select_option("invalid")
    expect(shown).to_have_count(4)
    expect(page.locator("output")).to_have_text("2 rows of 4 verdicts")
    page.locator("[name=status]").select_option("")
    page.locator("[name=bias]").select_option("position")
    expect(shown).to_have_count(2)
    expect(page.locator("section.bias:visible")).to_have_count(1)
    page.locator("[name=bias]").select_option("")
    page.locator("[name=search]").fill("CASE-07")
    expect(shown).to_have_count(1)
    assert shown_cases(shown) == ["case-07"]
    page.locator("[name=search]").fill("")
    page.locator("[name=outcome]").select_option("holds")
    expect(page.locator("output")).to_have_text("19 rows of 3 verdicts")
    assert set(page.locator(".row:visible").evaluate_all("rows => rows.map(row => row.dataset.outcome)")) == {"holds"}


def test_sorting_sorts_and_sorts_back(open_page):
    page = open_page()
    verdict = named(page, "grey drops")
    verdict.locator(".more > summary").click()
    margins = "rows => rows.map(row => Number(row.dataset.margin))"
    at_first = shown_cases(verdict)
    assert at_first[:4] == ["case-00", "case-19", "case-39", "case-01"]
    for chosen, backwards in (("margin, lowest first", False), ("margin, highest first", True)):
        page.locator("[name=sort]").select_option(label=chosen)
        first = "case-39" if backwards else "case-00"
        expect(verdict.locator(".row h5").first).to_have_text(first)
        expect(verdict.locator(".row h5").nth(1)).to_have_text("case-38" if backwards else "case-01")
        found = verdict.locator(".row").evaluate_all(margins)
        assert found == sorted(found, reverse=backwards)
    page.locator("[name=sort]").select_option("telling")
    expect(verdict.locator(".row h5").first).to_have_text("case-00")
    assert shown_cases(verdict) == at_first


def test_all_of_it_can_be_read_without_scripts(open_page):
    page = open_page(java_script_enabled=False)
    expect(page.get_by_text("Fails 1 of 5 biases: color.")).to_be_visible()
    expect(page.locator("#filter")).not_to_be_visible()
    expect(page.locator("#theme")).not_to_be_visible()
    failing = named(page, "grey drops")
    expect(failing.locator(".row").first).to_be_visible()
    assert failing.locator(".row:visible").count() == 3
    failing.locator(".more > summary").click()
    expect(failing.locator(".row:visible")).to_have_count(40)
    passing = page.locator("details.verdict[data-status=pass]").first
    passing.locator("summary").first.press(
        "Enter"
    )  # a click could miss it: rows above it take their place as they come
    expect(passing.locator(".row").first).to_be_visible()


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 1280), ("dark", 390)])
def test_axe_finds_nothing_serious(open_page, theme, width):
    page = open_page(color_scheme=theme, viewport={"width": width, "height": 900})
    page.get_by_role("button", name="open all").click()
    for more in page.locator(".more > summary").all():
        more.click()
    found = Axe().run(page).response["violations"]
    grave = {
        one["id"]: [node["html"] for node in one["nodes"]][:3]
        for one in found
        if one["impact"] in ("serious", "critical")
    }
    assert grave == {}


def test_the_theme_is_the_systems_until_the_button_says_otherwise(open_page):
    page = open_page(color_scheme="dark")
    back = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(back) == "rgb(21, 23, 27)"
    page.get_by_role("button", name="light theme").click()
    assert page.evaluate(back) == "rgb(255, 255, 255)"
    page.reload()
    assert page.evaluate(back) == "rgb(255, 255, 255)"
    page.get_by_role("button", name="dark theme").click()
    assert page.evaluate(back) == "rgb(21, 23, 27)"


def test_the_keyboard_reaches_everything(open_page):
    page = open_page()
    reachable = "a[href], button, select, input, summary, [tabindex='0']"
    wanted = page.locator(reachable).evaluate_all("some => some.filter(one => one.checkVisibility()).length")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the verdicts"
    reached = 1
    while reached <= wanted:
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        assert page.evaluate("document.activeElement.matches(':focus-visible')")
        reached += 1
    assert reached == wanted
    page.locator("details.verdict[data-status=pass] > summary").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("details.verdict[data-status=pass] .row").first).to_be_visible()


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_window_or_its_cell(open_page, width):
    page = open_page(viewport={"width": width, "height": 800})
    wide = "cells => cells.filter(cell => cell.scrollWidth > cell.clientWidth).map(cell => cell.textContent)"
    assert page.locator("table.matrix th, table.matrix td").evaluate_all(wide) == []
    page.get_by_role("button", name="open all").click()
    for more in page.locator(".more > summary, .full > summary").all():
        more.click()
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_it_can_be_printed(open_page):
    """What failed is on paper with its pictures, the controls are not."""
    page = open_page(color_scheme="dark")
    page.emulate_media(media="print")
    expect(page.locator("#filter")).not_to_be_visible()
    expect(named(page, "grey drops").locator("svg.picture").first).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    printed = "getComputedStyle(document.querySelector('svg.picture')).printColorAdjust"
    assert page.evaluate(printed) == "exact"
    assert re.match(rb"%PDF", page.pdf())


def test_a_hostile_case_is_text_and_is_found(open_page):
    page = open_page()
    names = page.locator(".row h5 bdi").all_text_contents()
    assert any(name.startswith("⟨U+202E⟩longlong") for name in names)
    assert page.locator("b", has_text="endless").count() == 0
    expect(named(page, "hue preserves").locator(".reason details.full")).to_be_visible()
