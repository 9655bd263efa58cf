"""The same command says the same: neither batches nor workers nor order change a verdict."""

import os
import subprocess
from functools import cache

import pytest

from tests.plugin.conftest import ROOT
from tests.tiers import NIGHTLY
from tests.warm_python import warm_python
from vlcheck.results.file import read

pytestmark = pytest.mark.slow

CLOSE = 1e-5
SCENES = 100 if NIGHTLY else 30
HOW = {
    "one by one": ["--vl-batch-size=1"],
    "two workers, in reverse": ["-n", "2", "-p", "tests.plugin.reversing", "--vl-batch-size=64"],
}


def run(folder, name, model, data, *arguments):
    path = folder / f"{name}.jsonl"
    command = [
        warm_python().command,
        "-m",
        "pytest",
        "behavior_tests",
        "-q",
        "-p",
        "no:cacheprovider",
        "--vl-no-images",
    ]
    command += [f"--vl-results={path}", f"--vl-model={model}", f"--vl-data={data}", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout[-2000:]
    return read(path)


def scores(results):
    """Every score of every row, by verdict, case, perturbation and view."""
    found = {}
    for key in results.verdicts:
        for row in results.rows(key):
            for at, view in enumerate(row.scores):
                found |= {(*key, row.case, row.perturbation, at, word): score for word, score in view.items()}
    return found


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    """A run as it is by default, once for all comparisons."""
    return cache(lambda model, data: run(tmp_path_factory.mktemp("usual"), "usual", model, data))


@pytest.mark.parametrize("how", HOW)
def test_no_score_of_a_scene_moves_and_no_verdict_changes(tmp_path, usual, how):
    said = "tiny-mirror", f"scenes:{SCENES}"
    says_the_same(usual(*said), run(tmp_path, "other", *said, *HOW[how]))


@pytest.mark.nightly
@pytest.mark.parametrize("how", HOW)
def test_no_score_of_a_photograph_moves_and_no_verdict_changes(tmp_path, usual, how, photographs_root):
    said = "tiny", f"coco:{photographs_root}:40"
    says_the_same(usual(*said), run(tmp_path, "other", *said, *HOW[how]))


def says_the_same(usual, other):
    statuses = [{key: verdict.status for key, verdict in one.verdicts.items()} for one in (usual, other)]
    assert statuses[0] == statuses[1]
    assert len(set(statuses[0].values())) > 2  # what could change is there
    before, after = scores(usual), scores(other)
    assert before.keys() == after.keys()
    assert len(before) > 2000
    assert max(abs(before[key] - after[key]) for key in before) <= CLOSE
