"""pytest-html's page: a row a test, columns that sort by number, a link to the reviewer's page; and JUnit's XML."""

import json
import random
import re
from html import unescape
from xml.etree import ElementTree

import pytest

from vlcheck.plugin.reporters.html import _figures, _gravest, _key

pytestmark = pytest.mark.slow

PAGE = ("--html=report.html", "--self-contained-html")
WORKERS = pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two workers"])


def page_of(project):
    return (project.folder / "report.html").read_text()


def rows_of(page):
    """The cells of each test's row, by column."""
    data = json.loads(unescape(re.search(r'data-jsonblob="(.*?)"', page, re.DOTALL)[1]))
    rows = {}
    for test, entries in data["tests"].items():
        cells = (re.match(r'<td class="col-(\w+)">(.*)</td>', cell) for cell in entries[-1]["resultsTableRow"])
        rows[test.partition("::")[2]] = {cell[1]: re.sub("<span hidden>.*?</span>", "", cell[2]) for cell in cells}
    return rows


def test_texts_are_in_the_order_of_their_numbers():
    numbers = [-1e300, -2.0, -0.5, -1e-9, 0.0, 1e-300, 0.09, 0.1, 1.0, 9.0, 10.0]
    shuffled = random.Random(0).sample(numbers, len(numbers))
    assert sorted(shuffled, key=_key) == numbers
    assert _key(-0.0) == _key(0)
    assert _key(None) == _key(float("nan")) == _key("fail") < _key(-1e300)


@WORKERS
def test_each_test_has_a_row_with_verdict_rate_interval_and_its_worst_margin(project, workers):
    project.run(*PAGE, *workers, model="loves_color", subprocess=bool(workers))
    rows = rows_of(page_of(project))
    assert len(rows) == 4
    failing, passing = rows["test_grayscale_preserves[mlm]"], rows["test_another_image_drops[itm]"]
    assert failing["verdict"].startswith("fail: 40 of 40 violate")
    assert (failing["rate"], failing["interval"]) == ("1.000", "0.93 to 1.00")
    assert (passing["rate"], passing["interval"]) == ("0.000", "0.00 to 0.07")
    margins = [row["margin"] for row in project.results("evidence") if row["test"].endswith("preserves[mlm]")]
    assert failing["margin"] == f"{min(margins):+.4f}"
    assert page_of(project).count("data:image/jpeg;base64") == 2 * 3 * 2


def test_a_module_that_cannot_be_collected_has_a_row(project):
    project.pytester.makepyfile(test_states="nothing")
    result = project.run(*PAGE)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert [row["verdict"] for row in rows_of(page_of(project)).values()] == [""]


def test_of_several_verdicts_the_row_has_the_gravest():
    verdicts = [
        [("vlcheck_bias", "color"), ("vlcheck_status", status), ("vlcheck_reason", status), ("other", 1)]
        for status in ("pass", "fail", "invalid")
    ]
    said = _gravest([pair for verdict in verdicts for pair in verdict])
    assert said["reason"] == "fail"
    assert "other" not in said
    assert _gravest([("other", 1)]) == {}


def test_a_row_without_a_verdict_has_empty_cells():
    assert [re.sub("<span.*?</span>|<.*?>", "", cell) for cell in _figures({})] == [""] * 4


def test_a_mean_stands_where_a_rate_does():
    said = {"status": "fail", "reason": "r", "claim": "mean", "effect": -0.5, "effect_low": -0.6, "effect_high": -0.4}
    cells = [re.sub("<span.*?</span>|<.*?>", "", cell) for cell in _figures(said | {"rate": None})]
    assert cells == ["fail: r", "-0.500", "-0.60 to -0.40", ""]


@WORKERS
def test_the_reviewers_page_is_linked_from_where_this_one_is(project, workers):
    report = '--vl-report=a "review".html'
    project.run("-k", "grayscale", "--html=pages/report.html", report, *workers, subprocess=True)
    page = (project.folder / "pages" / "report.html").read_text()
    assert page.count('<a href="../a%20%22review%22.html">the page for reviewers') == 1
    assert (project.folder / 'a "review".html').exists()


def test_without_a_reviewers_page_nothing_is_linked(project):
    project.run("-k", "grayscale and mlm", *PAGE)
    assert "the page for reviewers" not in page_of(project)


MAKES_WAY = """
    from pathlib import Path

    def test_a_folder_takes_the_place_of_the_reviewers_page():
        Path("reviewers.html").mkdir()
"""


def test_a_reviewers_page_that_could_not_be_written_is_not_linked(project):
    project.pytester.makepyfile(test_z=MAKES_WAY)
    result = project.run("-k", "grayscale and mlm or folder", *PAGE, "--vl-report=reviewers.html")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "the page for reviewers" not in page_of(project)
    assert "Passes" in page_of(project)


