"""Attributions of ALBEF's reference network equal what was computed from the original code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.models.original.test_albef import reference_model
from vlcheck.explain.attribution.attention_gradcam import AttentionGradCam
from vlcheck.explain.attribution.integrated_gradients import IntegratedGradients
from vlcheck.explain.attribution.saliency import Saliency
from vlcheck.models.differentiable import Differentiable, ImageLayout, PairInputs

pytestmark = pytest.mark.slow  # networks are run many times

CLS = 101


@pytest.fixture(scope="module")
def network() -> Differentiable:
    return reference_model(torch.float64).differentiable()


def pairs(path: Path) -> PairInputs:
    """The reference's two pairs of picture and text; the first text is padded."""
    given = np.load(path)
    ids, attention = torch.tensor(given["ids"]), torch.tensor(given["att"])
    return PairInputs(
        pixels=torch.tensor(given["image"], dtype=torch.float64),
        ids=ids,
        attention=attention,
        special=(ids == CLS) | (attention == 0),
        tokens=tuple(("w",) * int(kept) for kept in attention.sum(1)),
        layouts=(ImageLayout.of_grid(4, 4),) * 2,
        masks=torch.zeros_like(ids, dtype=torch.bool),
        pieces=((),) * 2,
    )


@pytest.fixture(scope="module")
def inputs(references_root: Path) -> PairInputs:
    return pairs(references_root / "albef_attribution" / "inputs.npz")


@pytest.fixture(scope="module")
def expected(references_root: Path) -> dict[str, np.ndarray]:
    return dict(np.load(references_root / "albef_attribution" / "outputs.npz"))


def test_saliency_is_the_reference(network, inputs, expected):
    found = Saliency().maps(network, inputs)
    np.testing.assert_allclose(found.pixels, expected["saliency"], rtol=0, atol=1e-5)
    patches = expected["saliency"].reshape(2, 4, 16, 4, 16).sum((2, 4)).reshape(2, 16)
    np.testing.assert_allclose(found.units, patches, rtol=1e-6)
    assert expected["saliency"].max() > 1e-2


def test_the_gradient_is_the_reference_with_its_sign(network, inputs, expected):
    gradient = Saliency().gradients(network, inputs).pixels
    np.testing.assert_allclose(gradient, expected["grad"], rtol=0, atol=1e-5)


def test_integrated_gradients_are_the_reference(network, inputs, expected):
    pytest.importorskip("captum")
    method = IntegratedGradients(steps=256)
    path = method.over_pixels(network, inputs)
    np.testing.assert_allclose(path.values, expected["ig"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(path.values.sum(1), expected["ig_pixel"], rtol=0, atol=1e-5)
    change = expected["logit_match"] - expected["logit_match_baseline"]
    np.testing.assert_allclose(path.change, change, rtol=0, atol=1e-6)
    np.testing.assert_allclose(path.missed, abs(expected["ig_completeness_error"]), rtol=0, atol=1e-5)


def test_patches_of_integrated_gradients_are_the_reference(network, inputs, expected):
    pytest.importorskip("captum")
    found = IntegratedGradients(steps=256).maps(network, inputs)
    np.testing.assert_allclose(found.units.reshape(2, 4, 4), expected["ig_patch16"], rtol=0, atol=1e-5)
    assert found.error.max() < 0.02


@pytest.mark.parametrize("layer", [2, 3])
def test_attention_gradcam_is_the_reference(layer, network, references_root):
    """The layers 2 and 3 are the two with cross-attention."""
    found = AttentionGradCam(layer=layer - 2).by_token(network, pairs(references_root / "albef" / "inputs.npz"))
    expected = np.load(references_root / "albef" / "outputs.npz")[f"gradcam_l{layer}"]
    np.testing.assert_allclose(found.reshape(2, 8, 4, 4), expected, rtol=0, atol=1e-5)
    assert expected.max() > 1e-3


def test_the_default_layer_of_attention_gradcam_is_the_middle(network, inputs):
    first = AttentionGradCam(layer=0).maps(network, inputs).units
    torch.testing.assert_close(AttentionGradCam().maps(network, inputs).units, first)
