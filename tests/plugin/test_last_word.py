"""Whatever other plugins do, and under whatever names: selected behaviors without a pass never end with 0."""

import pytest

pytestmark = pytest.mark.slow

SETS_0 = """
import pytest

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session):
    result = yield
    session.exitstatus = 0
    return result
"""
RETURNS_0 = """
import pytest

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config):
    yield
    return 0
"""
EXITS_AT_THE_END = """
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    pytest.exit("done", returncode=0)
"""
EXITS_BETWEEN = """
import pytest

def pytest_runtest_setup(item):
    if "another_image" in item.name:
        pytest.exit("enough", returncode=0)
"""
LEAVES = """
import sys

def pytest_{hook}():
    sys.exit(0)
"""
CLEARS = """
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    items.clear()
"""
EXITS_WHILE_COLLECTING = """
import pytest

def pytest_{hook}():
    pytest.exit("enough", returncode=0)
"""
EXITS_BEFORE = """
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_{hook}():
    pytest.exit("no device here", returncode=0)
"""
RUNS_NOTHING = """
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    return 0
"""
TAKES_OUT = """
import pytest

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop(session):
    session.items.clear()
    return (yield)
"""
PASSES_ALL = """
import pytest

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    report = yield
    report.outcome = "passed"
    return report
"""
SKIPS = """
import pytest

def pytest_collection_modifyitems(items):
    items[0].add_marker(pytest.mark.skip)
"""
GIVES_NO_VERDICT = """
import types
import pytest

@pytest.fixture
def verdict(request):
    return types.SimpleNamespace(passed=True)
"""


# A conftest.py, arguments, a model, and a part of what is said where another plugin made the run green.
NOT_GREEN = {
    "0 is set": (
        SETS_0,
        (),
        "loves_color",
        "Neither passed nor excused by the policy: test_grayscale_preserves[mlm], ",
    ),
    "0 is set, no terminal": (SETS_0, ("-p", "no:terminal"), "loves_color", "Neither passed nor excused by the policy"),
    "0 is set, nothing is left": (SETS_0, ("-k", "nothing_of_this_name"), "competent", "No verdict came of this run"),
    "0 is returned": (RETURNS_0, (), "loves_color", "Neither passed nor excused"),
    "an exit at the end": (EXITS_AT_THE_END, (), "loves_color", "Neither passed nor excused"),
    "an exit between tests": (EXITS_BETWEEN, (), "competent", ""),
    "sys.exit(0) at the end": (LEAVES.format(hook="sessionfinish"), (), "loves_color", "Neither passed nor excused"),
    "sys.exit(0) after it": (LEAVES.format(hook="unconfigure"), (), "loves_color", "Neither passed nor excused"),
    "an exit at the start": (EXITS_BEFORE.format(hook="sessionstart"), (), "competent", "No verdict came of this run"),
    "an exit before collection": (EXITS_BEFORE.format(hook="collection"), (), "competent", ""),
    "tests are taken out": (TAKES_OUT + SETS_0, (), "competent", "No verdict came of this run"),
    "reports say passed": (PASSES_ALL, (), "loves_color", ""),
    "a test is skipped": (SKIPS, (), "competent", ""),
    "another fixture": (GIVES_NO_VERDICT, (), "competent", ""),
    "setups alone": ("", ("--setup-only",), "loves_color", ""),
    "a plan of setups": (
        "",
        ("--setup-plan", "-p", "no:terminal", "-p", "no:junitxml"),
        "competent",
        "No verdict came",
    ),
}


@pytest.mark.parametrize("case", NOT_GREEN)
def test_a_run_is_not_green_and_says_why(project, case):
    conftest, arguments, model, said = NOT_GREEN[case]
    project.pytester.makeconftest(conftest)
    result = project.run(*arguments, model=model)
    assert result.ret not in (0, pytest.ExitCode.INTERNAL_ERROR)
    if said:
        assert f"vlcheck: the run ends with {result.ret}. {said}" in result.stderr.str()
    if (project.folder / "vlcheck-results.jsonl").exists():
        assert project.results("run")[0]["exit_status"] == result.ret


def test_a_model_of_the_ini_file_is_asked_too_where_another_plugin_clears_the_tests(project):
    project.pytester.makeini(f"[pytest]\nvl_model = {project.spec('competent')}\nvl_data = {project.data}")
    project.pytester.makeconftest(CLEARS + SETS_0)
    result = project.pytester.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "No verdict came of this run" in result.stderr.str()


@pytest.mark.parametrize("hook", ["itemcollected", "collection_modifyitems", "collection_finish"])
def test_a_model_of_the_ini_file_is_asked_too_where_an_exit_ends_the_collection(project, hook):
    project.pytester.makeini(f"[pytest]\nvl_model = {project.spec('competent')}\nvl_data = {project.data}")
    project.pytester.makeconftest(EXITS_WHILE_COLLECTING.format(hook=hook))
    result = project.pytester.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "No verdict came of this run" in result.stdout.str()


