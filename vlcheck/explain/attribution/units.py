"""From values at single pixels to values of patches and regions."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from vlcheck.errors import NotApplicable
from vlcheck.models.differentiable import PairInputs


def shows_pixels(inputs: PairInputs) -> bool:
    """Return True if the network takes pictures, and not rows of patches or of features of regions."""
    return inputs.pixels.ndim == 4


def has_units(inputs: PairInputs) -> Tensor:
    """Return True at the visual units of each picture, and False at the padding after them, (n, units)."""
    counts = torch.tensor([len(layout.boxes) for layout in inputs.layouts], device=inputs.ids.device)
    return torch.arange(int(counts.max()), device=counts.device) < counts[:, None]


def unit_sums(values: Tensor, inputs: PairInputs) -> Tensor:
    """Return the sum of values over each visual unit, (n, units).

    Args:
        values: (n, height, width) over the pictures, or (n, units, width) for a network that takes units as rows.
        inputs: the pairs that the values belong to.

    Raises:
        NotApplicable: the units of a picture do not lie in a grid.
    """
    if not shows_pixels(inputs):
        return values.sum(-1)
    grid = grid_of(inputs)
    pixels_a_unit = values[0].numel() / (grid[0] * grid[1])
    return adaptive_avg_pool2d(values, grid).flatten(1) * pixels_a_unit


def grid_of(inputs: PairInputs) -> tuple[int, int]:
    """Return rows and columns of the patches of pictures. Raises NotApplicable if they do not lie in a grid."""
    grid = inputs.layouts[0].grid
    if grid is None:
        raise NotApplicable("the network's patches do not lie in a grid: no pixel belongs to a patch alone")
    return grid
