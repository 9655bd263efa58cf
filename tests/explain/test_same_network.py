"""A network that is given for explanations has to be the model: otherwise nothing is explained."""

import re

import numpy as np
import pytest
from PIL import Image

import vlcheck
from tests.documents import FILES
from tests.models.families import PLAIN, REPRESENTATIVE, WRITING, spec_of, write_regions
from vlcheck.cases import ImageFile
from vlcheck.errors import UsageError
from vlcheck.explain.applicable import demand_method, match_network
from vlcheck.explain.attribution.saliency import Saliency
from vlcheck.explain.explaining import explaining
from vlcheck.explain.request import parse_requests

NOT_THE_MODEL = "the network that two-encoders gives for explanations is not the model: its itm differs by 0."


@pytest.fixture(scope="module")
def own():
    names = {"__name__": "two_encoders"}
    exec(FILES["two_encoders.py"], names)  # noqa: S102 - our own page
    return names


@pytest.fixture
def changed(own):
    """The documentation's model with some parts of its network exchanged."""

    def model(**parts):
        network = type("Changed", (own["Explained"],), parts)
        return type("Model", (own["TwoEncoders"],), {"differentiable": lambda self: network(self)})("cpu", "float32")

    return model


def opposite(self, inputs, image_states, text_states):
    return super(type(self), self).match_logits(inputs, image_states, text_states).flip(1)


def halving(self, inputs):
    inputs.pixels.mul_(0.5)
    return super(type(self), self).image_states(inputs)


@pytest.mark.parametrize("parts", [{"match_logits": opposite}, {"image_states": halving}])
@pytest.mark.parametrize("asked", ["mmshap", "saliency", "saliency:5"])
def test_a_network_with_other_scores_than_its_model_is_refused(changed, parts, asked):
    with pytest.raises(UsageError, match=NOT_THE_MODEL):
        explaining(changed(**parts), parse_requests(asked))


def test_the_model_itself_is_explained(changed):
    assert {"itm", "mm-shap", "map"} == explaining(changed(), parse_requests("mmshap,saliency")).metrics


@pytest.mark.parametrize(
    ("gives", "why"),
    [
        (lambda _: 1 / 0, r"^ZeroDivisionError: division by zero \(.*test_same_network.py:\d+\)$"),
        (lambda _: None, "gives no gradients: its `differentiable` returns NoneType, without 'network'"),
    ],
)
def test_a_fault_of_differentiable_is_the_reason_why_nothing_is_explained(own, gives, why):
    model = type("Model", (own["TwoEncoders"],), {"differentiable": gives})("cpu", "float32")
    network, reason = match_network(model)
    assert network is None
    assert re.search(why, reason)
    (lacking,) = explaining(model, parse_requests("mmshap")).lacks.values()
    assert lacking == reason


def each_family():
    """Four families, and before a merge all others."""
    quick = ("siglip", *REPRESENTATIVE)
    return [name if name in quick else pytest.param(name, marks=pytest.mark.contract) for name in (*PLAIN, *WRITING)]


@pytest.mark.parametrize("family", each_family())
def test_the_network_of_every_family_is_its_model(family, tmp_path):
    if family == "bert":
        pytest.skip("it gives no network")
    demand_method(vlcheck.load_model(spec_of(family, tmp_path, tmp_path)), Saliency())


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_embedded_model_is_explained_in_each_precision(dtype):
    demand_method(vlcheck.load_model("tiny", dtype=dtype), Saliency())


def test_regions_that_were_computed_beforehand_are_no_obstacle(tmp_path):
    picture = tmp_path / "5.png"
    Image.new("RGB", (64, 64)).save(picture)
    write_regions(tmp_path, ImageFile(picture), 5, np.random.default_rng(1))
    network, reason = match_network(vlcheck.load_model(spec_of("lxmert", tmp_path, tmp_path)))
    assert (network is None, reason) == (False, "")
