"""Guided backpropagation: the paper's on ReLU, its extension on GELU and others."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional
from transformers import activations

from tests.explain.attribution.conftest import TEXTS
from vlcheck.errors import NotApplicable
from vlcheck.explain.attribution.guided import GuidedBackpropagation, positive_gradients
from vlcheck.explain.attribution.saliency import Saliency
from vlcheck.models.original.albef import vit

pytestmark = pytest.mark.slow  # networks are run many times

RECTIFIERS = [
    nn.GELU(),
    nn.GELU("tanh"),
    nn.ReLU(),
    nn.ReLU(inplace=True),
    nn.SiLU(),
    activations.GELUActivation(),
    pytest.param(activations.GELUActivation(use_gelu_python=True), id="python"),
    activations.GELUTanh(),
    activations.NewGELUActivation(),
    activations.FastGELUActivation(),
    activations.QuickGELUActivation(),
    activations.AccurateGELUActivation(),
]


def slopes(layer: nn.Module, coming: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The gradient at a layer's input, plain and guided, where `coming` is the gradient at its output."""
    start = torch.tensor([-2.0, -0.5, 0.5, 2.0], requires_grad=True)
    (plain,) = torch.autograd.grad(layer(start * 1), start, coming)
    with positive_gradients(layer):
        (guided,) = torch.autograd.grad(layer(start * 1), start, coming)
    return plain, guided


@pytest.mark.parametrize("layer", RECTIFIERS, ids=lambda layer: repr(layer))
def test_a_rectifier_passes_positive_gradients_alone(layer):
    coming = torch.tensor([1.0, -1.0, -1.0, 1.0])
    plain, guided = slopes(layer, coming)
    torch.testing.assert_close(guided, plain * (coming > 0))
    assert plain[2] != 0


@pytest.mark.parametrize("layer", [nn.Tanh(), nn.Sigmoid(), nn.Softmax(-1), nn.LayerNorm(4)], ids=repr)
def test_other_functions_pass_gradients_as_they_are(layer):
    plain, guided = slopes(layer, torch.tensor([1.0, -1.0, -1.0, 1.0]))
    torch.testing.assert_close(guided, plain)


def test_on_relu_it_is_captums():
    captum = pytest.importorskip("captum.attr")
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1))
    start = torch.randn(5, 6, requires_grad=True)
    with positive_gradients(network) as rectified:
        (guided,) = torch.autograd.grad(network(start).sum(), start)
    with pytest.warns(UserWarning, match="hooks"):
        theirs = captum.GuidedBackprop(network).attribute(start)
    torch.testing.assert_close(guided, theirs)
    assert len(rectified) == 2


def test_on_gelu_it_is_not_the_plain_gradient(tiny, pictures):
    inputs = tiny.inputs(pictures, TEXTS)
    plain = Saliency().maps(tiny, inputs).units
    guided = GuidedBackpropagation().maps(tiny, inputs).units
    assert (guided - plain).abs().sum() / plain.sum() > 0.2


def test_a_network_without_rectifiers_is_refused(tiny, pictures, monkeypatch):
    monkeypatch.setattr(functional, "gelu", torch.tanh)
    monkeypatch.setattr(vit, "gelu", torch.tanh)
    for module in tiny.network.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.GELU | activations.GELUActivation) or name == "intermediate_act_fn":
                monkeypatch.setitem(module._modules, name, nn.Tanh())
    with pytest.raises(NotApplicable, match="guided backpropagation needs GELU, SiLU or ReLU, and tiny uses none"):
        GuidedBackpropagation().maps(tiny, tiny.inputs(pictures, TEXTS))
