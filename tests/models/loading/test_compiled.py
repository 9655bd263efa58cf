"""Compiled layers, with the compiler that PyTorch takes by default; it needs g++ on a CPU."""

import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from vlcheck.errors import UsageError
from vlcheck.models.loading.compiled import compile_layers
from vlcheck.models.loading.load import load_model
from vlcheck.models.setup import setup_of

PICTURES = [Image.new("RGB", (40, 30), color) for color in ("red", "green", "blue", "gray")]
TEXTS = ["a red bus", "a green bus on the street", "a bus", "a"]


class Layers:
    """A model of one's own with two layers."""

    name, mask, metrics, kinds = "layers", "[MASK]", frozenset({"itm"}), {"itm": "match-head"}

    def __init__(self, layer: nn.Module | None) -> None:
        self.fingerprint = "layers"
        if layer is not None:
            self.network = nn.ModuleList([nn.ModuleList([layer, layer])])

    def encode(self, images):
        return np.array([0.5] * len(images))

    def itm(self, encoded, texts, foils=None):
        states = torch.full((len(texts), 4), 0.5)
        for layer in self.network[0]:
            states = layer(states)
        return states.mean(1).detach().numpy()


def test_a_model_without_repeated_layers_is_refused():
    with pytest.raises(UsageError, match="compile: layers has no layers of PyTorch that are repeated"):
        compile_layers(Layers(None))


@pytest.mark.slow
def test_without_a_compiler_it_is_said_before_anything_is_scored(tmp_path):
    from torch._inductor import config  # takes a second

    refused = pytest.raises(UsageError, match=r"compile: layers cannot be compiled\. .*(C\+\+|compiler).* Leave it out")
    with config.patch({"cpp.cxx": (str(tmp_path / "g++"),)}), refused:
        compile_layers(Layers(nn.Linear(4, 4)))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")
def test_compiled_scores_are_those_of_the_layers_within_rounding_and_the_fingerprint_says_so():
    model = load_model("tiny")
    before, plain, said = model.itm(model.encode(PICTURES), TEXTS), model.fingerprint, setup_of(model).compiled

    compile_layers(model)

    encoded = model.encode(PICTURES)
    assert model.itm(encoded, TEXTS) == pytest.approx(before, abs=1e-5)
    assert model.itm(encoded[[2]], TEXTS[2:3]) == pytest.approx(before[2:3], abs=1e-5)
    assert model.fingerprint != plain
    assert (said, setup_of(model).compiled) == ("", "layers, by torch.compile")
