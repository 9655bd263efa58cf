"""`vlcheck audit`, as typed."""

import gzip
import json

import pytest
from typer.testing import CliRunner

from tests.audit.documents import fails_position
from tests.documents import TEXTS, fenced
from tests.report.pages import results
from vlcheck.cli import app
from vlcheck.results.file import write_results

SIDED = [{"caption": f"{number} dogs to the left of a cat", "image": f"{number}.jpg"} for number in range(40)]


def run(*arguments):
    """Run a command in this process: each import of the checks takes a second."""
    done = CliRunner().invoke(app, [*map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    return done


@pytest.fixture
def captions(tmp_path):
    """A corpus whose captions name sides, all of them "left"; a mirror makes each of them false."""
    path = tmp_path / "captions.jsonl"
    path.write_text("\n".join(map(json.dumps, SIDED)), encoding="utf-8")
    return path


@pytest.fixture
def run_of(tmp_path):
    path = tmp_path / "r.jsonl"
    write_results(path, fails_position())
    return path


def test_it_counts_and_writes_the_page_and_the_json(captions, run_of, tmp_path):
    page, found = tmp_path / "audit.html", tmp_path / "audit.json"
    for _ in range(2):  # both replace their own kind
        done = run("audit", captions, "--augment", "flip", "--results", run_of, "--to", page, "--json", found)
        assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith(f"{captions}: 40 captions; the recipe has flip\n")
    assert "  position    fail: a cause is found, and the model fails" in done.stdout
    assert done.stdout.endswith(f"report: {page}\nfindings: {found}\n")
    told = json.loads(found.read_text(encoding="utf-8"))
    assert (told["captions"], told["augment"]) == (40, ["flip"])
    causes = {one["check"]: one["cause"] for one in told["findings"] if one["cause"]}
    assert {"flips", "sides-skewed"} <= causes.keys()
    assert [one["status"] for one in told["runs"][0]["biases"] if one["bias"] == "position"] == ["fail"]
    assert "a cause is found, and the model fails" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--augment", "flip"], 0, ""),
        (["--augment", "flip", "--fail-on", "position"], 1, "--fail-on: position: "),
        (["--augment", "flip", "--fail-on", "any"], 1, "--fail-on: position: "),
        (["--fail-on", "place"], 1, "--fail-on: place: no cause was looked for"),
    ],
)
def test_a_step_in_ci_names_the_biases_whose_causes_it_refuses(captions, arguments, status, said):
    done = run("audit", captions, *arguments)
    assert done.exit_code == status, done.stdout + done.stderr
    assert said in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["absent.jsonl"], "absent.jsonl: "),
        (["empty.jsonl"], "empty.jsonl: has no caption"),
        (["captions.jsonl", "--augment", "flop"], "--augment flop: no such augmentation. Did you mean 'flip'?"),
        (["captions.jsonl", "--augment", "flip,"], "--augment : no such augmentation."),
        (["captions.jsonl", "--fail-on", "postion"], "--fail-on postion: 'postion' is no bias. Did you mean"),
        (["captions.jsonl", "--fail-on", ""], "--fail-on : '' is no bias. Known: any, "),
        (["captions.jsonl", "--columns", "text=x"], "--columns text=x: 'text' is no field"),
        (["captions.jsonl", "--columns", "caption=x"], "captions.jsonl"),
        (["captions.jsonl", "--results", "absent.jsonl"], "--results absent.jsonl: cannot be read as a results file"),
        (["captions.jsonl", "--results", "captions.jsonl"], "--results captions.jsonl:1: no line of a results file"),
        (["captions.jsonl", "--results", "none.jsonl"], "--results none.jsonl: holds no verdict"),
        (["captions.jsonl", "--to", "captions.jsonl"], "--to captions.jsonl: is there and is no page of an audit"),
        (["captions.jsonl", "--json", "captions.jsonl"], "--json captions.jsonl: is there and is no file of an audit"),
        (["captions.jsonl", "--to", "x", "--json", "x"], "--to x: is what --json names as well"),
        (
            ["captions.jsonl", "--results", "r.jsonl", "--to", "r.jsonl"],
            "--to r.jsonl: is what --results r.jsonl names",
        ),
        (["captions.jsonl", "--model", "tinny"], "--vl-model 'tinny': no such model"),
        (["captions.jsonl", "--lexicons", "absent"], "--vl-lexicons absent"),
    ],
)
def test_what_cannot_be_used_is_named_and_ends_with_4(captions, run_of, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.jsonl").write_text("")
    write_results(tmp_path / "none.jsonl", results())
    before = captions.read_bytes()
    done = run("audit", *arguments)
    assert done.exit_code == 4, done.stdout + done.stderr
    assert done.stderr.startswith(f"Error: {said}"), done.stderr
    assert captions.read_bytes() == before
    assert not (tmp_path / "x").exists()


def test_captions_of_10_mb_and_no_captions_are_counted_by_reason(tmp_path):
    rows = [{"caption": "x" * 10_000_000}, {"caption": None}, {"caption": "  "}, *SIDED]
    path = tmp_path / "captions.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    done = run("audit", path, "--to", tmp_path / "audit.html")
    assert done.exit_code == 0, done.stderr
    assert ": 40 captions" in done.stdout.splitlines()[0]
    assert "  left out: 1 row: the caption has more than 100000 characters" in done.stdout
    assert "  left out: 1 row: the caption is missing" in done.stdout
    assert (tmp_path / "audit.html").stat().st_size < 200_000


def test_a_file_that_ends_too_early_is_counted_as_far_as_it_goes_and_ends_with_1(tmp_path):
    lines = (json.dumps({"caption": f"{number} dogs and {number**9} cats"}) for number in range(5_000))
    whole = gzip.compress("\n".join(lines).encode())
    path, page, found = (tmp_path / name for name in ("captions.jsonl.gz", "audit.html", "audit.json"))
    path.write_bytes(whole[: len(whole) // 2])
    done = run("audit", path, "--to", page, "--json", found)
    assert done.exit_code == 1, done.output
    assert "The corpus was not read to its end: " in done.stdout
    assert "The corpus was not read to its end: " in page.read_text(encoding="utf-8")
    told = json.loads(found.read_text(encoding="utf-8"))
    assert 0 < told["captions"] < 5_000
    assert len(told["unfinished"]) == 1


def test_the_page_shows_what_is_said_of_cocos_captions(captions_path, monkeypatch):
    monkeypatch.chdir(captions_path.parent)
    printed = run("audit", captions_path.name, "--augment", "flip,colorjitter").stdout.splitlines()
    (shown,) = fenced("text", TEXTS["docs/howto/audit.md"])
    assert [line for line in shown.splitlines() if line != "..." and line not in printed] == []
