"""`vlcheck compare`, as typed, and on the embedded models, whose biases are known."""

import json
import re
import subprocess

import pytest

from tests.cli.test_cli import run, typed
from tests.plugin.conftest import ROOT
from tests.results.test_comparison import BAD, GOOD, results, rows, verdict
from tests.warm_python import warm_python
from vlcheck.results.comparison import compare_runs
from vlcheck.results.file import read, write_results
from vlcheck.studies.power import BIASES
from vlcheck.zoo import PLANTED


@pytest.fixture
def good(tmp_path):
    path = tmp_path / "good.jsonl"
    write_results(path, results((verdict(), rows(GOOD)), name="one"))
    return path


@pytest.fixture
def bad(tmp_path):
    path = tmp_path / "bad.jsonl"
    write_results(path, results((verdict(), rows(BAD)), name="two", fingerprint="g"))
    return path


@pytest.mark.slow
def test_worse_ends_with_1_and_better_and_same_with_0(good, bad):
    worse, better, same = typed("compare", good, bad), run("compare", bad, good), run("compare", bad, bad)
    assert [done.returncode for done in (worse, better, same)] == [1, 0, 0]
    assert worse.stdout.startswith("two on scenes (today) against one on scenes (today)\n")
    assert worse.stdout.endswith("worse: color (1 test); better: none; 0 same, 0 not comparable\n")
    assert better.stdout.endswith("worse: none; better: color (1 test); 0 same, 0 not comparable\n")
    assert same.stdout.endswith("worse: none; better: none; 1 same, 0 not comparable\n")


def test_alpha_says_how_sure_a_change_has_to_be(good, bad):
    assert run("compare", good, bad, "--alpha=1e-9").returncode == 0
    done = run("compare", good, bad, "--alpha=5")
    assert (done.returncode, done.stderr) == (4, "Error: --alpha 5: has to be above 0 and below 1.\n")


def test_where_nothing_can_be_compared_it_ends_with_1(good, tmp_path):
    write_results(tmp_path / "other.jsonl", results((verdict("test_b"), rows(GOOD))))
    done = run("compare", good, tmp_path / "other.jsonl")
    assert done.returncode == 1
    assert "1 not comparable, asked in the new run only: test_b (mlm)" in done.stdout
    assert done.stdout.endswith("nothing can be compared: nothing green comes out of nothing\n")


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read as a results file"),
        (b"", "holds no run"),
        (b"\xff\xfe", "cannot be read as a results file"),
        (b"{", ":1: not JSON"),
        (b'{"kind": "run", "schema": 2}', ":1: schema 2; this vlcheck reads schema 1"),
    ],
)
def test_a_file_that_holds_no_results_is_named(good, tmp_path, content, said, place):
    spoilt = tmp_path / "spoilt.jsonl"
    if content is not None:
        spoilt.write_bytes(content)
    files = [good, good]
    files[place] = spoilt
    done = run("compare", *files)
    assert done.returncode == 4
    assert done.stderr.startswith(f"Error: {spoilt}")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_verdict_that_lacks_a_key_is_named_by_its_line(good):
    *before, last = good.read_text().splitlines()
    line = json.loads(last)
    del line["score_kind"]
    good.write_text("\n".join([*before, json.dumps(line)]))
    done = run("compare", good, good)
    assert done.returncode == 4
    assert f"{good}:{len(before) + 1}: verdict line without 'score_kind', which has to be text" in done.stderr


def asked(model, folder):
    """The results of the suite on a model of the zoo."""
    path = folder / f"{model}.jsonl"
    options = [f"--vl-model={model}", "--vl-data=scenes:40", "--vl-no-images", f"--vl-results={path}"]
    command = [warm_python().command, "-m", "pytest", "behavior_tests", *options, "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert path.exists(), done.stdout + done.stderr
    return path


@pytest.mark.slow
def test_a_bias_that_a_release_brought_is_worse_and_nothing_else_is(tmp_path):
    clean, mirrored = asked("tiny", tmp_path), asked("tiny-mirror", tmp_path)
    done = run("compare", clean, mirrored)
    assert done.returncode == 1, done.stderr
    (worse,) = re.findall(r"^worse: (.*?); better: none; ", done.stdout, re.MULTILINE)
    assert {bias for bias in BIASES if bias in worse} == PLANTED["tiny-mirror"]
    found = compare_runs(read(clean), read(mirrored))
    assert {row.bias for row in found.which("worse")} == PLANTED["tiny-mirror"]
    assert {"test_mirror_swaps_sides", "test_mirror_flips_hands"} <= {row.behavior for row in found.which("worse")}
    assert run("compare", mirrored, mirrored).returncode == 0
