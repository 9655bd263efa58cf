"""LRP: its rules by hand, and relevance that is conserved on whole networks."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from tests.models.conftest import REFERENCE, reference_weights  # noqa: F401 - a fixture
from tests.models.original.test_albef_network import network_of
from vlcheck import load_model, open_cases
from vlcheck.errors import NotApplicable
from vlcheck.explain.attribution import lrp_rules
from vlcheck.explain.attribution.lrp import Lrp, LrpSize
from vlcheck.explain.attribution.lrp_rules import RelevanceRules
from vlcheck.explain.attribution.objective import objective
from vlcheck.models.differentiable import ImageLayout, PairInputs, differentiable
from vlcheck.models.original.fusion.differentiable import DifferentiableFusion

pytestmark = pytest.mark.slow  # networks are run many times

CONSERVED = 0.01  # the most of a score that may be lost


@pytest.fixture(scope="module")
def tiny():
    return differentiable(load_model("tiny"))


@pytest.fixture(scope="module")
def scenes(tiny):
    cases = [*{case.image: case for case in open_cases("scenes:20").cases}.values()][:20]
    return tiny.inputs([case.image.open() for case in cases], [case.caption for case in cases])


@pytest.fixture(scope="module")
def albef(reference_weights):  # noqa: F811 - the fixture
    """ALBEF with the weights of the references, in float64."""
    network = network_of(reference_weights, torch.float64).requires_grad_(requires_grad=False)
    return DifferentiableFusion(SimpleNamespace(network=network, name="albef", tokenizer=SimpleNamespace(pad=0)))


@pytest.fixture(scope="module")
def originals(albef):
    """The inputs of the references: two pairs, the first with padding."""
    arrays = np.load(REFERENCE / "inputs.npz")
    ids, attention = torch.tensor(arrays["ids"]), torch.tensor(arrays["att"])
    return PairInputs(
        pixels=torch.tensor(arrays["image"], dtype=torch.float64),
        ids=ids,
        attention=attention,
        special=attention == 0,
        tokens=tuple(("token",) * int(n) for n in attention.sum(1)),
        layouts=(ImageLayout.of_grid(albef.network.grid, albef.network.grid),) * len(ids),
        masks=torch.zeros_like(ids).bool(),
        pieces=((),) * len(ids),
    )


def relevance(function, *inputs, epsilon=0.0):
    """Return the outputs of a function, the relevance of each input, and that of all terms that depend on none.

    Relevance is that of the sum of the outputs.
    """
    inputs = [tensor.detach().clone().requires_grad_() for tensor in inputs]
    sinks = torch.ones((), dtype=torch.float64, requires_grad=True)
    with RelevanceRules(sinks, epsilon):
        outputs = function(*inputs)
    *slopes, absorbed = torch.autograd.grad(outputs.sum(), [*inputs, sinks], materialize_grads=True)
    shares = [(tensor * slope).detach() for tensor, slope in zip(inputs, slopes, strict=True)]
    return outputs.detach(), shares, absorbed


def test_the_epsilon_rule_is_that_of_the_paper():
    """Equations 56 to 59 of Bach et al., neuron by neuron: a network of two layers with biases and a ReLU."""
    torch.manual_seed(0)
    first, second = nn.Linear(4, 5).double().requires_grad_(False), nn.Linear(5, 1).double().requires_grad_(False)
    x, epsilon = torch.randn(4).double(), 0.1
    _, (found,), _ = relevance(lambda x: second(functional.relu(first(x))), x, epsilon=epsilon)

    def passed_back(layer, values, relevances):
        output = layer(values)
        stabilised = output + epsilon * output.sign()
        return torch.stack(
            [
                sum(values[i] * layer.weight[j, i] / stabilised[j] * relevances[j] for j in range(len(output)))
                for i in range(len(values))
            ]
        )

    hidden = functional.relu(first(x))
    expected = passed_back(first, x, passed_back(second, hidden, second(hidden)))
    assert found.numpy() == pytest.approx(expected.numpy(), rel=1e-12)
    assert float(expected.abs().sum()) > 0.05


def test_biases_absorb_their_share():
    """Without epsilon the output is the relevance of the inputs and of the biases, each computed by hand."""
    torch.manual_seed(1)
    first, second = nn.Linear(4, 5).double().requires_grad_(False), nn.Linear(5, 1).double().requires_grad_(False)
    x = torch.randn(4).double()
    output, (at_x,), absorbed = relevance(lambda x: second(functional.relu(first(x))), x)
    active = (first(x) > 0).double()
    by_hand = second.bias + (second.weight * active) @ first.bias
    assert float(absorbed) == pytest.approx(float(by_hand), rel=1e-12)
    assert float(at_x.sum() + absorbed) == pytest.approx(float(output), rel=1e-12)


WIDE = torch.randn(2, 3, 8, generator=torch.Generator().manual_seed(0)).double()
WEIGHT, BIAS = WIDE[0, :, :8], WIDE[1, :, 0]
torch.manual_seed(0)
ATTENTION = nn.MultiheadAttention(8, 2, batch_first=True).double().requires_grad_(False)
ATTENTION.in_proj_bias.normal_()
CONSERVING = {
    "linear": lambda x: functional.linear(x, WEIGHT, BIAS),
    "conv2d": lambda x: functional.conv2d(x[:, None], WEIGHT[:, None, :2, None], BIAS),
    "layer norm": lambda x: functional.layer_norm(x, (8,), WEIGHT[0], WEIGHT[1], 1e-6),
    "gelu": functional.gelu,
    "tanh": torch.tanh,
    "quick gelu": lambda x: x * torch.sigmoid(1.702 * x),
    "gated product": lambda x: functional.silu(x) * (x + 1),
    "batch norm": lambda x: functional.batch_norm(x, BIAS, BIAS.abs(), WEIGHT[:, 0], WEIGHT[:, 1]),
    "multi-head attention": lambda x: ATTENTION(x, x, x)[0],
    "log-sum-exp": lambda x: x.logsumexp(-1),
    "eager attention": lambda x: torch.softmax(x @ x.transpose(1, 2), -1) @ x,
    "attention": lambda x: functional.scaled_dot_product_attention(x, x, x),
    "unit length": lambda x: functional.normalize(x, dim=-1) + x / x.norm(dim=-1, keepdim=True),
    "log-softmax": lambda x: x.log_softmax(-1),
    "position and CLS token": lambda x: torch.cat([WEIGHT[:1].expand(2, 1, 8), x + WEIGHT, 1 - 3 * x], 1),
    "rows in place of others": lambda x: WIDE.index_copy(1, torch.tensor([1]), x[:, :1]),
    "root mean square norm": lambda x: x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * WEIGHT,
}


@pytest.mark.parametrize("name", CONSERVING)
def test_a_rule_keeps_the_value_and_the_sum(name):
    function = CONSERVING[name]
    outputs, (at_x,), absorbed = relevance(function, WIDE)
    assert outputs.numpy() == pytest.approx(function(WIDE).numpy(), rel=1e-12)
    assert float(at_x.sum() + absorbed) == pytest.approx(float(outputs.sum()), rel=1e-9)
    assert float(at_x.abs().max()) > 0.01


def test_an_operation_without_a_rule_is_named():
    with pytest.raises(NotApplicable, match="no rule for erf"):
        relevance(torch.erf, WIDE)
    with pytest.raises(NotApplicable, match="no rule for mul of two tensors"):
        relevance(lambda x: x * (x + 1), WIDE)


def test_relevance_is_conserved_on_albef(albef, originals):
    maps = Lrp().maps(albef, originals)
    assert float(maps.error.max()) < CONSERVED
    assert maps.units.shape == (2, 16)
    assert maps.pixels.sum((1, 2)).numpy() == pytest.approx(maps.units.sum(1).numpy(), rel=1e-9)
    assert not maps.tokens[originals.attention == 0].any()


def test_relevance_is_conserved_on_drawn_scenes(tiny, scenes):
    assert len(scenes) == 20
    maps = Lrp().maps(tiny, scenes)
    assert float(maps.error.max()) < CONSERVED


def test_relevance_of_a_word_is_conserved(tiny):
    cases = open_cases("scenes:8").cases[:8]
    images, texts, words = zip(*((case.image.open(), case.masked, case.target) for case in cases), strict=True)
    inputs = tiny.inputs(images, texts, words)
    assert float(Lrp().maps(tiny, inputs).error.max()) < CONSERVED


def test_the_size_of_relevance_has_no_sign(albef, originals):
    signed, size = Lrp().maps(albef, originals), LrpSize().maps(albef, originals)
    assert float(signed.units.min()) < 0 < float(signed.units.max())
    assert torch.equal(size.units, signed.units.abs())
    assert torch.equal(size.tokens, signed.tokens.abs())


def test_the_explained_score_is_the_networks_own(albef, originals):
    (found,) = Lrp().divided(albef, originals)
    assert found.scores.numpy() == pytest.approx(objective(albef, originals).numpy(), rel=1e-9)


@pytest.mark.parametrize("name", ["layer_norm", "gelu", "scaled_dot_product_attention"])
def test_the_error_shows_a_rule_that_is_missing(name, albef, originals, monkeypatch):
    """The three sums are computed on their own, so that the plain gradient in place of a rule breaks their total."""
    monkeypatch.setattr(lrp_rules, "RULES", {**lrp_rules.RULES, name: lrp_rules._linear})
    assert float(Lrp().maps(albef, originals).error.min()) > CONSERVED


def test_a_large_epsilon_loses_relevance(albef, originals):
    assert float(Lrp(epsilon=0.1).maps(albef, originals).error.min()) > CONSERVED


def test_weights_that_require_gradients_change_nothing(albef, originals):
    frozen = Lrp().maps(albef, originals)
    try:
        albef.network.requires_grad_()
        free = Lrp().maps(albef, originals)
    finally:
        albef.network.requires_grad_(requires_grad=False)
    assert torch.equal(free.units, frozen.units)
    assert torch.equal(free.error, frozen.error)


def test_a_pair_has_the_same_maps_in_any_batch(albef, originals):
    together, alone = Lrp().maps(albef, originals), Lrp().maps(albef, originals[[1]])
    assert together.units[1].numpy() == pytest.approx(alone.units[0].numpy(), rel=1e-9)
    assert together.tokens[1].numpy() == pytest.approx(alone.tokens[0].numpy(), rel=1e-9)
