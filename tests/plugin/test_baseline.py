"""A run against the release before: what is worse ends it with 1, and a baseline that is none before it begins."""

import json

import pytest

from tests.plugin.test_bad_input import complaint

pytestmark = pytest.mark.slow

BASELINE = "--vl-baseline=old.jsonl"
WORSE = "Against the release before: worse: color (2 tests); better: none; 2 same, 0 not comparable"
SAME = "worse: none; better: none; 4 same, 0 not comparable"
FORGETS = """
import os
from tests.doubles import Competent
from vlcheck import open_cases


class Forgets(Competent):
    def _truth(self, seen, template):
        known = self.truths.get(seen.photograph, {}).get(template)
        return None if seen.grey and known and known.target == "bus" else super()._truth(seen, template)


def factory(device, dtype):
    return Forgets(open_cases(os.environ["VLCHECK_TEST_DATA"]).cases, name="Forgets", fingerprint="2")
"""


@pytest.fixture
def baseline(project):
    """The results of a competent model; where they are."""
    project.run("--vl-results=old.jsonl")
    return project.folder / "old.jsonl"


def test_a_model_that_lost_something_is_worse_and_ends_with_1(project, baseline):
    result = project.run(BASELINE, model="loves_color")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "*vlcheck: compared with the baseline*",
            "LovesColor on jsonl:* against Competent on jsonl:*",
            "test_grayscale_preserves *itm *worse *0.000 *1.000 *40 *0 *40 *",
            "-v lists the 2 tests that are the same, too.",
            "results: *",
            WORSE,
        ]
    )


def test_a_part_of_the_tests_is_compared_with_its_part_of_the_baseline(project, baseline):
    result = project.run(BASELINE, "-k", "grayscale")
    assert result.ret == 0
    assert "worse: none; better: none; 2 same, 0 not comparable" in result.stdout.str()


def test_the_plan_looks_at_the_baseline_too(project):
    result = project.run("--vl-plan", BASELINE)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "--vl-baseline" in result.stderr.str()


def test_worse_is_enough_for_1_where_every_test_passes(project, baseline):
    """Ten photographs of 40 are lost: the policy would allow it, the release before did better."""
    (project.folder / "policy.toml").write_text("[defaults]\nallowed = 0.5\n")
    (project.folder / "mine.py").write_text(FORGETS)
    model = f"--vl-model={project.folder}/mine.py:factory"
    result = project.run(BASELINE, "--vl-policy=policy.toml", model, model="")
    result.assert_outcomes(passed=4)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert WORSE in result.stdout.str()
    (header,) = project.results("run")
    assert (header["exit_status"], header["baseline"]) == (1, str(baseline))
    assert project.run("--vl-policy=policy.toml", model, model="").ret == 0
    assert project.results("run")[0]["baseline"] is None


def test_a_model_against_itself_is_the_same_and_has_the_same_weights(project, baseline):
    result = project.run(BASELINE)
    assert result.ret == 0
    text = result.stdout.str()
    assert SAME in text
    assert "; the same weights" in text


def test_a_known_bias_that_did_not_grow_is_the_same(project):
    project.run("--vl-results=old.jsonl", model="loves_color")
    assert SAME in project.run(BASELINE, model="loves_color").stdout.str()
    text = project.run(BASELINE).stdout.str()
    assert "worse: none; better: color (2 tests); 2 same, 0 not comparable" in text


def test_the_ini_file_names_a_baseline_too(project, baseline):
    project.pytester.makeini("[pytest]\nvl_baseline = old.jsonl")
    assert WORSE in project.run(model="loves_color").stdout.str()


@pytest.mark.parametrize(("model", "said", "status"), [("loves_color", WORSE, 1), ("competent", SAME, 0)])
def test_two_workers_are_compared_once(project, baseline, model, said, status):
    result = project.run(BASELINE, "-n", "2", model=model, subprocess=True)
    assert result.ret == status
    assert result.stdout.str().count(said) == 1
    assert project.results("run")[0]["exit_status"] == status


