"""--vl-cases: an item for every single case, which informs and gates nothing."""

import re

import pytest

from tests.plugin.conftest import encoded, lines, write_cases
from tests.plugin.test_counts import PICTURES, TEXTS

pytestmark = pytest.mark.slow


def test_every_case_of_a_rate_has_an_item_beside_the_behaviors_own(project):
    result = project.run("--vl-cases")
    result.assert_outcomes(passed=4, xpassed=160)
    assert result.ret == 0
    assert len(project.results("verdict")) == 4


def test_a_case_that_violates_is_xfailed_and_the_behavior_alone_fails(project):
    result = project.run("--vl-cases", "-rx", model="loves_color")
    result.assert_outcomes(passed=2, failed=2, xfailed=80, xpassed=80)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["XFAIL *test_grayscale_preserves[[]mlm-line-1[]] - a case informs*"])


def test_a_behavior_may_fail_on_one_case_and_pass_on_the_whole(project):
    write_cases(project.folder / "data", 50)
    result = project.run("--vl-cases", "-k", "grayscale and mlm", model="stumbles")
    result.assert_outcomes(passed=1, xfailed=1, xpassed=49)
    assert result.ret == 0


def test_one_case_is_run_again_by_its_name_and_asks_no_more_than_it_needs(project, log):
    """Beside its own pictures those that set the model's scale, which raw scores do without."""
    name = "test_states.py::test_another_image_drops[itm-line-3]"
    project.run("--vl-cases", name, model="counting", subprocess=True).assert_outcomes(xpassed=1)
    assert 4 < len(encoded(log)) <= PICTURES
    log.unlink()
    (project.folder / "raw.toml").write_text("[defaults]\nscale = 'raw'\n")
    result = project.run("--vl-cases", "--vl-policy=raw.toml", name, model="counting", subprocess=True)
    result.assert_outcomes(xpassed=1)
    assert sorted(line.split()[0] for line in lines(log)) == ["encode", "encode", "itm", "itm"]
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["No verdict came of this run: nothing was checked."])


@pytest.mark.parametrize("workers", ["0", "2"])
def test_cases_share_what_their_behaviors_ask(project, log, workers):
    result = project.run("--vl-cases", "-n", workers, model="counting", subprocess=True)
    result.assert_outcomes(passed=4, xpassed=160)
    assert (len(encoded(log)), len(lines(log))) == (PICTURES, PICTURES + TEXTS)


def test_a_case_that_does_not_count_is_skipped_with_its_reason(project):
    result = project.run("--vl-cases", "-k", "grayscale and mlm", "-rs", model="hashes")
    text = result.stdout.str()
    assert re.search(r"SKIPPED .*the model does not know the case", text)


def test_a_metric_that_the_model_lacks_is_skipped(project):
    result = project.run("--vl-cases", "-rs", model="matches_only")
    result.assert_outcomes(passed=2, skipped=82, xpassed=80)
    result.stdout.fnmatch_lines(["*MatchesOnly has no mlm: it offers itm*"])


def test_data_that_cannot_be_read_ends_the_run_before_it_begins(project):
    result = project.run("--vl-cases", "--vl-data=jsonl:absent.jsonl")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "absent.jsonl" in result.stderr.str()
    assert "Traceback" not in result.stdout.str() + result.stderr.str()


def test_a_picture_that_cannot_be_used_is_named(project):
    (project.folder / "data" / "3.png").write_bytes(b"no picture")
    result = project.run("--vl-cases")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    text = result.stderr.str()
    assert "cases.jsonl:4: " in text
    assert "3.png: not a picture that decodes" in text
    assert "Traceback" not in text


def test_a_score_that_cannot_be_had_is_said_plainly(project):
    result = project.run("--vl-cases", "-k", "line-3 and itm and grayscale", "-rs", model="raises")
    assert "out of cheese" in result.stdout.str()


def test_single_cases_are_listed_without_a_model(project):
    result = project.run("--vl-cases", "--collect-only", "-q", model="")
    assert result.ret == 0
    assert result.stdout.str().count("[itm-line-") == 80


def test_a_case_without_a_number_is_no_case_that_holds(project):
    project.run("--vl-cases", model="not_a_number").assert_outcomes(failed=4, xfailed=80, skipped=80)
