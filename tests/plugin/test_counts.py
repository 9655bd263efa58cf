"""No image is encoded twice in a run and no query asked twice, however many tests and processes share them."""

import sqlite3
from collections import Counter
from contextlib import closing

import pytest

from tests.plugin.conftest import encoded, lines

pytestmark = pytest.mark.slow

# 40 photographs and 40 grey ones. Each caption is asked about its own photograph, the grey one and another one, by two
# metrics; the tests of preservation and of the other image share two of the three.
PICTURES, TEXTS = 80, 240


@pytest.mark.parametrize("workers", ["0", "2", "3"])
def test_every_picture_is_encoded_once_and_every_text_asked_once(project, log, workers):
    result = project.run("-n", workers, model="counting", subprocess=workers != "0")
    assert result.ret == 0
    assert max(Counter(lines(log)).values()) == 1
    assert (len(encoded(log)), len(lines(log))) == (PICTURES, PICTURES + TEXTS)


def test_a_selection_asks_only_what_it_needs(project, log):
    project.run("-k", "another_image and itm", model="counting")
    assert (len(encoded(log)), len(lines(log))) == (40, 40 + 80)


def test_last_failed_asks_what_failed_and_that_once(project, log):
    arguments = ("-p", "cacheprovider")
    project.run(*arguments, model="counts_color").assert_outcomes(passed=2, failed=2)
    log.unlink()
    project.run(*arguments, "--lf", model="counts_color").assert_outcomes(failed=2)
    assert max(Counter(lines(log)).values()) == 1
    assert (len(encoded(log)), len(lines(log))) == (PICTURES, PICTURES + TEXTS)


def test_a_test_that_is_marked_to_be_skipped_asks_nothing(project, log):
    path = project.folder / "test_states.py"
    path.write_text("import pytest\npytestmark = pytest.mark.skip(reason='later')\n" + path.read_text())
    result = project.run(model="counting")
    result.assert_outcomes(skipped=4)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert not log.exists()


def test_a_kept_score_is_not_asked_again_in_the_next_run(project, log):
    project.run("--vl-store=scores.sqlite", model="counting")
    asked = lines(log)
    again = project.run("--vl-store=scores.sqlite", model="counting")
    assert again.ret == 0
    assert lines(log) == asked


def test_a_damaged_row_of_the_store_is_said_with_the_option(project):
    options = ("-k", "grayscale and itm", "--vl-store=scores.sqlite")
    project.run(*options, subprocess=True)
    with closing(sqlite3.connect(project.folder / "scores.sqlite")) as connection, connection:
        connection.execute("UPDATE answers SET scores = NULL WHERE query = (SELECT min(query) FROM answers)")
    again = project.run(*options, "-W", "error", subprocess=True)
    assert again.ret == 0
    said = again.stdout.str() + again.stderr.str()
    path = project.folder / "scores.sqlite"
    assert f"DamagedStore: --vl-store {path}: the store is damaged: 1 of its answers cannot be read" in said


def test_under_other_versions_all_is_asked_again_and_the_baseline_goes_on(project, log, monkeypatch):
    """hqq is installed between two runs over one store; the summary, the terminal and the page say it."""
    options = ("-k", "grayscale", "--vl-store=scores.sqlite")
    project.run(*options, "--vl-results=old.jsonl", model="counting")
    asked = lines(log)
    (project.folder / "hqq-0.18.0.dist-info").mkdir()
    (project.folder / "hqq-0.18.0.dist-info" / "METADATA").write_text("Name: hqq\nVersion: 0.18.0\n")
    monkeypatch.syspath_prepend(project.folder)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project.folder / "summary.md"))
    result = project.run(*options, "--vl-baseline=old.jsonl", "--vl-report=report.html", model="counting")
    assert result.ret == 0
    assert lines(log) == 2 * asked
    text, differs = result.stdout.str(), "What is installed differs: hqq not installed before, 0.18.0 now"
    assert text.count("its scores of this model are of other versions, and asked again: hqq not installed before") == 1
    assert text.count(differs) == 1
    assert all(differs in (project.folder / name).read_text() for name in ("report.html", "summary.md"))
    assert project.results("run")[0]["versions"]["hqq"] == "0.18.0"
    again = project.run(*options, "--vl-baseline=vlcheck-results.jsonl", "--vl-results=3.jsonl", model="counting")
    assert lines(log) == 2 * asked
    assert "other versions" not in again.stdout.str()
    assert "installed differs" not in again.stdout.str()