def test_a_run_that_was_stopped_before_its_first_verdict_says_so_on_that_page_and_in_the_steps_summary(
    project, monkeypatch
):
    summary = project.folder / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    result = project.run(*PAGE, model="interrupted", subprocess=True)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    said = "Stopped: 4 of 4 tests have no verdict. Nothing was checked."
    assert [said in text for text in (result.stdout.str(), summary.read_text(), page_of(project))] == [True] * 3


HOSTILE = '\\x00\\ud800\\x1b[31m</td></table>\\n<script>alert(1)</script>"'


@pytest.fixture
def hostile(project):
    """A bias, a docstring, a model's name, captions and a policy's reason of the worst kind."""
    text = (project.folder / "test_states.py").read_text()
    text = text.replace('BIAS = "color"', f"BIAS = '{HOSTILE}'").replace("A red bus", HOSTILE)
    (project.folder / "test_states.py").write_text(text)
    lines = (project.folder / "data" / "cases.jsonl").read_text().splitlines()
    cases = [json.loads(line) for line in lines]
    for i, case in enumerate(cases):
        case["caption"] = f"{i} <script>alert(1)</script>\x00\x1b | {'long ' * 350}a {case['target']}"
    (project.folder / "data" / "cases.jsonl").write_text("\n".join(map(json.dumps, cases)))
    (project.folder / "mine.py").write_text(
        "from tests.doubles import loves_color\n\n\ndef named(device, dtype):\n"
        f"    model = loves_color(device, dtype)\n    model.name = '{HOSTILE}'\n    return model\n"
    )
    reason = json.dumps(HOSTILE.encode().decode("unicode_escape").replace("\ud800", "") + "long " * 2_000)
    known = 'behavior = "test_grayscale_preserves"\nmetric = "itm"'
    (project.folder / "policy.toml").write_text(f"[[known]]\n{known}\nreason = {reason}\nuntil = 2999-12-31\n")
    return project


def test_hostile_texts_are_texts_on_the_page_and_leave_valid_xml(hostile):
    named = ("--vl-model=mine.py:named", "--vl-policy=policy.toml")
    result = hostile.run(*PAGE, "--junitxml=report.xml", "--color=no", *named, model="")
    assert "INTERNALERROR" not in result.stdout.str() + result.stderr.str()
    page = page_of(hostile)
    assert "<script>alert(1)" not in page
    blob = unescape(re.search(r'data-jsonblob="(.*?)"', page, re.DOTALL)[1])
    assert "<script>alert(1)" not in blob
    rows = rows_of(page)
    assert len(rows) == 4
    assert all(len(row) == 8 for row in rows.values())
    xml = ElementTree.parse(hostile.folder / "report.xml")  # noqa: S314 - our own
    found = xml.findall(".//property[@name='vlcheck_bias']")
    assert len(found) == 4
    assert "<script>alert(1)</script>" in found[0].get("value")


def test_a_click_on_a_column_sorts_by_number(project, browser):
    project.pytester.makeconftest(
        """
        import pytest

        FIGURES = {"a": (0.09, -0.5), "b": (0.1, 0.25), "c": (1.0, -0.03), "d": (0.0, -1.5), "e": (1e-05, 0.001)}

        @pytest.hookimpl(wrapper=True, trylast=True)
        def pytest_runtest_makereport(item, call):
            report = yield
            name = item.name.partition("_")[2]
            if name in FIGURES:
                rate, margin = FIGURES[name]
                said = {"bias": "color", "status": "fail", "reason": name, "claim": "rate", "rate": rate}
                said |= {"rate_low": rate, "rate_high": 1.0, "margin": margin}
                report.user_properties = [(f"vlcheck_{key}", value) for key, value in said.items()]
            return report
        """
    )
    project.pytester.makepyfile(test_states="\n".join(f"def test_{name}(): pass" for name in "abcdef"))
    project.run(*PAGE)
    page = browser.new_page()
    page.goto((project.folder / "report.html").as_uri())

    def sorted_by(column):
        page.click(f'th[data-column-type="{column}"]')
        names = page.locator("td.col-testId").all_inner_texts()
        return "".join(name[-1] for name in names)

    for column, ascending in (("rate", "fdeabc"), ("interval", "fdeabc"), ("margin", "fdaceb")):
        assert {sorted_by(column), sorted_by(column)} == {ascending, ascending[::-1]}
    shown = page.locator("td.col-rate").all_inner_texts()  # and not what they are sorted by
    assert sorted(shown) == ["", "0.000", "0.090", "0.100", "1.000", "1e-05"]
