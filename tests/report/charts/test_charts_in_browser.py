"""The charts of the page in Chromium: legible at any width, in both themes, on paper and in forced colors."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.conftest import PATIENCE
from tests.report.charts.test_claims import PAIRS, edits, sides, wins
from tests.report.pages import bare, contribution, contributions, invalid, mean, results, row, rows, verdict
from vlcheck.expect.base import TRUE_BEFORE
from vlcheck.perturb import Brightness, CutOut
from vlcheck.perturb.place import CELLS
from vlcheck.report.page import draw
from vlcheck.results.comparison import compare_runs

KINDS = {
    "sides",
    "bells",
    "values",
    "named",
    "places",
    "strengths",
    "slopes",
    "strip",
    "interval",
    "modalities",
    "line",
}
LEGIBLE = 10  # pixels
SIZES = [(390, "light"), (1280, "dark")]


def every_chart():
    """A run whose verdicts have each kind of chart, with what is hard to place."""
    places = [CutOut(cell).label for cell in CELLS if cell != "middle"]
    light = [Brightness(factor).label for factor in (0.2, 0.5, 0.8, 1.2, 123456.789)]
    named = {f"{'long' * at} word {at}": (-1) ** at * at / 20 for at in range(20)}
    halves = [row(f"s{at}", 0.1 - at % 2, shares=[at / 99, 1 - at / 99]) for at in range(100)]
    pairs = [
        sides(PAIRS, TRUE_BEFORE),
        (verdict("test_flips", share_of="left", tolerances={"by": 0.05}), halves),
        wins([0.2, 0.9]),
        (wins([])[0], wins([at / 199 for at in range(200)])[1]),
        (verdict("test_foils", claim="lead"), [row(f"f{at}", at / 10, before=0.5 + at / 20) for at in range(-3, 4)]),
        edits(places, dict.fromkeys(places, 20)),
        edits(light, dict(zip(light, (20, 10, 2, 0, 0), strict=True))),
        (verdict("test_grey"), rows()),
        (verdict("test_alone"), [bare("a", -0.1), bare("b", 0.1)]),
        (mean(effect=-1.0, effect_low=-1.0, effect_high=-0.9), [bare("a", -1.0), bare("b", -0.98)]),
        (mean(), [bare("a", 0.95) | {"values": named}]),
        (contributions(), [contribution("words", 0.75)]),
        (invalid(), rows({"one": None})),
    ]
    named = [
        (
            one
            | {"behavior": f"{one['behavior']}_{at}", "test": f"t.py::{at}", "bias": "color" if at % 2 else "place"},
            some,
        )
        for at, (one, some) in enumerate(pairs)
    ]
    return results(*named)


@pytest.fixture(scope="module")
def charts(tmp_path_factory):
    """The address of a page with every chart, and of the release before in the forest plot."""
    path = tmp_path_factory.mktemp("charts") / "report.html"
    found = every_chart()
    before = results((verdict("test_grey_7", test="t.py::7"), rows()))
    path.write_text(draw(found, source="r.jsonl", comparison=compare_runs(before, found)), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def open_charts(browser, charts):
    """Open the page with all verdicts unfolded and their rows left out, which other tests look at."""
    contexts = []

    def opened(width=1280, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(charts)
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
        return page

    yield opened
    for context in contexts:
        context.close()


FIGURES = ".drawings svg, .forest svg.line, svg.modalities"
TEXTS = """svgs => svgs.flatMap(svg => {
  const frame = svg.getBoundingClientRect();
  const size = one => parseFloat(getComputedStyle(one).fontSize) * frame.width / svg.viewBox.baseVal.width;
  return [...svg.querySelectorAll('text')].map(one => {
    const at = one.getBoundingClientRect();
    const clipped = at.left < frame.left - 1 || at.right > frame.right + 1
      || at.top < frame.top - 1 || at.bottom > frame.bottom + 1;
    return {kind: svg.getAttribute('class'), said: one.textContent, size: size(one), clipped,
      box: [at.left, at.top, at.right, at.bottom], of: [frame.left, frame.top].join()};
  });
})"""
MARKS = """svgs => svgs.filter(svg => {
  const view = svg.viewBox.baseVal;
  return [...svg.querySelectorAll('path, rect, circle')].some(one => {
    const at = one.getBBox();
    return at.x < -3 || at.y < -3 || at.x + at.width > view.width + 3 || at.y + at.height > view.height + 3;
  });
}).map(svg => svg.getAttribute('class'))"""


def collisions(texts):
    """Words of a chart that lie on one another."""
    by_chart = {}
    for one in texts:
        by_chart.setdefault((one["of"], one["kind"]), []).append(one)
    for some in by_chart.values():
        for at, one in enumerate(some):
            left, top, right, bottom = one["box"]
            for other in some[at + 1 :]:
                x, y, to_x, to_y = other["box"]
                if min(right, to_x) - max(left, x) > 1 and min(bottom, to_y) - max(top, y) > 3:
                    yield one["kind"], one["said"], other["said"]


@pytest.mark.parametrize(("width", "theme"), SIZES)
def test_every_word_of_a_chart_can_be_read_and_every_mark_is_inside_it(open_charts, width, theme):
    page = open_charts(width, color_scheme=theme)
    svgs = page.locator(FIGURES)
    assert {*svgs.evaluate_all("svgs => svgs.map(svg => svg.getAttribute('class'))")} == KINDS
    texts = svgs.evaluate_all(TEXTS)
    assert len(texts) > 100
    assert [(one["kind"], one["said"]) for one in texts if one["clipped"]] == []
    assert [(one["kind"], one["said"], one["size"]) for one in texts if one["size"] < LEGIBLE] == []
    assert list(collisions(texts)) == []
    assert svgs.evaluate_all(MARKS) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize(("width", "theme"), SIZES)
def test_axe_finds_nothing_in_the_charts(open_charts, width, theme):
    page = open_charts(width, color_scheme=theme)
    page.evaluate("document.querySelectorAll('.rows').forEach(one => one.remove())")
    found = Axe().run(page).response["violations"]
    assert {one["id"]: [node["html"] for node in one["nodes"]][:3] for one in found} == {}


def test_a_screen_reader_is_told_what_each_chart_shows(open_charts):
    page = open_charts()
    for kind in KINDS:
        svg = page.locator(f"svg.{kind}[role=img]").first
        snapshot = svg.aria_snapshot()
        assert snapshot.startswith(("- img ", "- 'img ")), kind
        assert any(sign.isdigit() for sign in snapshot), kind


def test_a_line_of_the_forest_plot_leads_to_its_verdict(open_charts):
    page = open_charts()
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = false })")
    link = page.locator(".forest li a").last
    there = page.locator(link.get_attribute("href"))
    assert not there.is_visible()
    link.click()
    there.wait_for(state="visible")
    assert page.locator(".forest circle.before").count() == 1


def test_charts_are_on_paper_with_their_shades(open_charts):
    page = open_charts(color_scheme="dark")
    page.emulate_media(media="print")
    assert page.locator("svg.sides .zone").first.is_visible()
    styles = "one => [getComputedStyle(one).printColorAdjust, getComputedStyle(one.querySelector('text')).fill]"
    assert page.locator("svg.sides").first.evaluate(styles) == ["exact", "rgb(0, 0, 0)"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_forced_colors_reach_the_charts(open_charts, theme):
    """Each line and word has a color of the system, of which none is that of the page behind it."""
    page = open_charts(color_scheme=theme, forced_colors="active")
    probe = """() => { const one = document.createElement('p'); document.body.append(one);
      return ['CanvasText', 'Canvas'].map(name => { one.style.color = name; return getComputedStyle(one).color; }); }"""
    text, canvas = page.evaluate(probe)
    assert text != canvas
    for place, key in [
        ("svg.sides text", "fill"),
        ("svg.sides .axis", "stroke"),
        ("svg.bells .knob", "stroke"),
        ("svg.sides .crosses", "stroke"),
        ("svg.sides .zone", "stroke"),
        ("svg.line .span", "stroke"),
    ]:
        color = page.locator(place).first.evaluate("(one, key) => getComputedStyle(one)[key]", key)
        assert color == text, place
    for place, key in [("svg.bells .hole", "stroke"), ("svg.sides .zone", "fill")]:
        assert page.locator(place).first.evaluate("(one, key) => getComputedStyle(one)[key]", key) == canvas, place
