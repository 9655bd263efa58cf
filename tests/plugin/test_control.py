"""A control that is named once: it is judged by the tests of the run, and shown beside its model."""

import re

import pytest

from tests.models import checkpoints
from tests.models.hf.test_image_classifiers import saved, saved_by_timm, vit
from tests.plugin.conftest import WORDS
from tests.plugin.test_bad_input import complaint
from vlcheck.errors import UsageError, argument
from vlcheck.plugin import control
from vlcheck.results.comparison import compare_runs, read_compared
from vlcheck.results.file import read
from vlcheck.results.parts import Part
from vlcheck.results.records import SCHEMA, RunRecord

pytestmark = pytest.mark.slow  # networks are run many times

GREY = ("-k", "grayscale")
CONTROL = "vlcheck-results.control.jsonl"
NAMED = WORDS[:3]  # the fourth word is no label
FRAGILE = """
    from dataclasses import dataclass
    from vlcheck import behavior, with_target
    from vlcheck.expect import BEFORE, Preserved
    from vlcheck.perturb import Grayscale

    BIAS = "color"

    @dataclass(frozen=True)
    class Fragile(Preserved):
        def margins(self, sample, tolerances):
            return {"": 1 / int(sample[BEFORE].raw > 0.6)}

    @behavior(cases=with_target("object"), perturb=Grayscale(), expect=Fragile(), metrics=("itm",))
    def test_fragile(verdict):
        assert verdict.passed
"""


def observed(text):
    rows = [line.split() for line in text.splitlines() if line.startswith("test_grayscale_preserves")]
    return [(row[1], row[4], row[-1]) for row in rows]


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_it_stands_beside_as_a_run_of_its_own_would(project, workers):
    said = f"--vl-control={project.spec('competent')}"
    text = project.run(*GREY, said, *workers, model="loves_color", subprocess=bool(workers)).stdout.str()
    assert sorted(observed(text)) == [("itm", "1.000", "0.000"), ("mlm", "1.000", "0.000")]  # as workers end
    assert "Competent" in text
    assert {line["test"].partition("[")[0] for line in project.results("verdict")} == {
        "test_states.py::test_grayscale_preserves"
    }
    of_control = project.results("verdict", CONTROL)
    assert sorted((line["metric"], line["status"], line["n"], line["gates"]) for line in of_control) == [
        ("itm", "pass", 40, False),
        ("mlm", "pass", 40, False),
    ]
    assert len(project.results("evidence", CONTROL)) == len(project.results("evidence")) == 80
    assert f"results of the control: {project.folder}/{CONTROL}" in text


def test_the_ini_file_names_it_and_a_metric_that_it_lacks_is_said(project):
    project.pytester.makeini(f"[pytest]\nvl_control = {project.spec('matches_only')}\n")
    text = project.run(*GREY, "-v").stdout.str()
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


@pytest.mark.parametrize("by", ["transformers", "timm"])
def test_an_image_classifier_shows_what_the_picture_alone_tells(project, tmp_path, by):
    folder = tmp_path / "classifier"
    folder.mkdir()
    if by == "timm":
        saved_by_timm(folder, label_names=[*NAMED, "left", "street", "crane", "lamp"])
    else:
        saved(folder, vit, NAMED)
    spec = f"timm:{folder}" if by == "timm" else str(folder)
    project.run(f"--vl-control={spec}", "--vl-report=report.html", model="loves_color")
    (run,), found = project.results("run", CONTROL), project.results("verdict", CONTROL)
    assert run["score_kinds"] == {"mlm": "image-labels"}
    assert [(one["metric"], one["status"], one["n"], one["not_applicable"]) for one in found] == [
        ("mlm", "fail", 30, 10),
        ("mlm", "invalid", 0, 40),
    ]
    rows = project.results("evidence", CONTROL)
    assert [row["reason"] for row in rows].count("the target names no class of the model") == 2 * 10
    assert {frozenset(row["scores"][0]) for row in rows if row["scores"]} == {frozenset(NAMED)}
    page = re.sub("<[^>]+>", "", (project.folder / "report.html").read_text())
    said = "reads no words: where it passes and the model fails, the failure is of the fusion of picture and words"
    assert said in page
    kind = r"of 30 images by scores of another kind \(image-labels\)"
    assert re.search(rf"fail wrong in [^;]+ {kind}; of 30 cases in common, the model alone violates 0", page)
    assert "under mlm (the model knows only 0 of 30 cases" in page  # beside itm, which it lacks


def test_a_text_encoder_shows_what_words_alone_tell(project, tmp_path):
    spec = checkpoints.bert(tmp_path / "bert")
    text = project.run(*GREY, f"--vl-control={spec}", "--vl-report=report.html", model="loves_color").stdout.str()
    (run,), (words,) = project.results("run", CONTROL), project.results("words", CONTROL)
    assert run["sees"] is False
    assert {one["about"]: one["n"] for one in words["found"] if one["probe"] == "cloze"} == {
        "color": 74,
        "material": 77,
        "shape": 77,
        "size": 64,
    }
    assert "sees no picture: where it passes, the words alone are enough" in text
    assert "Words alone tell none of these properties better than a constant answer." in text
    page = (project.folder / "report.html").read_text()
    assert "What it tells from words alone" in page
    assert page.count('<th scope="row"><bdi>color</bdi></th>') == 2  # by cloze and by Stroop probing


