"""The same command says the same: neither batches nor workers nor order change a verdict."""

import os
import subprocess
import sys

import pytest

from tests.plugin.conftest import ROOT
from vlcheck.report.results import read

CLOSE = 1e-5
HOW = {
    "one by one": ["--vl-batch-size=1"],
    "two workers, in reverse": ["-n", "2", "-p", "tests.plugin.reversing", "--vl-batch-size=64"],
}


def run(folder, name, model, data, *arguments):
    path = folder / f"{name}.jsonl"
    command = [sys.executable, "-m", "pytest", "behavior_tests", "-q", "-p", "no:cacheprovider", f"--vl-results={path}"]
    command += [f"--vl-model={model}", f"--vl-data={data}", "--vl-no-images", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout[-2000:]
    return read(path)


def scores(results):
    """Every score of every row, by verdict, case, perturbation and view."""
    found = {}
    for key in results.verdicts:
        for row in results.rows(key):
            for at, view in enumerate(row["scores"]):
                found |= {(*key, row["case"], row["perturbation"], at, word): score for word, score in view.items()}
    return found


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("data", ["zoo", "coco"])
def test_no_score_moves_and_no_verdict_changes(tmp_path_factory, data, how, request):
    model, spec = ("tiny-mirror", "scenes:40") if data == "zoo" else ("tiny", f"coco:{coco(request)}:40")
    usual = once(tmp_path_factory, data, model, spec)
    other = run(tmp_path_factory.mktemp("other"), "other", model, spec, *HOW[how])
    statuses = [{key: verdict["status"] for key, verdict in one.verdicts.items()} for one in (usual, other)]
    assert statuses[0] == statuses[1]
    assert len(set(statuses[0].values())) > 2  # what could change is there
    before, after = scores(usual), scores(other)
    assert before.keys() == after.keys()
    assert len(before) > 2000
    assert max(abs(before[key] - after[key]) for key in before) <= CLOSE


def coco(request):
    return request.getfixturevalue("coco_root")


_ONCE = {}


def once(factory, data, model, spec):
    """The run as it is by default, once for all comparisons."""
    if data not in _ONCE:
        _ONCE[data] = run(factory.mktemp(data), "usual", model, spec)
    return _ONCE[data]
