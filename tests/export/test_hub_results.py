"""The hub's evaluation results: read by the hub's own library, and refused for what is no benchmark's score."""

import pytest
import yaml
from huggingface_hub import parse_eval_result_entries

from tests.cli.test_cli import run
from tests.report import pages
from vlcheck.results.file import write_results

HUB = ("--benchmark=org/bench", "--task-id=default")
FOILS = "hf:org/bench@test:50:0"


def lead(behavior="test_caption_beats_foil", **changes):
    told = {"claim": "lead", "bias": "grounding", "rate": 0.125, "rate_low": 0.05, "rate_high": 0.25, "n": 40}
    return pages.verdict(behavior, "itm", "pass", **told | changes)


@pytest.fixture
def exported(tmp_path):
    """Export some verdicts; returns what the command said, and its file if there is one."""

    def call(*verdicts, options=HUB, data=FOILS, to=".eval_results/vlcheck.yaml", **of_run):
        path = tmp_path / "results.jsonl"
        write_results(path, pages.results(*((one, []) for one in verdicts), run={"data": data, **of_run}))
        done = run("export", "hub", path, *options, f"--to={tmp_path / to}")
        return done, tmp_path / to

    return call


def test_the_hubs_library_reads_the_score_the_date_and_the_source(exported):
    done, path = exported(lead(), options=(*HUB, "--page=https://ci.example.org/report.html"))
    assert done.returncode == 0, done.stderr
    (entry,) = parse_eval_result_entries(yaml.safe_load(path.read_text()))
    assert (entry.dataset_id, entry.task_id, entry.value) == ("org/bench", "default", 0.875)
    assert (entry.date, entry.source_url) == ("2026-01-02", "https://ci.example.org/report.html")
    assert entry.notes == (
        "vlcheck 0.1.0: share of 40 images for which test_caption_beats_foil holds by itm (0.750 to 0.950)"
    )
    assert entry.verify_token is None
    assert done.stdout.splitlines()[1:] == [
        "not checked: that the hub lists org/bench as a benchmark, and that its eval.yaml has the task default."
    ]


def test_of_several_verdicts_one_is_named(exported):
    two = (lead(), pages.verdict("test_grey", rate=0.5))
    done, path = exported(*two)
    assert (done.returncode, path.exists()) == (4, False)
    several = "a task has one score, and there are several: test_caption_beats_foil (itm), test_grey (mlm)."
    assert several in done.stderr
    done, path = exported(*two, options=(*HUB, "--test=grey"))
    assert yaml.safe_load(path.read_text())[0]["value"] == 0.5
    done, _ = exported(*two, options=(*HUB, "--test=gray"), to="other.yaml")
    assert "--test gray: there is no such test. Did you mean 'test_grey'?" in done.stderr
    done, _ = exported(*two, options=(*HUB, "--test=grey", "--metric=itm"), to="other.yaml")
    assert "--metric itm:" in done.stderr


def test_data_of_ones_own_is_not_checked_and_that_is_said(exported):
    done, _ = exported(lead(), data="jsonl:/data/mine.jsonl")
    assert done.stdout.splitlines()[-1] == "not checked: that mine.jsonl, which the run asked about, is that data set."


@pytest.mark.parametrize(
    ("options", "of_run", "said"),
    [
        ((), {}, "--benchmark: is missing. The hub shows evaluation results of data sets alone that it lists as bench"),
        (("--benchmark=bench", "--task-id=x"), {}, "--benchmark bench: is no id of a data set; ORG/NAME is"),
        (("--benchmark=org/bench",), {}, "--task-id: is missing. Name a task that the eval.yaml of org/bench defines"),
        (("--benchmark=org/bench", "--task-id=a b"), {}, "--task-id a b: is no id of a task"),
        (("--benchmark=org/other", "--task-id=x"), {}, "--benchmark org/other: the run asked about org/bench."),
        (HUB, {"data": "scenes:9"}, "the run asked about scenes, which vlcheck draws: no benchmark."),
        (HUB, {"sequential": True}, "a sequential run stops when a verdict is decided: its rates are no scores."),
        ((*HUB, "--page=javascript:x"), {}, "--page javascript:x: is no address to link to"),
    ],
)
def test_what_is_no_benchmark_is_refused_with_the_reason(exported, options, of_run, said):
    done, path = exported(lead(), options=options, **of_run)
    assert (done.returncode, said in done.stderr, path.exists()) == (4, True, False), done.stderr


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (pages.invalid(), "is invalid (the model knows only 0 of 2 cases); a score needs a verdict that counts"),
        (pages.unasked(), "is not asked (3 images; a pass needs 29)"),
        (pages.mean(), "is about a mean, which has to lie in a band; a score is a share of images"),
    ],
)
def test_a_verdict_without_a_score_is_refused(exported, verdict, said):
    done, path = exported(verdict)
    assert (done.returncode, said in done.stderr, path.exists()) == (4, True, False), done.stderr


def test_a_file_that_is_there_or_is_no_yaml_is_refused(exported):
    assert exported(lead())[0].returncode == 0
    assert "is there already" in exported(lead())[0].stderr
    assert "the hub reads files that end in .yaml" in exported(lead(), to="score.json")[0].stderr


def test_hostile_names_stay_texts(exported):
    name = "x: y\n- dataset: {id: evil/evil}\n# \u202e\x1b\"'"
    _, path = exported(lead(behavior=name, test=name), started="no time")
    (entry,) = yaml.safe_load(path.read_text())
    assert entry.keys() == {"dataset", "value", "notes"}
    assert "x: y\\n- dataset: {id: evil/evil}\\n# \\u202e\\x1b" in entry["notes"]
