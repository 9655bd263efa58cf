"""Addresses, filters, copies and the download in Chromium."""

import re
import shlex

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.conftest import PATIENCE
from tests.report.pages import passing, row, small, verdict
from vlcheck.report.page import draw
from vlcheck.report.table import csv_text
from vlcheck.results.anchors import row_anchor, verdict_anchor

SWAPS = "behavior_tests/test_position.py::test_mirror_swaps_sides[itm]", "test_mirror_swaps_sides", "itm"
ANCHOR = verdict_anchor(*SWAPS)
CAPTIONS = {"a dog": "A Dog on a red sofa", "a cat": "a cat, and a Dog's bowl", "no": "no bowl"}
FOLDED = row_anchor(*SWAPS, "case-07", "grayscale v1")

expect.set_options(timeout=PATIENCE)  # which is apart from that of a page


def found():
    """A passing test of 12 rows, nine of them folded; a failing one with captions; and what `small` has."""
    shown = [row(f"case-{number:02}", 0.02 * number + 0.01, image="red") for number in range(12)]
    told = [row(case, -0.1, texts=[text, text]) for case, text in CAPTIONS.items()]
    swaps = passing("test_mirror_swaps_sides", test=SWAPS[0], bias="position", reason='=1, "quoted"\nand more: ä')
    return small((swaps, shown), (verdict("test_captions"), told))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "it's a report.html"
    path.write_text(draw(found(), source="r.jsonl"), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def opened(browser, path):
    """Open the page at an address, in a tab that has no history."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})

    def at(anchor=""):
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.complaints = []
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(path.as_uri() + anchor)
        return page

    yield at
    context.close()


def count(page):
    return page.locator("#filter output")


def shown_cases(page):
    return page.locator(".row:visible h5").all_text_contents()


def test_an_address_opens_what_is_folded_and_puts_the_focus_there(opened):
    page = opened(f"#{FOLDED}")
    expect(page.locator(f"#{FOLDED}")).to_be_focused()
    expect(page.locator(f"#{FOLDED} h5")).to_be_in_viewport()
    assert page.locator(f"#{FOLDED} h5").text_content() == "case-07"
    page.evaluate("anchor => { location.hash = anchor }", ANCHOR)
    expect(page.locator("summary", has_text="mirror swaps sides")).to_be_focused()
    page.locator(f"#{ANCHOR} .row h5 a").first.click()
    expect(page.locator(f"#{ANCHOR} .row").first).to_be_focused()
    assert page.url.endswith(f"#{row_anchor(*SWAPS, 'case-00', 'grayscale v1')}")
    page.go_back()
    expect(page.locator("summary", has_text="mirror swaps sides")).to_be_focused()
    for unknown in ("#absent", "#%E0%A4%A", "#?", "#??status=fail", "#a?status=absent&absent=1&sort=&explained"):
        page.evaluate("hash => { location.hash = hash }", unknown)
    assert page.complaints == []
    page.close()


def test_filters_stand_in_the_address_and_the_back_button_undoes_them(opened):
    page = opened()
    address = page.url
    expect(count(page)).to_have_text("")
    page.locator("[name=status]").select_option("fail")
    expect(count(page)).to_have_text("9 rows of 2 verdicts")
    assert page.url == f"{address}#?status=fail"
    page.locator("[name=search]").press_sequentially("SOF", delay=200)  # three inputs are one step back
    expect(count(page)).to_have_text("1 row of 1 verdict")
    expect(page).to_have_url(f"{address}#?status=fail&search=SOF")
    link = page.locator("table.matrix td.pass a")  # filtered out, and shown
    anchor = link.get_attribute("href")
    link.click()
    expect(page.locator("details.verdict", has=page.locator(anchor)).locator("> summary")).to_be_focused()
    assert page.url == f"{address}{anchor}?status=fail&search=SOF"
    page.go_back()
    expect(page).to_have_url(f"{address}#?status=fail&search=SOF")
    page.go_back()
    expect(count(page)).to_have_text("9 rows of 2 verdicts")
    assert (page.locator("[name=search]").input_value(), page.url) == ("", f"{address}#?status=fail")
    page.go_back()
    expect(count(page)).to_have_text("28 rows of 6 verdicts")
    assert page.locator("[name=status]").input_value() == ""
    page.go_forward()
    expect(count(page)).to_have_text("9 rows of 2 verdicts")
    page.reload()
    expect(count(page)).to_have_text("9 rows of 2 verdicts")
    page.get_by_role("button", name="clear filters").click()
    expect(count(page)).to_have_text("28 rows of 6 verdicts")
    expect(page).to_have_url(f"{address}#")
    assert page.complaints == []
    page.close()


def test_a_shared_address_gives_the_same_view(opened):
    first = opened()
    first.locator("[name=bias]").select_option("position")
    first.locator("[name=outcome]").select_option("holds")
    first.locator("[name=sort]").select_option("down")
    expect(first).to_have_url(re.compile(r"#\?bias=position&outcome=holds&sort=down$"))
    second = opened(f"#{first.url.partition('#')[2]}")
    expect(count(second)).to_have_text("12 rows of 1 verdict")
    second.get_by_role("button", name="open all").click()
    first.get_by_role("button", name="open all").click()
    assert shown_cases(first) == shown_cases(second) == ["case-11", "case-10", "case-09"]
    third = opened(f"#{FOLDED}?{first.url.partition('?')[2]}")
    expect(third.locator(f"#{FOLDED}")).to_be_focused()
    expect(count(third)).to_have_text("12 rows of 1 verdict")
    assert third.locator("details.verdict:visible").count() == 1
    for page in (first, second, third):
        assert page.complaints == []
        page.close()


def test_a_search_finds_words_of_captions_and_of_answers(opened):
    page = opened()
    page.locator(".more").evaluate_all("all => all.forEach(one => { one.open = true })")
    for words, cases in (
        ("DOG grayscale", ["a dog", "a cat"]),
        ("  SOFA\ta ", ["a dog"]),
        ("bowl dog", ["a cat"]),
        ("case-07", ["case-07"]),
        ("car case-1", ["case-11", "case-10"]),
        ("it's a sofa?", []),
    ):
        page.locator("[name=search]").fill(words)
        expect(page.locator(".row:visible h5")).to_have_text(cases)
        rows = f"{len(cases)} row{'s' * (len(cases) != 1)}"
        expect(count(page)).to_have_text(f"{rows} of 1 verdict" if cases else "no row that is shown here fits")
    page.close()


def test_a_link_and_a_command_are_copied_and_it_is_said(browser, opened, path):
    page = opened(f"#{ANCHOR}?status=pass")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    links, clipboard = page.locator(f"#{ANCHOR} .links"), "navigator.clipboard.readText()"
    links.get_by_role("button", name="copy link").click()
    expect(links.get_by_role("status")).to_have_text("Copied the link.")
    assert page.evaluate(clipboard) == f"{path.as_uri()}#{ANCHOR}"
    links.get_by_role("button", name="copy command").click()
    expect(links.get_by_role("status")).to_have_text("Copied the command.")
    words = shlex.split(page.evaluate(clipboard))
    assert words[:4] == ["pytest", SWAPS[0], "--vl-model=file.py:factory", "--vl-data=scenes:6"]
    page.context.clear_permissions()
    page.close()


def test_where_a_page_must_not_copy_the_text_is_selected(browser, opened, path):
    """In a frame of another page, as servers of artifacts show one, the browser refuses the clipboard."""
    frame = path.with_name("frame.html")
    source = f"{path.name}#{ANCHOR}".replace("'", "&#39;")
    frame.write_text(f"<iframe sandbox='allow-scripts' width=1200 height=800 src='{source}'></iframe>")
    page = opened()
    page.goto(frame.as_uri())
    links = page.frame_locator("iframe").locator(f"#{ANCHOR} .links")
    links.get_by_role("button", name="copy command").click()
    expect(links.get_by_role("status")).to_contain_text("The text is selected: copy it with Ctrl+C")
    field = links.get_by_label("command", exact=True)
    expect(field).to_be_focused()
    assert (
        field.evaluate("it => it.value.slice(it.selectionStart, it.selectionEnd)") == links.locator("code").inner_text()
    )
    links.get_by_role("button", name="copy link").click()
    expect(links.locator("input")).to_have_value(f"{path.as_uri()}#{ANCHOR}".replace("%27", "'"))
    page.frame_locator("iframe").locator("[name=status]").select_option("fail")
    expect(page.frame_locator("iframe").locator("#filter output")).to_have_text("9 rows of 2 verdicts")
    assert page.complaints == []
    page.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_the_download_is_the_table_that_the_command_writes(browser, path, tmp_path, scripts):
    page = browser.new_page(java_script_enabled=scripts)
    page.goto(path.as_uri())
    with page.expect_download(timeout=PATIENCE) as download:
        page.get_by_role("link", name="Download the verdicts").click()
    download.value.save_as(tmp_path / "verdicts.csv")
    assert download.value.suggested_filename == "verdicts.csv"
    assert (tmp_path / "verdicts.csv").read_bytes() == csv_text(found()).encode()
    links = page.locator(f"#{ANCHOR} .links")
    page.locator("summary", has_text="mirror swaps sides").press("Enter")
    expect(links.locator("code")).to_be_visible()
    expect(links.locator("button")).to_have_count(2)
    assert links.get_by_role("button").count() == (2 if scripts else 0)
    page.close()


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing_on_a_copy_that_was_refused(browser, path, theme, width):
    page = browser.new_page(color_scheme=theme, viewport={"width": width, "height": 900})
    page.goto(f"{path.as_uri()}#{FOLDED}?bias=position&search=case")
    page.evaluate("navigator.clipboard.writeText = undefined")
    page.locator(f"#{ANCHOR}").get_by_role("button", name="copy command").click()
    expect(page.locator(f"#{ANCHOR} .links input")).to_be_focused()
    found = Axe().run(page).response["violations"]
    assert {one["id"]: [node["html"] for node in one["nodes"]][:3] for one in found} == {}
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.close()
