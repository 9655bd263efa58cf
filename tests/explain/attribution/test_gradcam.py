"""Grad-CAM against its formula, one pair at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.explain.attribution.conftest import TEXTS
from vlcheck.errors import NotApplicable
from vlcheck.explain.attribution.attribute import attribute
from vlcheck.explain.attribution.gradcam import GradCam

pytestmark = pytest.mark.slow  # networks are run many times


def by_hand(tiny, picture, text):
    """The map from the network's parts, called one after another."""
    network, inputs = tiny.network, tiny.inputs([picture], [text])
    encoder = network.visual_encoder
    tokens = torch.cat([encoder.cls_token, encoder.patch_embed(inputs.pixels)], 1) + encoder.pos_embed
    cls, states = encoder.blocks(tokens).detach().split([1, tokens.shape[1] - 1], 1)
    states = states.requires_grad_()
    embeds = encoder.norm(torch.cat([cls, states], 1))
    network.itm_logits(embeds, inputs.ids, inputs.attention)[0, 1].backward()
    return (states * states.grad.mean(1)).sum(-1).relu()[0].detach().numpy()


def test_it_is_the_formula(tiny, pictures):
    for found, picture, text in zip(attribute(tiny, GradCam(), pictures, TEXTS), pictures, TEXTS, strict=True):
        np.testing.assert_allclose(found.image.values, by_hand(tiny, picture, text), rtol=1e-8, atol=1e-12)


def test_a_network_without_an_image_encoder_is_refused(tiny, pictures, monkeypatch):
    monkeypatch.setattr(tiny, "vision_blocks", ())
    with pytest.raises(NotApplicable, match="Grad-CAM needs the blocks of an image encoder, and tiny has none"):
        attribute(tiny, GradCam(), pictures, TEXTS)
