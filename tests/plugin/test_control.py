"""A control that is named once: it is judged by the tests of the run, and shown beside its model."""

import pytest

from tests.plugin.test_bad_input import complaint

pytestmark = pytest.mark.slow  # networks are run many times

GREY = ("-k", "grayscale")


def observed(text):
    rows = [line.split() for line in text.splitlines() if line.startswith("test_grayscale_preserves")]
    return [(row[1], row[4], row[-1]) for row in rows]


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_it_stands_beside_as_a_run_of_its_own_would(project, workers):
    said = f"--vl-control={project.spec('competent')}"
    text = project.run(*GREY, said, *workers, model="loves_color", subprocess=bool(workers)).stdout.str()
    assert observed(text) == [("mlm", "1.000", "0.000"), ("itm", "1.000", "0.000")]
    assert "Competent" in text
    assert {line["test"].partition("[")[0] for line in project.results("verdict")} == {
        "test_states.py::test_grayscale_preserves"
    }


def test_the_ini_file_names_it_and_a_metric_that_it_lacks_is_said(project):
    project.pytester.makeini(f"[pytest]\nvl_control = {project.spec('matches_only')}\n")
    text = project.run(*GREY).stdout.str()
    assert [row[-1] for row in observed(text)][1] == "0.000"
    assert "MatchesOnly is not compared under mlm: it was asked none of these tests" in text


def test_it_is_on_the_page(project):
    project.run(*GREY, "--vl-report=report.html", f"--vl-control={project.spec('competent')}", model="loves_color")
    assert "Beside it, <bdi>Competent</bdi>" in (project.folder / "report.html").read_text()


def test_a_control_that_cannot_be_loaded_ends_the_run_by_its_own_name(project):
    message = complaint(project.run("--vl-control=no_such_model"))
    assert "--vl-control 'no_such_model': no such model." in message
    assert "--vl-model" not in message


def test_two_models_are_not_shown_beside(project):
    project.run(*GREY, "--vl-results=other.jsonl")
    message = complaint(project.run("--vl-beside=other.jsonl", f"--vl-control={project.spec('competent')}"))
    assert "--vl-control: does not go with --vl-beside" in message


def test_a_control_without_gradients_does_not_end_a_run_that_explains_its_model(project):
    result = project.run(
        *GREY,
        "--vl-model=tiny",
        "--vl-data=scenes:5",
        "--vl-explain=saliency:2",
        f"--vl-control={project.spec('competent')}",
        model=None,
    )
    assert "gives no gradients" not in result.stdout.str() + result.stderr.str()
    assert len(project.results("explanation")) == 4
