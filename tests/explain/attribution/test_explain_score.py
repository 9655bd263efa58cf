"""An explanation from Python: one picture, one text."""

from __future__ import annotations

import numpy as np
import pytest

import vlcheck
from tests.explain.attribution.conftest import TEXTS
from vlcheck.errors import NotApplicable, UsageError
from vlcheck.explain.attribution.attribute import attribute
from vlcheck.explain.attribution.saliency import Saliency
from vlcheck.models.differentiable import differentiable

pytestmark = pytest.mark.slow  # networks are run many times


@pytest.fixture(scope="module")
def model():
    return vlcheck.load_model("tiny")


def test_it_is_what_the_method_gives(model, pictures):
    (expected,) = attribute(differentiable(model), Saliency(), pictures[:1], TEXTS[:1])
    for method in ("saliency", Saliency()):
        found = vlcheck.explain_score(model, pictures[0], TEXTS[0], method=method)
        assert (found.method, found.tokens) == ("saliency", ("[CLS]", "a", "red", "ball"))
        np.testing.assert_array_equal(found.image.values, expected.image.values)


def test_a_word_is_masked_and_explained(model, pictures):
    (expected,) = attribute(differentiable(model), Saliency(), pictures[:1], ["a [MASK] ball"], ["red"])
    found = vlcheck.explain_score(model, pictures[0], "a red ball", "red", method="saliency")
    assert found.tokens == ("[CLS]", "a", "[MASK]", "ball")
    np.testing.assert_array_equal(found.token_values, expected.token_values)


def test_a_file_is_read(model, pictures, tmp_path):
    pictures[0].save(tmp_path / "scene.png")
    found = vlcheck.explain_score(model, tmp_path / "scene.png", TEXTS[0])
    np.testing.assert_array_equal(found.image.values, vlcheck.explain_score(model, pictures[0], TEXTS[0]).image.values)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"method": "saliancy"}, r"method='saliancy': no such method. Did you mean 'saliency'\? Known: .*random"),
        ({"method": 3}, "method=3: has to be a method's name"),
        ({"word": "blue"}, "word='blue': is 0 times in the text 'a red ball'"),
        ({"text": "a red red ball", "word": "red"}, "word='red': is 2 times in the text"),
        ({"text": "a zebra", "word": "zebra"}, "the word 'zebra' cannot be spelled"),
        ({"text": 5}, "text=5: has to be a text"),
        ({"image": None}, "image=None: has to be a picture of Pillow, or the path of its file"),
    ],
)
def test_what_cannot_be_explained_is_refused(asked, message, model, pictures):
    with pytest.raises(UsageError, match=message):
        vlcheck.explain_score(**{"model": model, "image": pictures[0], "text": "a red ball", **asked})


def test_a_text_that_is_too_long_is_refused(model, pictures):
    with pytest.raises(NotApplicable, match="the text has more than the 30 words that ALBEF reads"):
        vlcheck.explain_score(model, pictures[0], "a red ball " * 11)


class Own:
    """A model of a user's own."""

    name, fingerprint, metrics, mask = "own", "1", ("itm",), "[MASK]"

    def encode(self, images):
        return images

    def itm(self, encoded, texts):
        return np.ones(len(texts))


def test_a_model_without_gradients_is_refused(pictures):
    with pytest.raises(NotApplicable, match="own gives no gradients: it has no method `differentiable`"):
        vlcheck.explain_score(Own(), pictures[0], "a red ball")


def test_a_model_of_ones_own_that_gives_gradients_is_explained(model, pictures):
    own = Own()
    own.differentiable = model.differentiable
    found = vlcheck.explain_score(own, pictures[0], "a red ball")
    np.testing.assert_array_equal(
        found.image.values, vlcheck.explain_score(model, pictures[0], "a red ball").image.values
    )