def test_a_fault_of_the_control_fails_no_test_and_is_said(project):
    project.pytester.makepyfile(test_states=FRAGILE)
    said = f"--vl-control={project.spec('constant')}"
    result = project.run(said, "--vl-report=report.html")
    assert result.ret == 0
    assert "Constant has no verdict on test_fragile[itm]: " in result.stdout.str()
    (fault,) = project.results("fault", CONTROL)
    assert "ZeroDivisionError" in fault["reason"]
    assert "has no verdict: " in (project.folder / "report.html").read_text()


def test_a_test_that_the_model_cannot_answer_is_asked_of_the_control(project):
    project.pytester.makepyfile(test_fragile=FRAGILE)
    project.run("-k", "grayscale or fragile", f"--vl-control={project.spec('competent')}", model="constant")
    own, of_control = ({one["behavior"] for one in project.results("verdict", *file)} for file in ((), (CONTROL,)))
    assert of_control - own == {"test_fragile"}


def test_an_error_of_the_control_that_cannot_be_kept_is_said_without_a_traceback(project, monkeypatch):
    def full(*args):
        raise UsageError("the disk is full")

    monkeypatch.setattr(control, "judge_control", full)
    text = project.run(*GREY, f"--vl-control={project.spec('competent')}").stdout.str()
    assert "the disk is full" in text
    assert "Traceback" not in text
    assert "test_control.py" not in text


def test_a_fault_names_options():
    assert control._said(UsageError(argument("store", "a.sqlite"))) == "--vl-store a.sqlite"


@pytest.mark.parametrize(("sees", "reasons"), [(False, ["the process that asked it ended before"]), (True, [])])
def test_words_that_a_killed_process_left_unasked_are_said(tmp_path, sees, reasons):
    (tmp_path / "control").mkdir()
    Part(tmp_path / "control", "gw0").keep(
        [RunRecord(schema=SCHEMA, name="bert", fingerprint="1", data="d", started="2026-01-01", sees=sees)]
    )
    found = control.control_results(tmp_path)
    assert [fault.reason[:38] for fault in found.faults.values()] == reasons


def test_a_metric_that_only_the_control_has_is_judged(project):
    text = project.run(*GREY, f"--vl-control={project.spec('reads_only')}", model="matches_only").stdout.str()
    assert {line["metric"] for line in project.results("verdict")} == {"itm"}
    assert {line["metric"] for line in project.results("verdict", CONTROL)} == {"itm", "mlm"}
    assert "ReadsOnly" in text


def test_its_results_are_compared_drawn_and_shown_as_those_of_any_run(project):
    said = f"--vl-control={project.spec('competent')}"
    project.run(*GREY, said, "--vl-results=old.jsonl", model="loves_color")
    project.run(*GREY, said, "--vl-results=new.jsonl", "--vl-baseline=old.jsonl", model="loves_color")
    old, new = (read_compared(project.folder / f"{name}.control.jsonl") for name in ("old", "new"))
    assert compare_runs(old, new).accepted
    assert new.run.baseline is None
    text = project.run(*GREY, "--vl-beside=old.control.jsonl", model="loves_color").stdout.str()
    assert observed(text) == [("mlm", "1.000", "0.000"), ("itm", "1.000", "0.000")]


def test_a_file_of_another_sort_in_the_place_of_its_results_is_kept(project):
    (project.folder / CONTROL).write_text("mine")
    message = complaint(project.run(*GREY, f"--vl-control={project.spec('competent')}"))
    assert CONTROL in message
    assert (project.folder / CONTROL).read_text() == "mine"


def test_the_model_itself_as_its_control_is_said(project):
    text = project.run(*GREY, f"--vl-control={project.spec('competent')}").stdout.str()
    assert "is the model itself, so that it shows nothing more" in text
    assert "Competent is the model itself" in text


def test_the_plan_has_what_the_control_is_asked(project, tmp_path):
    folder = saved(tmp_path / "classifier", vit, NAMED)
    text = project.run(*GREY, "--vl-plan", f"--vl-control={folder}").stdout.str()
    model, _, control = text.partition(f"the control, {folder}:")
    assert "80 pictures to encode, 240 texts" in model
    assert "65 pictures to encode, 90 texts to ask" in control  # 5 set the scale
    assert "not asked by test_grayscale_preserves[mlm] (10 cases): the target names no class of the model" in control
    assert "about" in control


def test_a_model_that_cannot_be_loaded_is_said_before_its_control_is(project):
    message = complaint(project.run("--vl-model=no_model", "--vl-control=no_control", model=""))
    assert "no_model" in message
    assert "no_control" not in message


def test_a_control_of_an_explained_run_is_not_explained(project):
    project.run(
        *GREY,
        "--vl-model=tiny",
        "--vl-data=scenes:5",
        "--vl-explain=saliency:2",
        "--vl-control=tiny-blind",
        model=None,
    )
    assert read(project.folder / CONTROL).run.explained == []
    assert project.results("explanation", CONTROL) == []


def test_a_control_of_the_ini_file_gives_way_to_results_on_the_command_line(project):
    project.run(*GREY, "--vl-results=other.jsonl")
    project.pytester.makeini("[pytest]\nvl_control = no_such_model\n")
    text = project.run(*GREY, "--vl-beside=other.jsonl", model="loves_color").stdout.str()
    assert observed(text) == [("mlm", "1.000", "0.000"), ("itm", "1.000", "0.000")]
    assert "no_such_model" in complaint(project.run(*GREY))
    assert project.run(*GREY, "--vl-control=").ret == 0
