"""Attention relevancy against the paper's equations, one pair and one layer at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.explain.attribution.conftest import MASKED, TEXTS, WORDS
from vlcheck.errors import NotApplicable
from vlcheck.explain.attribution.attention_recorder import AttentionRecorder
from vlcheck.explain.attribution.attribute import attribute
from vlcheck.explain.attribution.objective import objective
from vlcheck.explain.attribution.relevancy import Relevancy

pytestmark = pytest.mark.slow  # networks are run many times


def by_hand(tiny, inputs, row):
    """Equations 5 to 11 of arXiv:2103.15679 for text that reads an image; `row` is the token that answers."""
    with AttentionRecorder(tiny.network, lambda name: tiny.attention_kind(name) is not None) as recorder:
        score = objective(tiny, inputs)[0]
    gradients = torch.autograd.grad(score, [one.weights for one in recorder.maps])
    of_image, of_text, across = np.eye(65), np.eye(inputs.ids.shape[1]), np.zeros((inputs.ids.shape[1], 65))
    for one, gradient in zip(recorder.maps, gradients, strict=True):
        moved = (one.weights * gradient).clamp(min=0)[0].mean(0).detach().numpy()
        match tiny.attention_kind(one.module):
            case "image":
                of_image = of_image + moved @ of_image
            case "text":
                of_text, across = of_text + moved @ of_text, across + moved @ across
            case "cross":
                across = across + normal(of_text).T @ moved @ normal(of_image)
    return across[row, 1:], of_text[row] - np.eye(len(of_text))[row]


def normal(held):
    others = held - np.eye(len(held))
    sums = others.sum(1, keepdims=True)
    return np.divide(others, sums, out=np.zeros_like(others), where=sums > 0) + np.eye(len(held))


def test_of_a_match_it_is_what_arrives_at_cls(tiny, pictures):
    for found, picture, text in zip(attribute(tiny, Relevancy(), pictures, TEXTS), pictures, TEXTS, strict=True):
        image, tokens = by_hand(tiny, tiny.inputs([picture], [text]), 0)
        np.testing.assert_allclose(found.image.values, image, rtol=1e-8, atol=1e-12)
        np.testing.assert_allclose(found.token_values, tokens, rtol=1e-8, atol=1e-12)


def test_of_a_word_it_is_what_arrives_at_the_mask(tiny, pictures):
    found = attribute(tiny, Relevancy(), pictures, MASKED, WORDS)
    for one, picture, text, word in zip(found, pictures, MASKED, WORDS, strict=True):
        inputs = tiny.inputs([picture], [text], [word])
        image, tokens = by_hand(tiny, inputs, int(inputs.masks[0].nonzero()))
        np.testing.assert_allclose(one.image.values, image, rtol=1e-8, atol=1e-12)
        np.testing.assert_allclose(one.token_values, tokens, rtol=1e-8, atol=1e-12)


def test_a_network_without_attention_over_patches_is_refused(tiny, pictures, monkeypatch):
    monkeypatch.setattr(tiny, "attention_kind", lambda name: "text" if name.endswith("attention.self") else None)
    with pytest.raises(NotApplicable, match="relevancy needs attention over the patches of the image"):
        attribute(tiny, Relevancy(), pictures, TEXTS)
