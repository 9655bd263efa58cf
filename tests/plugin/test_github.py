"""GitHub's runner is told of runs of ours, once, and in words that no text of a test can turn into others."""

import re
import shlex
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from tests.plugin.conftest import STATES
from tests.plugin.test_bad_input import complaint
from vlcheck.plugin.reporters.github import MOST_ANNOTATIONS, command, in_the_checkout
from vlcheck.results.anchors import verdict_anchor
from vlcheck.results.file import read
from vlcheck.results.rerun import repeat_command

pytestmark = pytest.mark.slow

# A bias and a test whose names would like to be something else.
HOSTILE = STATES.replace('BIAS = "color"', r"BIAS = '::error ::a|b`<i>,##[error]:%\r\n::error ::x\u202e\x1b\ufffe\x00'")


@pytest.fixture
def runner(project, monkeypatch):
    """As on GitHub: the variables are set. Returns the file of the summary."""
    path = project.folder / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(project.folder.parent))
    return path


def annotations(result):
    return [line for line in result.outlines if line.startswith("::error title=")]


def parts(annotation):
    """Its properties and its message, as the runner reads them."""
    said, message = re.fullmatch(r"::error (.*?)::(.*)", annotation).groups()
    properties = dict(one.split("=", 1) for one in said.split(","))
    return list(map(unquote, (*properties.values(), message)))


@pytest.mark.parametrize("workers", [(), ("-n2",)])
def test_a_failing_behavior_is_annotated_and_the_summary_appended_once(project, runner, workers):
    runner.write_text("before\n")
    result = project.run(*workers, model="loves_color", subprocess=bool(workers))
    assert result.ret == 1
    by_metric = {}
    for annotation in annotations(result):
        title, file, line, message = parts(annotation)
        by_metric[title] = (file, line, message)
    assert sorted(by_metric) == ["color: test_grayscale_preserves [itm]", "color: test_grayscale_preserves [mlm]"]
    file, line, message = by_metric["color: test_grayscale_preserves [itm]"]
    stated = (project.folder / "test_states.py").read_text().splitlines()
    assert file == f"{project.folder.name}/test_states.py"
    assert "test_grayscale_preserves" in "".join(stated[int(line) - 1 : int(line) + 1])
    assert message.startswith("fail, bias color: observed 1.000 (0.93 to 1.00), allowed 0.100.")
    text = runner.read_text()
    assert text.startswith("before\n## vlcheck: LovesColor on ")
    assert text.count("## vlcheck") == 1
    assert "| color | fail | fail |" in text


def test_of_a_verdict_that_judged_nothing_no_figures_are_annotated(project, runner):
    message = parts(annotations(project.run(model="constant"))[0])[-1]
    assert message.startswith("invalid, bias color. the score is 0.5 whatever the picture and the text\n")


def test_the_command_of_an_annotation_runs_the_test_again(project, runner):
    result = project.run("--vl-device=cpu", model="loves_color")
    _, behavior, case = parts(annotations(result)[0])[-1].splitlines()
    pytest_, *again = shlex.split(behavior)
    assert pytest_ == "pytest"
    assert again[-1] == "--vl-device=cpu"
    kept = read(project.folder / "vlcheck-results.jsonl")
    (own,) = (verdict for verdict in kept.verdicts.values() if verdict.test == again[0])
    assert shlex.split(repeat_command(kept.run, own)) == [pytest_, *again, "--vl-dtype=float32"]  # the page's
    rerun = project.pytester.runpytest_subprocess(*again, "-p", "no:cacheprovider")
    assert rerun.ret == 1
    rerun.assert_outcomes(failed=1)
    alone = shlex.split(case.removeprefix("its worst case alone: pytest "))
    rerun = project.pytester.runpytest_subprocess(*alone, "-p", "no:cacheprovider")
    rerun.assert_outcomes(xfailed=1)


def test_a_run_that_passes_has_a_summary_and_no_annotation(project, runner):
    assert annotations(project.run()) == []
    assert "| color | pass | pass |" in runner.read_text()


