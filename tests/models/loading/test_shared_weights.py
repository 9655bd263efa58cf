"""Weights that processes hold once. What it saves is measured by benchmarks/weights.py."""

import multiprocessing
import os
import shutil
import signal
from collections import namedtuple

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from vlcheck.models.loading import shared_weights
from vlcheck.models.loading.checkpoint import as_bytes
from vlcheck.models.loading.foreign_model import ForeignModel
from vlcheck.models.loading.load import load_model
from vlcheck.models.loading.shared_weights import share_weights

PICTURES = [Image.new("RGB", (40, 30), color) for color in ("red", "green")]
TEXTS = ["a red bus", "a green bus"]


class Tied:
    """A model of one's own, two of whose weights are one, and one of which is not in order."""

    name, fingerprint, mask, metrics, kinds = "tied", "tied", "[MASK]", frozenset({"itm"}), {"itm": "match-head"}

    def __init__(self, seed: int = 0) -> None:
        torch.manual_seed(seed)
        self.network = nn.Sequential(nn.Linear(30, 50), nn.Linear(50, 30, dtype=torch.bfloat16), nn.Linear(30, 50))
        self.network[2].weight = self.network[0].weight
        self.network.none = nn.Parameter(torch.zeros(0))
        self.network.turned = nn.Parameter(torch.randn(30, 50).T)

    def encode(self, images):
        return images

    def itm(self, encoded, texts, foils=None):
        return np.full(len(texts), float(self.network[0].weight.detach().sum()))


def files(folder):
    return [path for path in folder.iterdir() if path.suffix != ".lock"]


def scores(model):
    return model.itm(model.encode(PICTURES), TEXTS)


def test_every_process_maps_the_file_that_the_first_one_wrote(tmp_path):
    first, second = Tied(), Tied()
    weight = first.network[0].weight.detach().clone()

    shared = [share_weights(model, tmp_path, fewest=1) for model in (first, second)]

    (path,) = files(tmp_path)
    assert shared == [(50 * 30 + 50) * 4 + (50 * 30 + 30) * 2 + 50 * 4] * 2  # the tied one once, the turned one never
    assert path.stat().st_size >= shared[0]
    assert first.network[2].weight is first.network[0].weight
    assert torch.equal(second.network[0].weight, weight)
    assert scores(first).tolist() == scores(Tied()).tolist()


def test_a_weight_that_differs_stays_its_own(tmp_path):
    share_weights(Tied(), tmp_path, fewest=1)
    other = Tied(seed=1)
    expected = other.network[0].weight.detach().clone()

    share_weights(other, tmp_path, fewest=1)  # the same fingerprint, as of a model that does not tell its weights apart

    assert torch.equal(other.network[0].weight, expected)


def test_what_a_model_writes_into_its_weights_is_its_own(tmp_path):
    first, second = Tied(), Tied()
    for model in (first, second):
        share_weights(model, tmp_path, fewest=1)
    (path,) = files(tmp_path)
    before, content = scores(second), path.read_bytes()

    with torch.no_grad():
        first.network[0].weight.zero_()

    assert scores(first).tolist() == [0, 0]
    assert scores(second).tolist() == before.tolist()
    assert path.read_bytes() == content


def test_a_foreign_model_shares_the_weights_of_the_network_that_its_methods_have(tmp_path):
    assert share_weights(ForeignModel(Tied(), Tied.kinds), tmp_path, fewest=1) > 0


def test_few_weights_are_not_written(tmp_path):
    assert share_weights(Tied(), tmp_path) == 0
    assert files(tmp_path) == []


def test_where_the_disk_has_no_room_each_process_keeps_its_own(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(20_000, 1_000, 19_000))
    model = Tied()

    assert share_weights(model, tmp_path, fewest=1) == 0
    assert files(tmp_path) == []
    assert scores(model).tolist() == scores(Tied()).tolist()


def write_and_die(folder):
    """Begin to write the weights, and end by SIGKILL while the second one is written."""
    weights = iter(range(2))

    def dying(weight):
        if next(weights, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        return as_bytes(weight)

    shared_weights.as_bytes = dying
    share_weights(Tied(), folder, fewest=1)


def test_a_process_that_is_killed_while_it_writes_leaves_the_file_to_another_one(tmp_path):
    writer = multiprocessing.get_context("fork").Process(target=write_and_die, args=(tmp_path,))
    writer.start()
    writer.join()
    (draft,) = files(tmp_path)
    assert (writer.exitcode, draft.suffix) == (-signal.SIGKILL, ".draft")
    model = Tied()

    shared = share_weights(model, tmp_path, fewest=1)

    (path,) = files(tmp_path)
    assert path.suffix != ".draft"
    assert shared > 0
    assert scores(model).tolist() == scores(Tied()).tolist()


@pytest.mark.parametrize("content", [b"", b"cut short", bytes(100_000)], ids=["empty", "short", "other"])
def test_a_file_that_is_not_the_weights_is_not_taken_for_them(tmp_path, content):
    share_weights(Tied(), tmp_path, fewest=1)
    (path,) = files(tmp_path)
    path.write_bytes(content)
    model = Tied()

    share_weights(model, tmp_path, fewest=1)

    assert scores(model).tolist() == scores(Tied()).tolist()


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("spec", ["tiny", "symmetrised:tiny"])
def test_scores_are_the_same_to_the_last_bit(tmp_path, spec, dtype):
    model = load_model(spec, dtype=dtype)
    before = scores(model)

    assert share_weights(model, tmp_path, fewest=1) >= 1_000_000

    assert scores(model).tolist() == before.tolist()
