"""In a run, other images are drawn in place of those that do not count, whoever asks and whatever is kept."""

import pytest

from tests.plugin.conftest import write_cases

GREY = ("-k", "grayscale and itm", "--vl-store=kept")


@pytest.fixture
def many(project, monkeypatch):
    """The project with 60 photographs, of which 30 are asked for."""
    path = write_cases(project.folder / "many", 60)
    monkeypatch.setenv("VLCHECK_TEST_DATA", f"jsonl:{path}")
    project.data = f"jsonl:{path}:30"
    return project


def asked(project):
    (verdict,) = project.results("verdict")
    return verdict["status"], verdict["n"], verdict["asked"], [row["case"] for row in project.results("evidence")]


def test_workers_and_kept_scores_draw_the_same(many):
    many.run(*GREY, "-n", "2", model="knows_most", subprocess=True)
    status, n, images, cases = found = asked(many)
    assert (status, n) == ("fail", 30)
    assert 30 < images == len(cases) < 60
    many.run(*GREY, "-x", model="knows_most")
    assert asked(many) == found


def test_a_case_that_was_drawn_is_run_again_by_its_name(many):
    many.run(*GREY, model="knows_most")
    *_, last = asked(many)[-1]
    every = many.run("--vl-cases", "--collect-only", "-q").stdout.str()
    assert f"itm-{last}]" not in every
    again = many.run(f"test_states.py::test_grayscale_preserves[itm-{last}]", "--vl-cases", model="knows_most")
    again.assert_outcomes(xfailed=1)


def test_the_plan_says_how_many_are_asked_so_that_as_many_count(many):
    plan = many.run("--vl-plan", model="").stdout.str()
    assert "up to 60 images a test are asked about so that 30 count" in plan
    many.data = many.data.replace(":30", ":60")
    assert "are asked about so that" not in many.run("--vl-plan", model="").stdout.str()
