"""Runs of pytest with --vl-dtype verified: the verdicts of float32, in one process and in two, and on kept scores."""

import pytest

pytestmark = pytest.mark.slow


def verdicts(project, path="vlcheck-results.jsonl"):
    """What a run counts, by test."""
    keys = ("status", "n", "violations", "not_applicable", "rate")
    return {one["test"]: [one[key] for key in keys] for one in project.results("verdict", path)}


def run(project, *arguments, dtype="verified", **how):
    """Run with a model that is rounded in any type but float32."""
    return project.run(f"--vl-dtype={dtype}", *arguments, model="wavers", **how)


@pytest.fixture
def bfloat16(monkeypatch):
    """Take the processor for one that has the instructions."""
    monkeypatch.setattr("vlcheck.models.loading.two_types.slow", lambda device: "")


def test_a_verified_run_comes_to_what_one_in_float32_does(project, bfloat16):
    run(project, "--vl-results=exact.jsonl", dtype="float32")
    result = run(project, "--vl-report=page.html", "--vl-store=kept.sqlite")
    assert verdicts(project) == verdicts(project, "exact.jsonl")
    (said,) = project.results("precision")
    assert (said["exact"], said["fast"], said["alone"]) == ("float32", "bfloat16", "")
    assert 0 < said["both"] < said["queries"]
    for one in said["differences"]:
        assert 0 < one["log_odds"] <= 0.4
    result.stdout.fnmatch_lines(["*Scores are of bfloat16, and of float32 wherever a verdict could differ*"])
    assert "wherever a verdict could differ" in (project.folder / "page.html").read_text()

    again = run(project, "--vl-store=kept.sqlite", "--vl-results=again.jsonl")  # nothing is asked, all is known
    assert again.ret == result.ret
    assert verdicts(project, "again.jsonl") == verdicts(project)
    assert project.results("precision", "again.jsonl") == [said]

    run(project, "--vl-store=kept.sqlite", "--vl-results=float.jsonl", dtype="float32")
    after = run(project, "--vl-store=kept.sqlite", "--vl-results=after.jsonl")
    assert after.ret == result.ret
    assert verdicts(project, "after.jsonl") == verdicts(project, "float.jsonl") == verdicts(project)


def test_two_processes_come_to_what_one_does(project):
    if not _has_bfloat16():
        pytest.skip("needs a processor with instructions for bfloat16")
    run(project, "--vl-results=exact.jsonl", dtype="float32")
    run(project, "-n2", "-p", "xdist", subprocess=True)
    assert verdicts(project) == verdicts(project, "exact.jsonl")
    said = project.results("precision")
    assert {one["process"] for one in said} == {"gw0", "gw1"}
    assert len({(one["queries"], one["both"], one["exact_alone"]) for one in said}) == 1


def test_a_run_that_was_killed_goes_on_where_it_was(project, log):
    if not _has_bfloat16():
        pytest.skip("needs a processor with instructions for bfloat16")
    run(project, "--vl-results=exact.jsonl", dtype="float32")
    ends = []
    for _ in range(2):
        asked = ["--vl-dtype=verified", "--vl-store=kept.sqlite"]
        ends.append(project.run(*asked, model="wavers_until_killed", subprocess=True).ret)
    assert ends[0] == -9
    assert verdicts(project) == verdicts(project, "exact.jsonl")
    (said,) = project.results("precision")
    assert said["both"] > 0


def test_a_part_of_the_questions_is_asked_in_one_type(project):
    result = run(project, "--vl-shard=1/2", "--vl-store=part.sqlite")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--vl-shard 1/2: does not go with --vl-dtype verified*--vl-dtype float32*"])


def test_one_type_alone_is_said_at_the_start_and_at_the_end(project, monkeypatch):
    monkeypatch.setattr("vlcheck.models.loading.two_types.slow", lambda device: "this processor is old")
    result = run(project)
    result.stdout.fnmatch_lines(["*--vl-dtype verified: float32 alone: this processor is old*"])
    result.stdout.fnmatch_lines(["*All scores are of float32: this processor is old.*"])


def _has_bfloat16():
    from vlcheck.models.loading.two_types import slow

    return not slow("cpu")