@pytest.mark.parametrize("asked", ["--vl-report=page.html", "--vl-results=r.jsonl", "--vl-baseline=absent.jsonl"])
def test_what_is_asked_for_on_the_command_line_comes_or_the_run_is_not_green(project, asked):
    project.pytester.makepyfile(test_other="def test_other(): pass")
    result = project.run("test_other.py", asked, model="")
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["No verdict came of this run: nothing was checked."])


def test_tests_of_another_kind_end_as_they_will(project):
    project.pytester.makeini(f"[pytest]\nvl_model = {project.spec('competent')}\nvl_data = {project.data}")
    project.pytester.makeconftest(SETS_0)
    project.pytester.makepyfile(test_other="def test_other(): assert False")
    assert project.pytester.runpytest_inprocess("-k", "test_other").ret == 0


@pytest.mark.parametrize("arguments", [("--setup-only",), ("-p", "no:terminal")])
def test_a_run_that_judges_and_passes_ends_with_0(project, arguments):
    result = project.run(*arguments)
    assert (result.ret, result.stderr.str()) == (0, "")
    assert len(project.results("verdict")) == 4


def test_a_plan_of_fixtures_scores_nothing(project, log):
    project.run("--setup-plan", model="counting")
    assert not log.exists()


def test_a_status_that_changes_after_the_results_were_written_is_in_them(project):
    project.pytester.makeconftest(SETS_0.replace("exitstatus = 0", "exitstatus = 7"))
    assert project.run("--vl-report=page.html").ret == 7
    assert project.results("run")[0]["exit_status"] == 7
    assert "The run as a whole ended with 7." in (project.folder / "page.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--collect-only", "--vl-report=page.html"), "--vl-report: --collect-only judges nothing"),
        (
            ("--collect-only", "--vl-results=r.jsonl", "--vl-baseline=absent.jsonl"),
            "--vl-results, --vl-baseline: --collect-only judges nothing",
        ),
        (("--vl-plan", "--vl-results=r.jsonl"), "--vl-results: --vl-plan judges nothing"),
        (("--fixtures", "--vl-report=page.html"), "--vl-report: --fixtures judges nothing"),
        (("--fixtures-per-test", "--vl-results=r.jsonl"), "--vl-results: --fixtures-per-test judges nothing"),
        (("--collect-only", "-p", "no:terminal", "--vl-report=page.html"), "--vl-report: --collect-only judges"),
    ],
)
def test_files_that_are_asked_for_where_nothing_is_judged_are_refused(project, arguments, said):
    result = project.run(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert said in result.stdout.str() + result.stderr.str()


@pytest.mark.parametrize(
    ("conftest", "arguments", "asked"),
    [("", ("--markers",), "--vl-report=page.html"), (RUNS_NOTHING, (), "--vl-results=r.jsonl")],
)
def test_files_that_are_asked_for_where_no_test_is_run_are_refused(project, conftest, arguments, asked):
    project.pytester.makeconftest(conftest)
    result = project.run(*arguments, asked)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"{asked.partition('=')[0]}: no test was run" in result.stderr.str()


@pytest.mark.parametrize("arguments", [("--markers",), ("--version",), ("--help",)])
def test_what_pytest_says_of_itself_is_no_run(project, arguments):
    assert project.run(*arguments).ret == 0


def test_a_model_is_asked_for_in_vain_where_an_exit_comes_before_any_session(project):
    project.pytester.makeconftest(EXITS_BEFORE.format(hook="configure"))
    result = project.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "vlcheck: --vl-model: no test was run" in result.stderr.str()


@pytest.mark.parametrize("conftest", ["", SETS_0 + RETURNS_0.removeprefix("\nimport pytest")])
def test_why_a_run_is_not_green_is_said_once(project, conftest):
    project.pytester.makeconftest(conftest)
    result = project.run("-p", "no:terminal", model="loves_color")
    assert result.stderr.str().count("vlcheck: the run ends with 1.") == 1


def test_plugins_are_known_by_what_they_do_whatever_they_are_called(project, monkeypatch):
    """Without autoload, xdist is registered as xdist.plugin, and pytest-html as pytest_html.plugin."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    named = ("vlcheck.plugin", "xdist.plugin", "pytest_metadata.plugin", "pytest_html.plugin")
    monkeypatch.setenv("GITHUB_RUN_ID", "12")
    monkeypatch.setenv("GITHUB_RUN_ATTEMPT", "3")
    plugins = [argument for name in named for argument in ("-p", name)]
    files = ("--vl-report=page.html", "--html=list.html", "--self-contained-html")
    result = project.run(*plugins, "-n", "2", *files, model="loves_color", subprocess=True)
    result.assert_outcomes(passed=2, failed=2)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert len(project.results("verdict")) == 4
    assert project.results("run")[0]["run_id"] == "12-3"
    assert [path.name for path in project.folder.glob("vlcheck-results*")] == ["vlcheck-results.jsonl"]
    assert "Fails 1 of 1 bias: color." in (project.folder / "page.html").read_text()
    assert "the page for reviewers, with the evidence" in (project.folder / "list.html").read_text()
    plan = project.run("-p", "vlcheck.plugin", "-p", "xdist.plugin", "-n", "2", "--vl-plan")
    assert plan.stdout.str().count("pictures to encode") == 1
