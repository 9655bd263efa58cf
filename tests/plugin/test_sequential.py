"""A sequential run asks about images until a verdict is decided, and about no more."""

import re

import pytest

from tests.plugin.conftest import encoded, write_cases

pytestmark = pytest.mark.slow

NAMES = ["test_another_image_drops", "test_grayscale_preserves"]


@pytest.fixture
def many(project, monkeypatch):
    """The project with 120 photographs."""
    project.data = f"jsonl:{write_cases(project.folder / 'many', 120)}"
    monkeypatch.setenv("VLCHECK_TEST_DATA", project.data)
    return project


def asked(project):
    return {(one["behavior"], one["metric"]): (one["status"], one["asked"]) for one in project.results("verdict")}


def test_what_is_plain_is_decided_early(many):
    result = many.run("--vl-sequential", model="loves_color")
    found = asked(many)
    assert result.ret == 1
    assert {found["test_grayscale_preserves", metric] for metric in ("mlm", "itm")} == {("fail", 10)}
    assert {found["test_another_image_drops", metric] for metric in ("mlm", "itm")} == {("pass", 48)}
    assert {one["offered"] for one in many.results("verdict")} == {120}
    assert "sequential: of 480 images, summed over the tests, 116 were asked about (24 %)" in result.stdout.str()


def test_what_is_not_asked_is_not_encoded(many, log):
    many.run("--vl-sequential", "-k", "grayscale", model="counts_color")
    few = len(encoded(log))
    many.run("-k", "grayscale", model="counts_color")
    assert few < (len(encoded(log)) - few) / 4


def test_what_is_not_decided_is_asked_to_the_end(project, monkeypatch):
    """48 photographs, of which 8 set the scale and 40 are judged: as few as pass where none violates."""
    project.data = f"jsonl:{write_cases(project.folder / 'some', 48)}"
    monkeypatch.setenv("VLCHECK_TEST_DATA", project.data)
    project.run("--vl-sequential", "-k", "grayscale", model="stumbles")
    assert set(asked(project).values()) == {("inconclusive", 48)}


def test_workers_stop_where_one_process_does(many):
    many.run("--vl-sequential", model="loves_color")
    alone = asked(many)
    many.run("--vl-sequential", "-n", "2", model="loves_color", subprocess=True)
    assert asked(many) == alone


def test_stopping_at_the_first_failure_asks_no_more_either(many, log):
    many.run("--vl-sequential", "-x", "-k", "grayscale", model="counts_color")
    assert len(encoded(log)) <= 4 * 10
    assert next(iter(asked(many).values())) == ("fail", 10)


def test_another_seed_asks_about_other_images_first(many):
    plain = many.data

    def first(seed):
        many.data = f"{plain}:120:{seed}"
        many.run("--vl-sequential", "-k", "grayscale and itm", model="loves_color")
        return {row["case"] for row in many.results("evidence")}

    here, there = first(1), first(2)
    assert len(here) == len(there) == 10
    assert here != there


def test_the_run_says_that_it_was_sequential_and_its_seed(many):
    many.run("--vl-sequential", "-k", "grayscale and itm")
    (run,) = many.results("run")
    assert (run["sequential"], run["images"], run["seed"]) == (True, 200, 0)


def test_what_cannot_pass_is_said_by_the_bound_that_will_decide(project):
    few = write_cases(project.folder / "few", 35)
    project.data = f"jsonl:{few}"
    text = project.run("--vl-sequential", "-k", "grayscale and itm").stdout.str()
    assert "cannot pass, and is not asked unless it fails: 27 images, a pass needs 40" in text
    assert "cannot pass" not in project.run("-k", "grayscale and itm").stdout.str()


def test_where_nothing_is_allowed_the_run_says_that_none_pass(project):
    (project.folder / "policy.toml").write_text("[defaults]\nallowed = 0\n")
    result = project.run("--vl-policy=policy.toml", "-k", "grayscale and itm")
    assert "cannot pass: 40 images, none pass where 0 % is allowed" in result.stdout.str()
    assert result.ret == 1


def test_a_sequential_run_is_not_compared(project):
    project.run("--vl-results=old.jsonl")
    result = project.run("--vl-sequential", "--vl-baseline=old.jsonl")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "--vl-sequential: does not go with --vl-baseline" in result.stderr.str()
    project.run("--vl-sequential", "--vl-results=sequential.jsonl")
    result = project.run("--vl-baseline=sequential.jsonl")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "--vl-baseline" in result.stderr.str()
    assert "is of a sequential run" in result.stderr.str()


def test_the_plan_tells_what_a_sequential_run_can(project):
    plain = project.run("--vl-plan").stdout.str()
    looking = project.run("--vl-plan", "--vl-sequential").stdout.str()
    rates = [int(re.search(r"detects a rate of (\d+) %", text)[1]) for text in (plain, looking)]
    assert rates[0] < rates[1]
