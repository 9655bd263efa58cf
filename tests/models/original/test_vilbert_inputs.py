from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.conftest import ROOT
from vlcheck.errors import UsageError
from vlcheck.models.original.vilbert.inputs import RegionInputs, batch_regions, region_inputs

INPUTS = dict(np.load(ROOT / "tests" / "data" / "vilbert" / "inputs.npz"))


def reference_regions() -> list[RegionInputs]:
    images = zip(*(INPUTS[name] for name in ("raw_boxes", "raw_features", "num_boxes", "image_wh")), strict=True)
    return [region_inputs(boxes[:count], features[:count], tuple(size)) for boxes, features, count, size in images]


@pytest.mark.parametrize("array", ["features", "image_loc", "image_mask"])
def test_inputs_are_made_as_the_original_makes_them(array: str) -> None:
    made = getattr(batch_regions(reference_regions()), array)
    np.testing.assert_allclose(made, INPUTS[array], rtol=0, atol=1e-6, strict=True)


def test_boxes_are_told_in_units_of_the_image() -> None:
    made = region_inputs(np.array([[20, 5, 120, 45]]), np.ones((1, 3)), (200, 50))
    expected = torch.tensor([[0, 0, 1, 1, 1], [0.1, 0.1, 0.6, 0.9, 0.4]])
    torch.testing.assert_close(made.image_loc, expected)


def test_the_mean_of_the_regions_stands_for_the_image() -> None:
    made = region_inputs(torch.rand(2, 4), torch.tensor([[1.0, 5.0], [3.0, 0.0]]), (1, 1))
    assert made.features.tolist() == [[2, 2.5], [1, 5], [3, 0]]
    assert made.image_mask.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("boxes", "features"), [((2, 4), (3, 8)), ((0, 4), (0, 8)), ((2, 5), (2, 8)), ((2, 4), (2,)), ((4,), (1, 8))]
)
def test_boxes_and_features_that_do_not_fit_are_refused(boxes: tuple[int, ...], features: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="of one region at least"):
        region_inputs(np.ones(boxes), np.ones(features), (10, 10))


@pytest.mark.parametrize("size", [(0, 10), (10, -1)])
def test_an_image_without_extent_is_refused(size: tuple[float, float]) -> None:
    with pytest.raises(UsageError, match="width and height"):
        region_inputs(np.ones((1, 4)), np.ones((1, 3)), size)
