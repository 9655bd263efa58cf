"""The model with two encoders of the documentation, and what it may leave out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vlcheck
from tests.documents import FILES
from vlcheck.cases import Case
from vlcheck.errors import NotApplicable
from vlcheck.explain import IntegratedGradients
from vlcheck.explain.attribution.registry import METHODS
from vlcheck.models.base_differentiable import BaseDifferentiable
from vlcheck.models.protocol import VisionLanguageModel

pytestmark = pytest.mark.slow  # networks are run many times

LEFT_OUT = {"cam", "attention-gradcam", "relevancy"}  # it has no attention, and no `unit_logits`
COLORS = ("red", "green", "blue", "yellow")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> VisionLanguageModel:
    path: Path = tmp_path_factory.mktemp("own") / "two_encoders.py"
    path.write_text(FILES[path.name], encoding="utf-8")
    return vlcheck.load_model(f"{path}:TwoEncoders")


@pytest.fixture(scope="module")
def colored() -> list[Case]:
    return [case for case in vlcheck.open_cases("scenes:200").cases if case.target in COLORS][:20]


def applies(model: VisionLanguageModel, name: str, case: Case) -> bool:
    try:
        vlcheck.explain_score(model, case.image.open(), case.caption, method=name)
    except NotApplicable:
        return False
    return True


def test_the_methods_that_need_a_part_that_it_leaves_out_do_not_apply(model, colored):
    assert {name for name in METHODS if not applies(model, name, colored[0])} == LEFT_OUT


@pytest.mark.parametrize("method", ["saliency", IntegratedGradients(steps=8), "gradcam", "lrp"])
def test_its_maps_lie_on_the_thing_of_the_named_color(method, model, colored):
    found = [vlcheck.explain_score(model, case.image.open(), case.caption, method=method) for case in colored]
    sizes = [case.image.open().size for case in colored]
    regions = [
        [
            box._replace(x=box.x / width, y=box.y / height, width=box.width / width, height=box.height / height)
            for box in case.region
        ]
        for case, (width, height) in zip(colored, sizes, strict=True)
    ]
    inside = [one.image.share_inside(boxes) for one, boxes in zip(found, regions, strict=True)]
    even = [sum(box.area for box in boxes) for boxes in regions]
    assert np.mean(inside) > 3 * np.mean(even)


def test_integrated_gradients_find_the_word_that_names_the_color(model, colored):
    found = [
        vlcheck.explain_score(model, case.image.open(), case.caption, method=IntegratedGradients(steps=8))
        for case in colored
    ]
    first = [one.tokens[int(one.token_values.argmax())] for one in found]
    assert sum(word == case.target for word, case in zip(first, colored, strict=True)) >= 15  # of 20
    assert max(one.error for one in found) < 0.05  # of 8 steps


class Bare(BaseDifferentiable):
    """A network with nothing that can be left out."""

    def __init__(self, network: Any) -> None:
        self.name, self.network = "bare", network.network
        self.word_embeddings, self.absent_token = network.word_embeddings, network.absent_token
        self.inputs, self.match_logits = network.inputs, network.match_logits  # type: ignore[method-assign]
        self.image_states, self.text_states = network.image_states, network.text_states  # type: ignore[method-assign]

    def inputs(self, images: Any, texts: Any, words: Any = None) -> Any: ...
    def image_states(self, inputs: Any) -> Any: ...
    def text_states(self, inputs: Any) -> Any: ...
    def match_logits(self, inputs: Any, image_states: Any, text_states: Any) -> Any: ...


def test_a_network_without_vision_blocks_has_no_grad_cam_and_no_words_at_masks(model, colored):
    bare = Bare(model.differentiable())
    own = type("Own", (), {"differentiable": lambda self: bare})()
    for name in ("name", "fingerprint", "metrics", "kinds", "mask", "encode", "itm"):
        setattr(own, name, getattr(model, name))
    assert {name for name in METHODS if not applies(own, name, colored[0])} == LEFT_OUT | {"gradcam"}
    with pytest.raises(NotApplicable, match="bare gives no log-probability of a word"):
        vlcheck.explain_score(own, colored[0].image.open(), colored[0].caption, colored[0].target)
