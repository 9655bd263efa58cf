"""The randomisation check: it passes maps that depend on the weights, and catches those that do not."""

import numpy as np
import pytest
import torch
from torch.nn.functional import adaptive_avg_pool2d, conv2d

from vlcheck import load_model, open_cases
from vlcheck.errors import NotApplicable
from vlcheck.explain.attribution.lrp import Lrp
from vlcheck.explain.attribution.method import AttributionMethod, Maps
from vlcheck.explain.attribution.random_map import Random
from vlcheck.explain.bench.randomisation import _rank_correlation, randomisation
from vlcheck.models.differentiable import differentiable

pytestmark = pytest.mark.slow  # networks are run many times


class Edges(AttributionMethod):
    """An edge detector: it looks like an explanation, and does not ask the network."""

    name = "edges"

    def maps(self, model, inputs):
        grey = inputs.pixels.mean(1, keepdim=True)
        laplace = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]], dtype=grey.dtype)[None, None]
        edges = conv2d(grey, laplace, padding=1).abs()
        return Maps(adaptive_avg_pool2d(edges, inputs.layouts[0].grid).flatten(1))


@pytest.fixture(scope="module")
def tiny():
    return differentiable(load_model("tiny"))


@pytest.fixture(scope="module")
def scenes(tiny):
    cases = open_cases("scenes:8").cases[:8]
    return tiny.inputs([case.image.open() for case in cases], [case.caption for case in cases])


def test_relevance_changes_with_the_weights(tiny, scenes):
    found = randomisation(tiny, Lrp(), scenes)
    assert found.sane
    assert found.correlations.shape == (8, 8)
    assert np.abs(found.correlations).max() <= 1 + 1e-12


@pytest.mark.parametrize("method", [Edges(), Random()])
def test_a_method_that_ignores_the_network_is_caught(method, tiny, scenes):
    found = randomisation(tiny, method, scenes)
    assert found.means == pytest.approx(1)
    assert not found.sane


def test_layers_are_shuffled_from_the_output_to_the_input(tiny, scenes):
    layers = randomisation(tiny, Random(), scenes[[0]], stages=1_000).layers
    assert layers[0] == "itm_head"
    blocks = [int(name.split(".")[2]) for name in layers if name.startswith("visual_encoder.blocks")]
    assert blocks == sorted(blocks, reverse=True)
    assert set(blocks) == {0, 1, 2}
    assert layers.index("text_encoder.bert.encoder.layer.0.output.dense") < layers.index(
        "text_encoder.bert.embeddings.word_embeddings"
    )
    own = {name for name, module in tiny.network.named_modules() if [*module.parameters(recurse=False)]}
    assert set(layers) == own


def test_the_network_has_its_own_weights_afterwards(tiny, scenes):
    class Fails(AttributionMethod):
        asked = 0

        def maps(self, model, inputs):
            self.asked += 1
            if self.asked == 3:
                raise NotApplicable("no more")
            changed.append(model.network.itm_head.weight.clone())
            return Random().maps(model, inputs)

    changed = []
    before = {name: weight.clone() for name, weight in tiny.network.state_dict().items()}
    with pytest.raises(NotApplicable, match="no more"):
        randomisation(tiny, Fails(), scenes)
    assert not torch.equal(*changed)
    assert all(torch.equal(weight, before[name]) for name, weight in tiny.network.state_dict().items())


def test_the_correlation_is_spearmans():
    one, other = np.array([1.0, 2, 3, 10]), np.array([0.1, 0.3, 0.2, 0.4])
    assert _rank_correlation(one, other) == pytest.approx(0.8)
    assert _rank_correlation(one, -one) == pytest.approx(-1)
    assert _rank_correlation(np.ones(4), other) == 0
    assert _rank_correlation(np.ones(4), np.ones(4)) == 1
