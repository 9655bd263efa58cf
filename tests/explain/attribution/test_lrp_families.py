"""LRP on a network of each family: relevance is conserved."""

import numpy as np
import pytest

from tests.models.conftest import three_shapes
from tests.models.families import FAMILIES, READING_REGIONS, spec_of, write_regions
from vlcheck.cases import MASK, ImageFile
from vlcheck.errors import NotApplicable
from vlcheck.explain.attribution.lrp import Lrp
from vlcheck.models.differentiable import differentiable
from vlcheck.models.loading.load import load_model

CONSERVED = 0.01
INNER = {"blip_retrieval", "clip", "vilt_words"}  # one that fuses, one of two encoders, one of a single stream
WITHOUT = {"bert", "mllama", "vilbert"}  # the first two give no gradients of a picture


def each_explained():
    names = [name for name in FAMILIES if name not in WITHOUT]
    return [name if name in INNER else pytest.param(name, marks=pytest.mark.contract) for name in names]


@pytest.fixture(scope="module")
def sources(coco_root):
    return [ImageFile(path) for path in three_shapes(coco_root)]


@pytest.fixture(scope="module")
def network_of(sources, tmp_path_factory):
    def network(family):
        regions = tmp_path_factory.mktemp("regions")
        for source, count in zip(sources, (5, 9, 3), strict=True):
            write_regions(regions, source, count, np.random.default_rng(4))
        model = load_model(spec_of(family, tmp_path_factory.mktemp(family), regions), dtype="float64")
        return model, differentiable(model)

    return network


@pytest.mark.parametrize("family", each_explained())
def test_relevance_is_conserved(family, network_of, sources):
    model, network = network_of(family)
    asked = ("a dog",) if "itm" in model.kinds else (f"a {MASK}", "bus")
    inputs = network.inputs([sources[0].open()], *([each] for each in asked))
    maps = Lrp().maps(network, inputs)
    assert float(maps.error.max()) < CONSERVED
    assert float(maps.units.abs().max()) > 0
    assert float(maps.tokens.abs().max()) > 0
    assert family in READING_REGIONS or maps.units.shape[1] == len(inputs.layouts[0].boxes)


@pytest.mark.contract
def test_a_product_of_picture_and_text_after_fusion_has_no_rule(network_of, sources):
    _, network = network_of("vilbert")
    with pytest.raises(NotApplicable, match="no rule for mul of two tensors"):
        Lrp().maps(network, network.inputs([sources[0].open()], ["a dog"]))
