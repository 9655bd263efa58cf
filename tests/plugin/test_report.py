"""The page for reviewers that a run writes at its end: `--vl-report`."""

import pytest

from tests.plugin.conftest import lines
from tests.plugin.test_bad_input import complaint
from vlcheck.report.page import draw
from vlcheck.report.results import read

REPORT = "--vl-report=report.html"


def page(project, name="report.html"):
    return (project.folder / name).read_text(encoding="utf-8")


def test_a_run_writes_the_page_that_its_results_give(project):
    result = project.run(REPORT, model="loves_color")
    result.stdout.fnmatch_lines(["results: *", f"report: {project.folder / 'report.html'}"])
    text = page(project)
    assert "Fails 1 of 1 bias: color." in text
    assert "2 of 4 verdicts fail." in text
    assert "data:image/jpeg;base64," in text
    (image, *_) = project.results("image")
    assert (image["width"], image["height"]) == (64, 64)
    assert project.results("evidence")[0]["targets"] == ["dog", "dog"]


def test_the_ini_file_asks_for_it_too(project):
    project.pytester.makeini("[pytest]\nvl_report = page.html")
    project.run("-k", "grayscale and mlm")
    assert "Passes 1 bias: color." in page(project, "page.html")


def test_two_workers_write_it_once_and_it_is_what_their_results_give(project):
    result = project.run(REPORT, "-n", "2", model="loves_color", subprocess=True)
    assert result.stdout.str().count("report: ") == 1
    kept = read(project.folder / "vlcheck-results.jsonl")
    assert page(project) == draw(kept, source="vlcheck-results.jsonl")


def test_a_run_without_pictures_shows_none(project):
    project.run(REPORT, "--vl-no-images", model="loves_color")
    assert "data:image" not in page(project)
    assert "no picture</span>" in page(project)


def test_a_baseline_and_a_control_are_on_it(project):
    project.run("--vl-results=old.jsonl")
    project.run(REPORT, "--vl-baseline=old.jsonl", "--vl-beside=old.jsonl", model="loves_color")
    text = page(project)
    assert "Against the release before: worse: color (2 tests); better: none" in text
    assert "<p>Beside it, <bdi>Competent</bdi>: <bdi>pass 0 % (0 to 7.2 %)</bdi>.</p>" in text


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("absent/report.html", "there is no folder"),
        ("data", "is no file that a report could be written to"),
        ("test_states.py", "is there and is no report of vlcheck's"),
        ("vlcheck-results.jsonl", "is what --vl-results names as well"),
        ("list.html", "is what --html names as well"),
        ("junit.xml", "is what --junitxml names as well"),
    ],
)
def test_a_place_that_cannot_be_used_is_named_before_anything_is_scored(project, log, monkeypatch, place, said):
    monkeypatch.setenv("PWD", str(project.folder))
    others = ("--html=list.html", "--junitxml=$PWD/junit.xml")
    message = complaint(project.run(f"--vl-report={place}", *others, model="counting"))
    assert f"--vl-report {project.folder / place}: {said}" in message
    assert not log.exists() or lines(log) == []


def test_pytest_htmls_page_links_to_it(project):
    (project.folder / "pages").mkdir()
    project.run("-k", "grayscale and mlm", REPORT, "--html=pages/list.html")
    assert 'href=\\"../report.html\\"' in page(project, "pages/list.html") or 'href="../report.html"' in page(
        project, "pages/list.html"
    )