def test_each_test_of_the_summary_and_of_junits_file_links_to_its_verdict_on_the_page(project, runner):
    files = ("--vl-report=out/page.html", "--junitxml=junit.xml")
    (project.folder / "out").mkdir()
    project.run(*files, "--vl-report-url=https://ci.example.org/7/page.html", model="loves_color")
    verdicts, told = project.results("verdict"), runner.read_text()
    anchors = {verdict_anchor(one["test"], one["behavior"], one["metric"]): one["status"] == "fail" for one in verdicts}
    page = (project.folder / "out" / "page.html").read_text()
    assert [f'id="{anchor}"' in page for anchor in anchors] == [True] * len(anchors)
    links = re.findall(r"\(<https://ci\.example\.org/7/page\.html#([a-z0-9-]+)>\)", told)
    assert sorted(links) == sorted(anchor for anchor, fails in anchors.items() if fails)
    page = (project.folder / "out" / "page.html").read_text()
    assert all(f'id="{anchor}"' in page for anchor in anchors)
    assert "[The page for reviewers](<https://ci.example.org/7/page.html>)" in told
    assert linked(project) == {f"https://ci.example.org/7/page.html#{anchor}" for anchor in anchors}
    project.run(*files, model="loves_color")
    assert {link.partition("#")[0] for link in linked(project)} == {"out/page.html"}
    assert len(linked(project)) == len(verdicts)
    project.run("--junitxml=junit.xml", model="loves_color")
    assert linked(project) == set()


def test_an_address_that_is_none_is_refused(project, runner):
    message = complaint(project.run("--vl-report-url=javascript:alert(1)"))
    assert "--vl-report-url javascript:alert(1): is no address to link to; a URL that begins with" in message


def linked(project):
    """The addresses of verdicts in JUnit's file."""
    tree = ElementTree.parse(project.folder / "junit.xml")  # noqa: S314 - pytest's own
    return {one.get("value") for one in tree.iter("property") if one.get("name") == "vlcheck_page"}


def test_at_most_ten_are_annotated_the_gravest_first(project, runner):
    path = project.folder / "test_states.py"
    first, *_ = path.read_text().split("@behavior(cases", 2)[1:]
    more = "".join(f"\n@behavior(cases{first.replace('def test_', f'def test_{number}_')}" for number in range(6))
    undecided = first.replace("def test_", "def test_undecided_").replace("Grayscale()", "Mirror()")
    path.write_text(f"{path.read_text()}{more}\n@behavior(cases{undecided}")
    strict = project.folder / "policy.toml"
    strict.write_text("[behaviors.test_undecided_grayscale_preserves]\nallowed = 0.001\n")
    found = annotations(project.run("--vl-policy=policy.toml", model="loves_color"))
    assert len(found) == MOST_ANNOTATIONS
    assert all("fail, bias color" in one for one in found)


def test_elsewhere_nothing_is_said(project):
    result = project.run(model="loves_color")
    assert result.ret == 1
    assert annotations(result) == []


def test_runs_of_other_projects_are_none_of_ours(project, runner):
    project.pytester.makepyfile(test_states="def test_it():\n    assert False\n")
    project.data = ""
    result = project.run(model="")
    assert result.ret == 1
    assert annotations(result) == []
    assert not runner.exists()


def test_a_summary_that_cannot_be_written_changes_nothing_of_the_run(project, runner):
    runner.mkdir()
    result = project.run()
    assert result.ret == 0
    assert f"GITHUB_STEP_SUMMARY {runner}: cannot be written (Is a directory)" in result.stdout.str()


def test_hostile_names_stay_in_their_place(project, runner):
    (project.folder / "test_states.py").write_text(HOSTILE.replace("\n    ", "\n"))
    result = project.run("--junitxml=junit.xml", model="loves_color")
    found = annotations(result)
    assert len(found) == 2
    commands = [line for line in result.outlines if line.lstrip().startswith("::") or "##[" in line]
    assert commands == found
    title, *_ = parts(found[0])
    assert title.startswith(": :error : :a|b`<i>,## [error]:%\\r\\n::error : :x\\u202e\\x1b")
    assert all(line.isprintable() for line in runner.read_text().split("\n"))
    assert "<i>" not in runner.read_text().replace("\\<i\\>", "")
    tree = ElementTree.parse(project.folder / "junit.xml")  # noqa: S314 - pytest's own
    biases = {one.get("value") for one in tree.iter("property") if one.get("name") == "vlcheck_bias"}
    assert len(biases) == 1
    assert "#x1B" in biases.pop()


def test_a_file_is_named_from_the_checkout_where_it_is_inside(tmp_path):
    assert in_the_checkout(tmp_path / "checks" / "test_a.py", tmp_path) == "checks/test_a.py"
    assert in_the_checkout(tmp_path / "test_a.py", tmp_path / "other") == (tmp_path / "test_a.py").as_posix()
    assert in_the_checkout(tmp_path / "test_a.py", None) == (tmp_path / "test_a.py").as_posix()


def test_a_command_escapes_what_would_end_it():
    said = command("error", "50 % of\r\n::a, b", title="a,b:c%\n", line="1")
    assert said == "::error title=a%2Cb%3Ac%25%0A,line=1::50 %25 of%0D%0A::a, b"
