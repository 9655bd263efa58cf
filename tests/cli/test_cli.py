"""The commands, as typed."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from tests.datasets.conftest import Folder
from tests.models.checkpoints import vilt_words
from tests.plugin.conftest import ROOT, write_cases
from tests.report.pages import small
from tests.warm_python import warm_python
from vlcheck.cli import app
from vlcheck.cli.console import command_option
from vlcheck.datasets.registry import open_source
from vlcheck.models.loading.load import load_model
from vlcheck.models.tried import Tried, look_up
from vlcheck.results.file import write_results


def run(*arguments):
    """A command in this process, where torch is there already; what it does not say itself is raised."""
    environment = {"COLUMNS": "200", "TERMINAL_WIDTH": "200"}
    done = CliRunner().invoke(app, [*map(str, arguments)], catch_exceptions=False, env=environment)
    return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)


def typed(*arguments, cwd=None):
    """A command in a process of its own."""
    command = [str(warm_python().bin / "vlcheck"), *map(str, arguments)]
    environment = os.environ | {"COLUMNS": "200", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=environment)


@pytest.mark.slow
def test_cases_lists_each_behavior_with_its_targets_and_what_was_left_out(photographs_root):
    done = typed("cases", f"coco:{photographs_root}:50")
    assert done.returncode == 0, done.stderr
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if line.startswith("test_")}
    assert rows["test_grayscale_preserves_objects"][0] == "50"
    assert rows["test_mirror_flips_hands"] == ["3", "right", "2,", "left", "1"]
    assert {"test_mirror_swaps_sides", "test_true_color_beats_a_wrong_one", "test_vision_alone_preserves"} <= set(rows)
    assert "24 object: photograph is not annotated" in done.stdout


def test_cases_names_tags_that_no_behavior_asks_for(tmp_path):
    done = run("cases", f"jsonl:{write_cases(tmp_path, 3, tags=['kitchen', 'objects'])}")
    assert done.returncode == 0, done.stderr
    assert "3 asked for by no behavior (tags kitchen, objects)" in done.stdout
    assert "none is left out" in run("cases", f"jsonl:{write_cases(tmp_path, 3)}").stdout


@pytest.mark.parametrize("command", ["cases", "plan"])
def test_files_that_would_bring_more_are_named(tmp_path, command):
    folder = Folder(tmp_path)
    folder.photograph("A red bus.", instances=[("bus", 0, 0, 80, 80)])
    root = folder.write()
    keypoints = (
        "annotations/person_keypoints_val2017.json would bring more: test_mirror_flips_hands (has 0), test_mirror_"
    )
    split = "annotations/*_train2017.json and the photographs in train2017/ would bring more: cases of every kind"
    said = run(command, f"coco:{root}").stdout
    assert (keypoints in said, split in said, "instances_val2017.json would bring more" in said) == (True, True, False)
    folder.annotations("instances").unlink()
    said = run(command, f"coco:{root}:1").stdout
    (line,) = [line for line in said.splitlines() if line.startswith("annotations/instances_val2017.json would bring")]
    assert "test_other_cells_preserve (has 0)" in line
    assert (
        "test_true_color_beats_a_wrong_one" not in line
    )  # it needs no boxes, and has the one image that was asked for


def test_a_folder_with_all_of_coco_misses_nothing(tmp_path):
    for split in ("train2017", "val2017"):
        folder = Folder(tmp_path, split=split)
        folder.person(folder.photograph("A red bus."))
        folder.write()
    assert "would bring more" not in run("cases", f"coco:{tmp_path}").stdout


@pytest.mark.parametrize("copy", [True, False])
def test_cases_that_are_written_are_read_again_as_they_were(tmp_path, copy):
    spec = f"jsonl:{write_cases(tmp_path / 'data', 12)}"
    to = tmp_path / ("elsewhere" if copy else "data") / "written.jsonl"
    assert run("cases", spec, "--to", to, *(["--copy"] if copy else [])).returncode == 0
    before, after = open_source(spec).cases, open_source(f"jsonl:{to}").cases
    fields = ("caption", "target", "bare", "candidates", "tags", "region", "masked")
    assert [[getattr(case, name) for name in fields] for case in after] == [
        [getattr(case, name) for name in fields] for case in before
    ]
    assert [case.image.key for case in after] == [case.image.key for case in before]


def test_cocos_cases_are_written_with_their_photographs(coco_root, tmp_path):
    done = run("cases", f"coco:{coco_root}", "--to", tmp_path / "mine" / "cases.jsonl", "--copy")
    assert done.returncode == 0, done.stderr
    written = {json.loads(line)["id"] for line in (tmp_path / "mine" / "cases.jsonl").read_text().splitlines()}
    assert written == {case.id for case in open_source(f"coco:{coco_root}").cases}
    mine = open_source(f"jsonl:{tmp_path}/mine/cases.jsonl")
    by_id = {case.id: case for case in open_source(f"coco:{coco_root}").cases}
    for case in mine.cases:
        assert (case.region, case.about, case.licence) == (
            by_id[case.id].region,
            by_id[case.id].about,
            by_id[case.id].licence,
        )


def test_photographs_elsewhere_have_to_be_copied_and_nothing_is_overwritten(tmp_path):
    spec = f"jsonl:{write_cases(tmp_path / 'data', 2)}"
    outside = run("cases", spec, "--to", tmp_path / "elsewhere" / "cases.jsonl")
    assert (outside.returncode, "add --copy" in outside.stderr) == (4, True)
    again = run("cases", spec, "--to", tmp_path / "data" / "cases.jsonl")
    assert (again.returncode, "is there already" in again.stderr) == (4, True)


def test_models_lists_families_with_their_scores_and_tests():
    done = run("models")
    assert done.returncode == 0, done.stderr
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}
    assert rows["albef"] == ["masked-lm", "match-head", "-", "76", "ALBEF_4M.pth,", "ALBEF.pth"]
    assert rows["CLIPModel"][:4] == ["-", "contrastive", "-", "46"]
    assert rows["BertForMaskedLM"][:4] == ["masked-lm", "-", "-", "30"]
    assert "test_mirror_flips_hands," in rows["mlm"]
    assert "test_mirror_flips_hands," in rows["itm"]
    assert rows["LxmertForPreTraining"][:4] == ["masked-lm", "match-head", "masked-region", "76"]


def test_models_check_ends_with_0_or_1_and_is_remembered(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("VLCHECK_TEST_DATA", "scenes:8")  # of the double
    kept = run("models", "check", "tiny")
    assert kept.returncode == 0, kept.stdout + kept.stderr
    assert kept.stdout.count("kept") == 27  # five of them of its network
    assert look_up(load_model("tiny").fingerprint) == Tried(tried=True)
    broken = run("models", "check", f"{ROOT}/tests/doubles.py:raises", "--data", "scenes:8")
    assert broken.returncode == 1
    assert look_up("competent-1").broken == ("itm: it answers", "mlm: it answers")
    assert "BROKEN  mlm: it answers: RuntimeError: out of cheese" in broken.stdout
    assert "Traceback" not in broken.stderr


def test_models_check_needs_cases_enough(tmp_path):
    done = run("models", "check", "tiny", "--data", f"jsonl:{write_cases(tmp_path, 3)}")
    assert (done.returncode, "pictures of cases with candidates, and 32 are needed" in done.stderr) == (4, True)


def test_plan_says_what_a_run_takes(coco_root):
    done = run("plan", f"coco:{coco_root}:50")
    assert done.returncode == 0, done.stderr
    assert "test_mirror_flips_hands[mlm]" in done.stdout
    assert "pictures to encode" in done.stdout
    assert "minutes" not in done.stdout


def test_plan_estimates_the_time_of_a_model(tmp_path, monkeypatch):
    spec = f"jsonl:{write_cases(tmp_path / 'data', 4)}"
    monkeypatch.setenv("VLCHECK_TEST_DATA", spec)
    done = run("plan", spec, "--model", f"{ROOT}/tests/doubles.py:competent")
    assert re.search("about .* with Competent", done.stdout), done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("cases", "coco:absent"), "absent"),
        (("cases", "cocoa:x"), "coco"),
        (("cases", "coco:absent", "--copy"), "--to"),
        (("plan", "jsonl:absent.jsonl"), "absent.jsonl"),
        (("plan", "jsonl:absent.jsonl", "--model", "albeff:x"), "absent.jsonl"),
        (("plan", "coco:absent", "--suite", "."), "no test there states a behavior"),
        (("train", "tinny", "--to", "."), "Did you mean 'tiny'"),
    ],
)
def test_what_cannot_be_used_is_named_without_a_traceback(arguments, said, tmp_path):
    done = typed(*arguments, cwd=tmp_path)
    assert done.returncode == 4
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_suite_that_cannot_be_imported_is_named_with_the_reason(tmp_path):
    (tmp_path / "test_mine.py").write_text("import nobody_knows_me\n")
    done = typed("plan", "scenes:5", "--suite", ".", cwd=tmp_path)
    assert done.returncode == 4
    assert "no test there states a behavior" in done.stderr
    assert "test_mine.py: ModuleNotFoundError: No module named 'nobody_knows_me'" in done.stderr


@pytest.mark.parametrize("command", [["report"], ["card"], ["compare", "results.jsonl"]], ids=" ".join)
@pytest.mark.parametrize("path", [".", "..", "/", "", "folder"])
def test_a_folder_is_no_results_file(tmp_path, monkeypatch, command, path):
    monkeypatch.chdir(tmp_path)
    write_results(Path("results.jsonl"), small())
    Path("folder").mkdir()
    done = CliRunner().invoke(app, [*command, path])
    assert (done.exit_code, done.stdout) == (4, "")
    assert done.stderr.startswith(f"Error: {path or '.'}: cannot be read as a results file")


UNREADABLE = "absent.py:model"  # what is said of it, not of the folder, had been begun


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("card", "absent.jsonl"), "card.md"),
        (("report", "results.jsonl"), "page.html"),
        (("look", "photograph.png", "a [red] bus", "--model", UNREADABLE), "look.png"),
        (("policy", "calibrate", "--model", UNREADABLE, "--data", "scenes:5"), "policy.toml"),
        (("zoo", "matrix", "--suite", "absent"), "matrix.json"),
    ],
)
def test_a_folder_that_cannot_be_written_to_is_found_out_before_the_work(tmp_path, monkeypatch, arguments, name):
    monkeypatch.chdir(tmp_path)
    write_results(Path("results.jsonl"), small())
    Image.new("RGB", (8, 8)).save("photograph.png")
    done = CliRunner().invoke(app, [*arguments, "--to", f"/proc/{name}"])  # where root can write no file either
    assert (done.exit_code, done.stderr) == (
        4,
        f"Error: --to /proc/{name}: nothing can be written to the folder /proc (No such file or directory).\n",
    )


def test_drawn_cases_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["cases", "scenes:2", "--to", "cases.jsonl"])
    assert done.exit_code == 4
    assert done.stderr.startswith("Error: --to: case ")
    assert "has no image file, since its picture is drawn, or cut out, when it is asked about; only" in done.stderr


@pytest.mark.parametrize(
    ("parameter", "option"),
    [("to", "--to"), ("variants", "--variant"), ("words", "--words"), ("device", "--vl-device")],
)
def test_a_parameter_is_named_as_the_commands_name_it(parameter, option):
    assert command_option(parameter) == option


def test_words_asks_what_the_words_alone_tell(tmp_path):
    done = typed("words", "tiny", "--to=words.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [line.split()[:4] for line in done.stdout.splitlines()[2:6]] == [
        ["color", "stroop", "0", "74"],
        ["shape", "stroop", "0", "78"],
        ["size", "stroop", "0", "64"],
        ["material", "stroop", "0", "77"],
    ]
    assert "can spell none of the items" in done.stdout
    assert json.loads((tmp_path / "words.json").read_text())["models"][0]["model"] == "tiny"


def test_words_refuses_to_replace_another_file_and_says_which_model_reads_no_text(tmp_path):
    (tmp_path / "words.json").write_text("mine")
    assert typed("words", "tiny", "--to=words.json", cwd=tmp_path).returncode == 4
    done = run("words", vilt_words(tmp_path / "vilt"))
    assert (done.returncode, "reads no text without a picture" in done.stdout) == (1, True)
