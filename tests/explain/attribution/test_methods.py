"""What holds for each attribution method: batches, padding, words, and what a page says of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.explain.attribution.conftest import MASKED, TEXTS, WORDS
from vlcheck.errors import NotApplicable, UsageError
from vlcheck.explain.attribution.attribute import attribute
from vlcheck.explain.attribution.registry import METHODS, method_named

pytestmark = pytest.mark.slow  # networks are run many times

NAMES = [
    "saliency",
    "guided",
    "ig",
    "ig-black",
    "ig-blurred",
    "cam",
    "gradcam",
    "attention-gradcam",
    "relevancy",
    "lrp",
    "lrp-size",
    "random",
]
ON_ALBEF = [name for name in NAMES if name != "cam"]
OF_TOKENS = [name for name in ON_ALBEF if name not in ("gradcam", "attention-gradcam")]


def few_steps(name):
    """The method, with few steps if it takes steps."""
    method = METHODS[name]
    return type(method)(steps=4) if name.startswith("ig") else method


def test_the_methods_are_these():
    assert [*METHODS] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_method_says_what_it_is(name):
    method = METHODS[name]
    assert method.name == name
    assert method.meaning.endswith(".")
    assert "arXiv" in method.source or name == "random"


@pytest.mark.parametrize("asked", ["match", "word"])
@pytest.mark.parametrize("name", ON_ALBEF)
def test_a_batch_is_explained_as_its_pairs_are(name, asked, tiny, pictures):
    method, texts, words = few_steps(name), *((TEXTS, None) if asked == "match" else (MASKED, WORDS))
    together = attribute(tiny, method, pictures, texts, words)
    for row, found in enumerate(together):
        own = slice(row, row + 1)
        (alone,) = attribute(tiny, method, pictures[own], texts[own], words and words[own])
        np.testing.assert_allclose(found.image.values, alone.image.values, rtol=1e-6, atol=1e-9)
        assert found.tokens == alone.tokens
        if name in OF_TOKENS:
            np.testing.assert_allclose(found.token_values, alone.token_values, rtol=1e-6, atol=1e-9)
            assert np.ptp(found.token_values) > 1e-4
        else:
            assert found.token_values is None
        assert np.ptp(found.image.values) > 1e-6


@pytest.mark.parametrize("name", OF_TOKENS)
def test_padding_gets_nothing(name, tiny, pictures):
    inputs = tiny.inputs(pictures, TEXTS)
    with torch.enable_grad():
        tokens = few_steps(name).maps(tiny, inputs).tokens
    assert (inputs.attention == 0).sum() == 15
    assert tokens[inputs.attention == 0].abs().max() == 0


@pytest.mark.parametrize("name", [name for name in ON_ALBEF if not METHODS[name].signed])
def test_a_method_without_a_sign_has_no_value_below_zero(name, tiny, pictures):
    for found in attribute(tiny, METHODS[name], pictures, TEXTS):
        assert found.image.values.min() >= 0


def test_cam_does_not_apply_to_albef(tiny, pictures):
    with pytest.raises(NotApplicable, match=r"CAM does not apply: .*global average pooling.*tiny has none"):
        attribute(tiny, METHODS["cam"], pictures, TEXTS)


def test_an_unknown_method_names_the_nearest_and_all():
    with pytest.raises(
        UsageError, match=r"method='grad-cam': no such method. Did you mean 'gradcam'\? Known: saliency, "
    ):
        method_named("grad-cam")
