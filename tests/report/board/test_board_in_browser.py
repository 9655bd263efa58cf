"""The board in Chromium: what the eye, the keyboard and a screen reader meet."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.conftest import PATIENCE
from tests.report.board.boards import kept, run_of
from tests.report.pages import invalid, passing, unasked, verdict
from vlcheck.report.board import PageLinks, board_view, gather_runs, stream_board
from vlcheck.report.page import draw
from vlcheck.results.file import read

BIASES = ("modality", "color", "position", "order", "place", "robustness")


def of_biases(*failing, **changes):
    """A verdict a bias and metric; those that are named fail."""
    for bias in BIASES:
        for metric in ("mlm", "itm"):
            one = verdict if bias in failing else passing
            yield one(f"test_{bias}", metric, bias=bias, **changes)


def on_board():
    """Runs of each kind: dates, other data, other limits, other tests, what is invalid or not asked."""
    late = {"behavior_tests/test_it.py::test_late[mlm]": {"bias": "color", "metric": "mlm"}}
    return {
        "old": run_of(*of_biases("color", "order"), name="zebra", day=1),
        "new": run_of(*of_biases("order"), name="zebra", day=9, fingerprint="e2e2"),
        "ape": run_of(*of_biases("color", "place", "order"), name="ape", day=5),
        "mole": run_of(*of_biases(), verdict("test_more", bias="color"), name="mole", day=7),
        "<b>": run_of(
            *of_biases(), invalid(bias="sound"), unasked(bias="sound"), name="\u202e<b>" + "long" * 60, day=8
        ),
        "elsewhere": run_of(*of_biases(), name="ape", data="coco:/data/a long path/" * 3, day=2),
        "strict": run_of(*of_biases("color", allowed=0.01), name="strict", day=3, unjudged=[*late], stated=late),
    }


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    """The board, with a page of the run `new` beside it."""
    folder = tmp_path_factory.mktemp("board")
    paths = kept(folder, **on_board())
    paths[-1].write_text("{}")
    paths += kept(folder, strict_again=on_board()["strict"])
    (folder / "new.html").write_text(draw(read(folder / "new.jsonl"), source="new.jsonl"), encoding="utf-8")
    path = folder / "board.html"
    found = gather_runs(paths, PageLinks(path))
    path.write_text("".join(stream_board(board_view(found))), encoding="utf-8")
    return path


@pytest.fixture
def open_board(browser, board):
    """Open the board with options of the browser's context; what it complained of and asked for is kept."""
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
        page.goto(board.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()


def models(page, table=1):
    """The models of a table in the order of its rows, as a screen reader reads them: that of the document."""
    return page.locator(f"#table-{table} .models tbody th > bdi").all_text_contents()


def tops(page, table=1):
    """The same by where the rows are on the screen."""
    rows = page.locator(f"#table-{table} .models tbody tr").all()
    return sorted(range(len(rows)), key=lambda place: rows[place].bounding_box()["y"])


def test_a_click_sorts_what_is_seen_and_read_alike_and_a_third_one_takes_it_back(open_board, board):
    page = open_board()
    drawn = models(page)
    assert drawn[:3] == ["zebra", "ape", "mole"]
    head = page.locator("#table-1 .models th", has_text="color")
    assert head.get_attribute("aria-sort") is None
    head.get_by_role("button").press("Enter")
    assert models(page)[0] == "ape"  # which fails; mole's cell cannot be compared
    assert models(page)[-1] == "mole"
    assert tops(page) == [*range(len(drawn))]
    assert head.get_attribute("aria-sort") == "ascending"
    expect(page.locator("#sorted")).to_have_text("Table 1: color, the gravest first.")
    head.get_by_role("button").click()
    assert models(page)[-2:] == ["ape", "mole"]
    assert head.get_attribute("aria-sort") == "descending"
    page.locator("#table-1 .models th", has_text="model").get_by_role("button").click()
    assert models(page)[:3] == ["ape", "mole", "zebra"]
    assert head.get_attribute("aria-sort") is None
    page.locator("#table-1 .models th", has_text="latest run").get_by_role("button").click()
    assert models(page)[0] == "zebra"
    for _ in range(2):
        page.locator("#table-1 .models th", has_text="latest run").get_by_role("button").click()
    assert models(page) == drawn
    assert page.complaints == []
    assert page.requests == [board.as_uri()]


def test_without_scripts_it_has_the_same_rows_and_no_buttons(open_board):
    page = open_board(java_script_enabled=False)
    assert models(page)[:3] == ["zebra", "ape", "mole"]
    assert page.locator("button:visible").count() == 0
    page.locator(".history summary").first.click()
    expect(page.locator(".history table").first).to_be_visible()


def test_numbers_and_lines_are_those_of_the_results(open_board):
    page = open_board()
    row = page.locator("#table-1 .models tbody tr", has=page.locator("th", has_text="zebra"))
    for place, bias in enumerate(BIASES):
        text = row.locator("td").nth(1 + place).inner_text()
        fails = bias == "order"
        assert ("0 of 1 pass" if fails else "1 of 1 passes") in text
        assert ("wrong in 66.7\N{NO-BREAK SPACE}%" in text) == fails
    colored = row.locator("td").nth(2)
    label = "passes 0 of 1 (fail) on 01 January 2026, 1 of 1 (pass) on 09 January 2026"
    line = colored.get_by_role("img", name=label)
    box = line.locator("polyline").bounding_box()
    assert (box["width"], box["height"]) == pytest.approx((82, 12), abs=2)
    assert row.locator("use.fail").first.evaluate("one => one.getBoundingClientRect().width") > 5


def test_a_cell_leads_to_its_test_on_the_page_of_its_run(open_board, board):
    page = open_board()
    row = page.locator("#table-1 .models tbody tr", has=page.locator("th", has_text="zebra"))
    row.locator("td a", has_text="fail").click()
    page.wait_for_url(f"{board.parent.as_uri()}/new.html#*")
    anchor = page.evaluate("location.hash.slice(1)")
    assert re.fullmatch(r"order-mlm(-[0-9a-f]{10})?", anchor)
    expect(page.locator(f"[id='{anchor}']")).to_be_visible()


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(open_board, theme, width):
    page = open_board(color_scheme=theme, viewport={"width": width, "height": 900})
    for summary in page.locator("summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    found = Axe().run(page).response["violations"]
    assert {one["id"]: [node["html"] for node in one["nodes"]][:3] for one in found} == {}


def test_it_can_be_printed_and_read_in_forced_colors(open_board):
    page = open_board(color_scheme="dark", forced_colors="active")
    line, back = (page.locator(one).first for one in (".spark .trend", "body"))
    color = "one => getComputedStyle(one).{}"
    assert line.evaluate(color.format("stroke")) != back.evaluate(color.format("backgroundColor"))
    bar, none = (page.locator(one).first.evaluate(color.format("borderLeftColor")) for one in ("td.fail", "td.pass"))
    assert bar != none
    page.emulate_media(media="print", forced_colors="none")
    expect(page.locator("nav")).not_to_be_visible()
    assert back.evaluate(color.format("backgroundColor")) == "rgb(255, 255, 255)"
    page.set_viewport_size({"width": 720, "height": 1000})  # a page of A4
    for table in page.locator("table.models").all():
        assert table.evaluate("one => one.scrollWidth <= one.parentElement.clientWidth")
    assert page.pdf().startswith(b"%PDF")
