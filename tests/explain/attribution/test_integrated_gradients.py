"""Integrated gradients: completeness, baselines, and captum that is not there."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from PIL import Image

from tests.explain.attribution.conftest import MASKED, TEXTS, WORDS
from vlcheck.errors import UsageError
from vlcheck.explain.attribution.attribute import attribute
from vlcheck.explain.attribution.integrated_gradients import (
    IntegratedGradients,
    IntegratedGradientsFromBlack,
    IntegratedGradientsFromBlur,
)
from vlcheck.explain.attribution.objective import objective

pytestmark = pytest.mark.slow  # networks are run many times

pytest.importorskip("captum")


@pytest.mark.parametrize("method", [IntegratedGradients, IntegratedGradientsFromBlack, IntegratedGradientsFromBlur])
def test_the_error_falls_with_the_steps(method, tiny, pictures):
    few, many = ([one.error for one in attribute(tiny, method(steps), pictures[:1], TEXTS[:1])] for steps in (4, 64))
    assert max(many) < 0.05
    assert max(many) < max(few) / 3


def test_values_sum_to_the_changes_of_the_score(tiny, pictures):
    inputs = tiny.inputs(pictures, MASKED, WORDS)
    method = IntegratedGradients()
    picture, words = method.over_pixels(tiny, inputs), method.over_embeddings(tiny, inputs)
    grey = tiny.inputs([Image.new("RGB", (64, 64), (123, 117, 104))] * 3, MASKED, WORDS)
    with torch.no_grad():
        change = objective(tiny, inputs) - objective(tiny, grey)
    np.testing.assert_allclose(picture.change, change, atol=0.02)  # the mean color, to a whole level
    np.testing.assert_allclose(picture.values.flatten(1).sum(1), picture.change, atol=0.01, rtol=0.02)
    np.testing.assert_allclose(words.values.flatten(1).sum(1), words.change, atol=0.01, rtol=0.02)
    assert picture.change.abs().min() > 0.1


def test_special_tokens_and_masks_get_nothing(tiny, pictures):
    inputs = tiny.inputs(pictures, MASKED, WORDS)
    values = IntegratedGradients(steps=4).maps(tiny, inputs).tokens
    assert values[inputs.special | inputs.masks].abs().max() == 0
    assert values[~(inputs.special | inputs.masks)].abs().min() > 0


def test_black_is_what_a_black_picture_becomes(tiny, pictures):
    inputs = tiny.inputs(pictures, TEXTS)
    black = tiny.inputs([Image.new("RGB", (99, 40))], ["a box"]).pixels
    torch.testing.assert_close(IntegratedGradientsFromBlack().baseline(tiny, inputs), black.expand(3, -1, -1, -1))


def test_a_blurred_picture_keeps_its_mean_and_loses_its_edges(tiny, pictures):
    inputs = tiny.inputs(pictures, TEXTS)
    blurred = IntegratedGradientsFromBlur().baseline(tiny, inputs)
    torch.testing.assert_close(blurred.mean((2, 3)), inputs.pixels.mean((2, 3)), rtol=0, atol=0.1)
    assert blurred.diff(dim=-1).abs().mean() < inputs.pixels.diff(dim=-1).abs().mean() / 2


def test_captum_that_is_not_there_names_the_extra(tiny, pictures, monkeypatch):
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    with pytest.raises(UsageError, match=r'integrated gradients need captum, .* pip install "vlcheck\[explain\]"'):
        attribute(tiny, IntegratedGradients(), pictures, TEXTS)
