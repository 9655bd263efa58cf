"""Pictures in Chromium: how large they are, where their boxes stand, and the dialog in which they open."""

import base64
import io

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect

from tests.conftest import PATIENCE
from tests.report.pages import image, passing, results, row, verdict
from vlcheck.report.page import draw

SIDES = {"perturbation": "mirror v1", "texts": ["a dog to the [MASK] of a cat", "a dog to the [MASK] of a cat"]}
SHORT_AND_LONG = ["a [MASK]", "a [MASK] " + "and a word more " * 12]


def jpeg(size):
    file = io.BytesIO()
    Image.new("RGB", size, (40, 90, 160)).save(file, "JPEG")
    return base64.b64encode(file.getvalue()).decode()


def pictured():
    """A verdict with a worst case of two large landscapes and two boxes, then portraits, then one of each."""
    images = [
        *(image(key, size=(256, 192), shown=(640, 480), large=jpeg((512, 384))) for key in ("before", "after")),
        *(image(key, size=(171, 256), shown=(400, 600)) for key in ("tall", "tall after")),
    ]
    at, there = {"boxes": [[320, 120, 160, 240]]}, {"perturbed_boxes": [[160, 120, 160, 240]]}
    beside = {"other_boxes": [[0, 240, 64, 96]], "perturbed_other_boxes": [[576, 240, 64, 96]]}
    rows = [
        row(
            "side", -0.4, image="before", perturbed="after", **SIDES, **at, **there, **beside, targets=["left", "right"]
        ),
        row("upright", -0.3, image="tall", perturbed="tall after", texts=SHORT_AND_LONG),
        row("mixed", -0.2, image="before", perturbed="tall"),
        row("alone", -0.1, perturbed=None, image="tall", texts=["a photo of a [MASK]"], after=None, perturbation=""),
    ]
    others = [row("side", 0.1, image="before", perturbed="after"), row("lost", 0.1, image="none", perturbed="none")]
    return results((verdict(), rows), (passing(), others), images=images)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures") / "report.html"
    path.write_text(draw(pictured(), source="r.jsonl"), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def open_page(browser, address):
    contexts = []

    def opened(width=1280, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(address)
        page.locator("details.verdict").evaluate_all("all => all.forEach((one) => { one.open = true; })")
        return page

    yield opened
    for context in contexts:
        context.close()


def rows_of(page, status="fail"):
    return page.locator(f"details.verdict[data-status={status}] .row")


def case_of(page, name):
    return rows_of(page).filter(has=page.locator("h5", has_text=name)).first


def frames(figures):
    return [figure.bounding_box() for figure in figures.all()]


NATURAL = """async (picture) => {
  const copy = new Image();
  copy.src = getComputedStyle(picture).backgroundImage.slice(5, -2);
  await copy.decode();
  return [copy.naturalWidth, copy.naturalHeight];
}"""


def test_the_worst_case_has_512_pixels_and_the_others_are_small(open_page):
    page = open_page()
    sizes = {
        name: case_of(page, name).locator("svg.picture").evaluate_all(f"all => Promise.all(all.map({NATURAL}))")
        for name in ("side", "upright")
    }
    assert sizes == {"side": [[512, 384], [512, 384]], "upright": [[171, 256], [171, 256]]}
    wide = case_of(page, "side").locator("svg.picture").first.bounding_box()
    assert wide["width"] >= 500  # beside the other one, without a click


def test_both_things_of_a_relation_are_boxed_where_the_results_say_the_second_dashed(open_page):
    page = open_page()
    pictures = case_of(page, "side").locator("svg.picture")
    pictures.first.scroll_into_view_if_needed()
    wanted = [((320, 120, 160, 240), (0, 240, 64, 96)), ((160, 120, 160, 240), (576, 240, 64, 96))]
    for picture, boxes in zip(pictures.all(), wanted, strict=True):
        frame, drawn = picture.bounding_box(), picture.locator("rect.box")
        assert drawn.count() == 2
        for one, box in zip(frames(drawn), boxes, strict=True):
            scale = frame["width"] / 640
            found = (one["x"] - frame["x"], one["y"] - frame["y"], one["width"], one["height"])
            assert [length / scale for length in found] == pytest.approx(box, abs=5)  # of the line itself
        styles = drawn.evaluate_all("all => all.map(one => getComputedStyle(one).strokeDasharray)")
        assert [style != "none" for style in styles] == [False, True]


@pytest.mark.parametrize("width", [1280, 390])
def test_before_and_after_are_as_high_and_their_texts_start_on_one_line(open_page, width):
    page = open_page(width)
    for name in ("side", "upright", "mixed"):
        one = case_of(page, name)
        one.scroll_into_view_if_needed()
        before, after = frames(one.locator(".picture"))
        assert (before["y"], before["height"]) == pytest.approx((after["y"], after["height"]), abs=1), name
        assert before["width"] == pytest.approx(after["width"], abs=1)
        said, too = frames(one.locator(".said"))
        assert said["y"] == pytest.approx(too["y"], abs=1), name
        assert before["x"] + before["width"] <= after["x"]
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_each_picture_of_a_verdict_is_described_by_its_own_text(open_page):
    page = open_page()
    for status in ("fail", "pass"):
        told = [one.get_attribute("aria-label") for one in rows_of(page, status).locator(".picture").all()]
        assert all(told), told
        assert len(set(told)) == len(told)
    assert case_of(page, "side").locator(".picture").last.get_attribute("aria-label") == (
        "after mirror: 'a dog to the [MASK] of a cat', side; box around what 'right' is about: middle;"
        " dashed box around the other thing: right"
    )


def in_dialog(page):
    """The case, the description of the picture with the focus, and the place of the dialog."""
    dialog = page.get_by_role("dialog")
    told = page.evaluate("document.activeElement.getAttribute('aria-label')")
    return dialog.locator("h2").inner_text(), told.partition(":")[0], dialog.locator(".count").inner_text()


def test_a_click_opens_the_case_and_arrow_keys_go_on_to_the_end(open_page):
    page = open_page()
    case_of(page, "side").locator("svg.picture").first.click()
    dialog = page.get_by_role("dialog", name="side")
    expect(dialog).to_be_visible()
    for part in ("a dog to the [MASK] of a cat", "0.900 for left", "bus is still true", "Expected: the score stays"):
        expect(dialog).to_contain_text(part)
    before, after = frames(dialog.locator("svg.picture"))
    assert before["y"] == after["y"]
    assert before["width"] >= 512
    assert in_dialog(page) == ("side", "before mirror", "picture 1 of 7")
    seen = []
    for _ in range(7):
        page.keyboard.press("ArrowRight")
        seen.append(in_dialog(page))
    order = [("side", 2), ("upright", 3), ("upright", 4)]
    by_place = sorted(dict.fromkeys((case, int(place.split()[1])) for case, _, place in seen), key=lambda one: one[1])
    assert [place for _, place in by_place] == [2, 3, 4, 5, 6, 7]
    assert by_place[0] == order[0]
    assert seen[-1] == seen[-2]  # there is no more
    page.keyboard.press("ArrowLeft")
    assert in_dialog(page)[2] == "picture 6 of 7"


def test_a_tall_picture_leaves_room_for_all_lines(open_page):
    page = open_page()
    case_of(page, "upright").locator("svg.picture").first.click()
    dialog = page.get_by_role("dialog")
    assert dialog.evaluate("one => one.scrollHeight - one.clientHeight") == 0
    expect(dialog.locator("figcaption p").last).to_be_in_viewport(ratio=1)


def test_enter_opens_escape_closes_and_the_focus_comes_back(open_page):
    page = open_page()
    pictures = case_of(page, "side").locator("svg.picture")
    pictures.last.focus()
    page.keyboard.press("Enter")
    assert in_dialog(page) == ("side", "after mirror", "picture 2 of 7")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(pictures.last).to_be_focused()
    page.keyboard.press(" ")
    page.keyboard.press("ArrowLeft")
    page.get_by_role("button", name="close", exact=True).click()
    expect(pictures.first).to_be_focused()
    pictures.first.click()
    page.mouse.click(5, 5)
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_buttons_go_on_as_the_keys_do_and_keep_the_focus(open_page):
    page = open_page()
    case_of(page, "side").locator("svg.picture").first.click()
    following, previous = (page.get_by_role("button", name=name) for name in ("next", "previous"))
    expect(previous).to_have_attribute("aria-disabled", "true")
    following.click()
    expect(page.get_by_role("dialog").locator(".count")).to_have_text("picture 2 of 7")
    expect(following).to_be_focused()
    expect(previous).to_have_attribute("aria-disabled", "false")


def test_a_filter_leaves_what_it_hides_out_of_the_dialog(open_page):
    page = open_page()
    page.locator("[name=search]").fill("upright")
    expect(rows_of(page).filter(visible=True)).to_have_count(1)
    case_of(page, "upright").locator("svg.picture").first.click()
    assert in_dialog(page)[2] == "picture 1 of 2"


def test_without_scripts_pictures_are_large_enough_and_are_no_buttons(open_page):
    page = open_page(java_script_enabled=False)
    assert page.locator("[role=button]").count() == 0
    worst, small = (case_of(page, name).locator("svg.picture").first.bounding_box() for name in ("side", "upright"))
    assert worst["width"] >= 500
    assert small["width"] >= 240


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_the_open_dialog(open_page, theme):
    page = open_page(color_scheme=theme)
    case_of(page, "side").locator("svg.picture").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert [(one["id"], one["nodes"][0]["html"]) for one in Axe().run(page).response["violations"]] == []


def test_on_a_phone_the_dialog_shows_one_below_the_other(open_page):
    page = open_page(390)
    case_of(page, "side").locator("svg.picture").first.click()
    before, after = frames(page.get_by_role("dialog").locator("svg.picture"))
    assert before["width"] >= 330
    assert before["y"] + before["height"] < after["y"]
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.get_by_role("button", name="next").click()
    _, shown = frames(page.get_by_role("dialog").locator("svg.picture"))
    assert shown["y"] + shown["height"] <= page.viewport_size["height"]  # the button brings it into view
    lines = page.get_by_role("dialog").locator("figcaption").last
    expect(lines.locator("p").last).to_be_in_viewport(ratio=1)  # with its lines