def test_where_nothing_can_be_compared_nothing_is_green(project, baseline):
    """The same photographs under other names are other cases."""
    path = project.folder / "data" / "cases.jsonl"
    cases = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("\n".join(json.dumps(case | {"id": f"other-{i}"}) for i, case in enumerate(cases)))
    result = project.run(BASELINE)
    result.assert_outcomes(passed=4)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    text = result.stdout.str()
    assert "4 not comparable, other data: no case in common: all tests" in text
    assert "nothing can be compared: nothing green comes out of nothing" in text


def header(path):
    return path.read_text().partition("\n")[0]


SPOILT = {
    "missing": (lambda path: path.unlink(), "cannot be read as a results file"),
    "a directory": (lambda path: (path.unlink(), path.mkdir()), "cannot be read as a results file"),
    "binary": (lambda path: path.write_bytes(b"\x89PNG\r\n\xff"), "cannot be read as a results file"),
    "empty": (lambda path: path.write_text(""), "holds no run"),
    "damaged": (lambda path: path.write_text(path.read_text()[:-20]), "old.jsonl:{last}: ends within the line"),
    "of another schema": (
        lambda path: path.write_text(path.read_text().replace('"schema": 1', '"schema": 9', 1)),
        "old.jsonl:1: schema 9; this vlcheck reads schema 1",
    ),
    "without verdicts": (
        lambda path: path.write_text(header(path)),
        "promises 4 verdicts, and 0 follow; the file was cut short",
    ),
    "without a key": (
        lambda path: path.write_text(path.read_text().replace('"claim"', '"clam"')),
        "verdict line without 'claim', which has to be",
    ),
}


@pytest.mark.parametrize("kind", SPOILT)
def test_what_is_no_baseline_is_refused_before_anything_is_scored(project, baseline, log, kind):
    spoil, said = SPOILT[kind]
    said = said.format(last=len(baseline.read_text().splitlines()))
    spoil(baseline)
    message = complaint(project.run(BASELINE, model="counting"))
    assert f"--vl-baseline {baseline}" in message
    assert said in message
    assert not log.exists()
    assert not (project.folder / "vlcheck-results.jsonl").exists()


def test_with_workers_too_it_is_refused_before_anything_is_scored(project, log):
    message = complaint(project.run("--vl-baseline=absent.jsonl", "-n", "2", model="counting", subprocess=True))
    assert "--vl-baseline" in message
    assert not log.exists()


def test_results_do_not_replace_what_they_are_held_to(project, baseline):
    kept = baseline.read_bytes()
    message = complaint(project.run(BASELINE, "--vl-results=old.jsonl", model="loves_color"))
    assert "is where the results go (--vl-results)" in message
    assert baseline.read_bytes() == kept


def test_results_of_a_control_do_not_replace_the_baseline(project):
    project.run("-k", "grayscale", f"--vl-control={project.spec('competent')}")
    baseline = project.folder / "vlcheck-results.control.jsonl"
    kept = baseline.read_bytes()
    said = ("-k", "grayscale", f"--vl-baseline={baseline.name}")
    message = complaint(project.run(*said, f"--vl-control={project.spec('loves_color')}"))
    assert "is where the results go (--vl-results)" in message
    assert baseline.read_bytes() == kept
    text = project.run(*said).stdout.str()  # without a control, nothing replaces it
    assert "2 same, 0 not comparable" in text
    assert f"left unchanged: {baseline}, of a control of an earlier run" in text


def test_where_nothing_is_asked_nothing_is_compared(project):
    """On the command line it would be asked for: test_last_word."""
    project.pytester.makeini("[pytest]\nvl_baseline = absent.jsonl")
    result = project.run("--collect-only")
    assert result.ret == 0
    assert "baseline" not in result.stdout.str()


def test_a_run_of_other_tests_needs_no_baseline(project):
    project.pytester.makeini("[pytest]\nvl_baseline = absent.jsonl")
    project.pytester.makepyfile(test_other="def test_other(): assert True")
    assert project.pytester.runpytest_inprocess("test_other.py").ret == 0
