"""The page for reviewers that a run writes at its end: `--vl-report`."""

import re
import shutil
from pathlib import Path

import pytest

from tests.plugin.conftest import lines
from tests.plugin.test_bad_input import complaint
from vlcheck.report.page import draw
from vlcheck.results.file import read
from vlcheck.results.parts import gather

pytestmark = pytest.mark.slow

REPORT = "--vl-report=report.html"


def page(project, name="report.html"):
    return (project.folder / name).read_text(encoding="utf-8")


def test_a_run_writes_the_page_that_its_results_give(project):
    result = project.run(REPORT, model="loves_color")
    result.stdout.fnmatch_lines(["results: *", f"report: {project.folder / 'report.html'}"])
    text = page(project)
    assert "Fails 1 of 1 bias: color." in text
    assert "Of 4 verdicts, 2 fail, 2 pass." in text
    assert "data:image/jpeg;base64," in text
    (image, *_) = project.results("image")
    assert (image["width"], image["height"]) == (64, 64)
    first = next(line for line in project.results("evidence") if line["perturbation"] == "grayscale v1")
    assert (first["targets"], first["wanted"]) == (["dog", "dog"], ["dog is true", "dog is still true"])


def test_the_ini_file_asks_for_it_too(project):
    project.pytester.makeini("[pytest]\nvl_report = page.html")
    project.run("-k", "grayscale and mlm")
    assert '<p class="conclusion partial">' in page(project, "page.html")


def test_what_a_bias_asks_is_the_first_paragraph_of_its_file(project):
    states = project.folder / "test_states.py"
    states.write_text(f'"""Is grey\nenough?\n\nMore of it.\n"""\n{states.read_text()}')
    project.run(REPORT, model="loves_color")
    assert {line["bias_doc"] for line in project.results("verdict")} == {"Is grey\nenough?"}
    assert '<p class="question"><bdi>Is grey enough?</bdi></p>' in page(project)


LAST = '@behavior(cases=with_target("object"), perturb=OtherImage()'


@pytest.mark.parametrize(
    ("above_the_last", "arguments"),
    [
        ("@pytest.mark.skip\n", ()),
        ("@pytest.mark.usefixtures('missing')\n", ()),
        ("@pytest.mark.usefixtures('missing')\n", ("-n2",)),
        ("def test_that_stops():\n    assert False\n\n", ("-x",)),
    ],
)
def test_a_test_without_a_verdict_is_named_and_the_run_is_no_pass(project, above_the_last, arguments):
    states = project.folder / "test_states.py"
    states.write_text(f"import pytest\n{states.read_text().replace(LAST, above_the_last + LAST)}")
    project.run(REPORT, *arguments, subprocess=bool(arguments))
    (run,) = project.results("run")
    assert run["unjudged"] == [f"test_states.py::test_another_image_drops[{metric}]" for metric in ("mlm", "itm")]
    assert '<p class="conclusion partial">' in page(project)
    assert "Incomplete: 2 of 4 tests have no verdict. No bias in what was decided" in page(project)


MAKES_WAY = """
    from pathlib import Path

    def test_a_folder_takes_the_place_of_the_other_report():
        Path("list").unlink(missing_ok=True)
        Path("list").mkdir()
"""


@pytest.mark.parametrize("option", ["--junitxml", "--html"])
def test_where_another_report_cannot_be_written_the_results_are_and_say_how_it_ended(project, option):
    project.pytester.makepyfile(test_z=MAKES_WAY)
    result = project.run(REPORT, f"{option}=list", subprocess=True)
    assert result.ret != 0
    (run,) = project.results("run")
    assert run["exit_status"] == pytest.ExitCode.INTERNAL_ERROR
    assert len(project.results("verdict")) == 4
    assert '<p class="conclusion partial">' in page(project)
    assert "The run as a whole ended with 3." in page(project)


def _stopped(*_, **__):
    raise KeyboardInterrupt


def test_ctrl_c_while_the_page_is_drawn_is_said_in_a_line_and_the_results_are_there(project, monkeypatch):
    monkeypatch.setattr("vlcheck.report.page.stream", _stopped)
    result = project.run(REPORT, model="loves_color")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    page = project.folder / "report.html"
    result.stdout.fnmatch_lines(
        [f"--vl-report {page}: stopped; if the file is there, it may be older. The results are kept: `vlcheck report *"]
    )
    (run,) = project.results("run")
    assert run["exit_status"] == pytest.ExitCode.INTERRUPTED
    assert "Traceback" not in result.stdout.str() + result.stderr.str()


def test_ctrl_c_while_the_results_are_written_keeps_their_parts(project, monkeypatch):
    monkeypatch.setattr("vlcheck.results.places.write_results", _stopped)
    result = project.run(REPORT)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    (folder,) = re.findall(r"The results are kept in (\S+), in parts", result.stdout.str())
    assert len(gather(Path(folder)).verdicts) == 4
    assert "The run as a whole ended with 2." in page(project)
    shutil.rmtree(folder)


@pytest.mark.parametrize("option", ["--vl-report=", "--vl-results="])
def test_an_option_that_names_nothing_is_refused(project, option):
    assert f"{option[:-1]}: is empty" in complaint(project.run(option))


def test_a_metric_that_the_model_has_not_leaves_no_test_without_a_verdict(project):
    project.run(REPORT, model="matches_only")
    (run,) = project.results("run")
    assert run["unjudged"] == []
    text = page(project)
    assert "Nothing was asked with mlm (the masked word, given picture and text): the model has no such score." in text
    assert '<td role="cell" class="unasked">no such score</td>' in text
    assert '<p class="conclusion pass">' in page(project)


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
    beside = [re.sub("<.*?>", "", said).replace("\xa0", " ") for said in re.findall("<p>Beside it.*?</p>", text)]
    assert beside == [
        "Beside it, Competent: pass wrong in 0 % (0 to 7.2 %) of 40 images; of 40 cases in common, the model alone"
        f" violates {alone}, the control alone 0, both 0."
        for alone in (40, 40, 0, 0)
    ]


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
