"""Each method on each family of models: a map of the picture's units, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.explain.attribution.test_relevancy import normal
from tests.models.families import FAMILIES, READING_REGIONS, spec_of, write_regions
from vlcheck.cases import ImageFile
from vlcheck.errors import NotApplicable
from vlcheck.explain.attribution.attention_recorder import AttentionRecorder
from vlcheck.explain.attribution.attribute import attribute
from vlcheck.explain.attribution.objective import objective
from vlcheck.explain.attribution.registry import METHODS
from vlcheck.explain.attribution.units import shows_pixels
from vlcheck.models.differentiable import Differentiable, differentiable
from vlcheck.models.loading.load import load_model

pytestmark = pytest.mark.slow  # networks are run many times

INNER = {"clip", "llava", "lxmert"}
OF_EACH_KIND = {
    "align",
    "blip2_retrieval",
    "blip_retrieval",
    "bridgetower",
    "flava",
    "paligemma2",
    "siglip2",
    "vilt_words",
}
EXPLAINED = [name for name in FAMILIES if name != "bert"]
TEXTS, MASKED, WORDS = ["a red dog on the street", "a dog"], ["a red [MASK] on the street", "a [MASK]"], ["dog", "dog"]
CLIPS = ("altclip", "chinese_clip", "clip", "metaclip2")
ROWS_OF_PATCHES = {
    *("idefics3", "internvl", "llava_next", "llava_onevision", "mllama", "qwen2_5_vl", "qwen2_vl", "qwen3_vl"),
}
MAY_VANISH = ("gradcam", "guided")  # without the negative part nothing may be left
BASELINES = {"ig-black", "ig-blurred"}
LRP = {"lrp", "lrp-size"}
CONSERVED = 0.01  # the most of a score that LRP may lose
# Beside CAM, which only ALIGN has.
WITHOUT: Mapping[str, set[str]] = {
    **{name: {"attention-gradcam"} for name in CLIPS},
    **dict.fromkeys((*ROWS_OF_PATCHES, "smolvlm", "lxmert", "siglip2", "visual_bert"), BASELINES),
    "vilbert": BASELINES | LRP,  # its score is a product of picture and text, each of which has read the other
    "align": {"attention-gradcam", "relevancy"},
    "blip2_retrieval": {"relevancy"},
}


def each_family() -> list[object]:
    """A family of each kind before a merge; at night, those that share their code, too."""
    marks = {name: pytest.mark.contract if name in OF_EACH_KIND else pytest.mark.nightly for name in EXPLAINED}
    return [name if name in INNER else pytest.param(name, marks=marks[name]) for name in EXPLAINED]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Sequence[ImageFile]:
    """Two drawn pictures of other shapes, with 5 and 9 regions."""
    folder, random = tmp_path_factory.mktemp("pictures"), np.random.default_rng(5)
    found = []
    for count, (width, height) in ((5, (60, 40)), (9, (48, 64))):
        path = folder / f"{count}.png"
        Image.fromarray(random.integers(0, 256, (height, width, 3), dtype=np.uint8)).save(path)
        found.append(ImageFile(path))
        write_regions(folder, found[-1], count, random)
    return found


@pytest.fixture
def network_of(sources: Sequence[ImageFile], tmp_path: Path) -> Callable[[str], Differentiable]:
    def network(family: str) -> Differentiable:
        (tmp_path / family).mkdir()
        spec = spec_of(family, tmp_path / family, sources[0].path.parent)
        return differentiable(load_model(spec, dtype="float64"))

    return network


@pytest.mark.parametrize("family", each_family())
def test_a_family_is_explained_or_says_why_not(family, network_of, sources):
    network, images = network_of(family), [source.open() for source in sources]
    asks_words = "itm" not in network.model.kinds
    asked = [MASKED, WORDS] if asks_words else [TEXTS]
    refused = set()
    for name, method in METHODS.items():
        explain = type(method)(steps=2) if name.startswith("ig") else method
        try:
            together = attribute(network, explain, images, *asked)
        except NotApplicable:
            refused.add(name)
            continue
        alone = [
            attribute(network, explain, images[row:][:1], *(part[row:][:1] for part in asked))[0] for row in (0, 1)
        ]
        for found, single in zip(together, alone, strict=True):
            assert len(found.image.values) == len(found.image.layout.boxes)
            assert np.ptp(found.image.values) > 0 or name in MAY_VANISH
            assert name not in LRP or found.error < CONSERVED
            np.testing.assert_allclose(found.image.values, single.image.values, rtol=1e-6, atol=1e-10, err_msg=name)
            if found.token_values is not None:
                assert len(found.token_values) == len(found.tokens) == len(found.special)
                np.testing.assert_allclose(found.token_values, single.token_values, rtol=1e-6, atol=1e-10, err_msg=name)
    assert refused == WITHOUT.get(family, set()) | ({"cam"} if family != "align" else set())


@pytest.mark.parametrize("family", each_family())
def test_what_a_network_takes_as_rows_are_its_units(family, network_of, sources):
    network = network_of(family)
    asked = ([MASKED[0]], [WORDS[0]]) if "itm" not in network.model.kinds else ([TEXTS[0]],)
    inputs = network.inputs([sources[0].open()], *asked)
    if not shows_pixels(inputs):
        assert inputs.pixels.shape[1] == len(inputs.layouts[0].boxes)


@pytest.mark.contract
def test_the_terms_of_cam_sum_to_the_match_logit(network_of, sources):
    network, images = network_of("align"), [source.open() for source in sources]
    with torch.no_grad():
        logits = objective(network, network.inputs(images, TEXTS))
    sums = [found.image.values.sum() for found in attribute(network, METHODS["cam"], images, TEXTS)]
    np.testing.assert_allclose(sums, logits, rtol=1e-9)


def test_streams_that_read_each_other_add_what_they_held_before(network_of, sources):
    """Equations 5 to 11 of arXiv:2103.15679 on LXMERT, of which a layer's two directions are computed at once."""
    network = network_of("lxmert")
    inputs = network.inputs([sources[0].open()], TEXTS[:1])
    with AttentionRecorder(network.network, lambda name: network.attention_kind(name) is not None) as recorder:
        score = objective(network, inputs)[0]
    slopes = torch.autograd.grad(score, [one.weights for one in recorder.maps], materialize_grads=True)
    moved = [
        (one.weights * slope).clamp(min=0)[0].mean(0).detach().numpy()
        for one, slope in zip(recorder.maps, slopes, strict=True)
    ]
    tokens, regions = inputs.ids.shape[1], 5
    tt, ti, ii, it = np.eye(tokens), np.zeros((tokens, regions)), np.eye(regions), np.zeros((regions, tokens))
    for one, flow in zip(recorder.maps, moved, strict=True):
        match network.attention_kind(one.module):
            case "text":
                tt, ti = tt + flow @ tt, ti + flow @ ti
            case "image":
                ii, it = ii + flow @ ii, it + flow @ it
            case "cross":
                before = tt, ti, ii
                tt, ti = tt + flow @ it, ti + normal(tt).T @ flow @ normal(ii)
            case "back":
                text, across, image = before
                ii, it = ii + flow @ across, it + normal(image).T @ flow @ normal(text)
    (found,) = attribute(network, METHODS["relevancy"], [sources[0].open()], TEXTS[:1])
    np.testing.assert_allclose(found.image.values, ti[0], rtol=1e-8)
    np.testing.assert_allclose(found.token_values, tt[0] - np.eye(tokens)[0], rtol=1e-8)


@pytest.mark.parametrize("family", READING_REGIONS)
def test_relevancy_of_regions_stays_with_its_pair(family, network_of, sources):
    """Regions that pad a batch get nothing, and the map has as many values as the picture has regions."""
    found = attribute(network_of(family), METHODS["relevancy"], [source.open() for source in sources], TEXTS)
    assert [len(one.image.values) for one in found] == [5, 9]
    assert all(one.image.values.min() >= 0 and one.image.values.max() > 1e-4 for one in found)