def test_stopping_at_the_first_failure_scores_test_by_test(project, log):
    result = project.run("-x", "-k", "grayscale", model="counting")
    result.assert_outcomes(passed=2)
    counts = Counter(lines(log))
    assert sum(not line.startswith("encode") for line in lines(log)) == TEXTS
    # The test of itm encodes again what that of mlm has encoded, once a picture and no more.
    assert max(counts.values()) == 2
    assert {line.split()[0] for line, count in counts.items() if count > 1} == {"encode"}


@pytest.mark.parametrize("model", ["competent", "loves_color", "hashes"])
def test_verdicts_and_rows_are_the_same_with_two_workers(project, model):
    project.run(model=model)
    alone = project.results("verdict"), project.results("evidence")
    project.run("-n2", "--vl-batch-size=3", model=model, subprocess=True)
    assert (project.results("verdict"), project.results("evidence")) == alone


def test_a_worker_that_is_killed_while_it_scores_costs_no_verdict(project, log):
    result = project.run("-n2", model="dies_once", subprocess=True)
    assert log.with_suffix(".killed").exists()
    result.assert_outcomes(passed=4)
    assert result.ret == 0
    assert [line["status"] for line in project.results("verdict")] == ["pass"] * 4


def test_a_worker_that_is_killed_in_a_test_costs_no_verdict(project, log):
    project.pytester.makeconftest(
        """
        import pytest
        from tests.doubles import kill_once

        @pytest.fixture(autouse=True)
        def killed(request, verdict):
            if "another_image" in request.node.name:
                kill_once()
        """
    )
    result = project.run("-n2", model="counting", subprocess=True)
    assert log.with_suffix(".killed").exists()
    result.assert_outcomes(passed=4)
    assert [line["status"] for line in project.results("verdict")] == ["pass"] * 4
    asked = [line for line in lines(log) if not line.startswith("encode")]
    assert max(Counter(asked).values()) == 1


@pytest.mark.parametrize("dist", ["load", "worksteal"])
def test_a_test_whose_worker_is_killed_runs_again(project, dist):
    project.pytester.makepyfile(
        test_once="""
        import os, pathlib, signal

        def test_kills_once(tmp_path_factory):
            try:
                pathlib.Path("killed").touch(exist_ok=False)
            except FileExistsError:
                return
            os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    result = project.run("-n2", f"--dist={dist}", subprocess=True)
    assert (project.folder / "killed").exists()
    result.assert_outcomes(passed=5)


def test_a_test_that_kills_every_worker_is_reported_and_ends(project):
    project.pytester.makepyfile(
        test_deadly="""
        import os, signal

        import pytest
        from vlcheck.cases import with_target
        from vlcheck.expect import Preserved
        from vlcheck.perturb import Mirror
        from vlcheck import behavior

        BIAS = "position"

        @pytest.fixture
        def kills():
            os.kill(os.getpid(), signal.SIGKILL)

        @behavior(cases=with_target("object"), perturb=Mirror(), expect=Preserved(), metrics=("itm",))
        def test_kills(kills, verdict):
            assert verdict.passed
        """
    )
    result = project.run("-n2", subprocess=True)
    result.assert_outcomes(passed=4, failed=1)
    result.stdout.fnmatch_lines(["*worker * crashed while running *test_kills*"])
    assert project.results("run")[0]["unjudged"] == ["test_deadly.py::test_kills[itm]"]
