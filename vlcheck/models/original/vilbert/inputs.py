"""The inputs of ViLBERT that are made from the regions of a detector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from vlcheck.errors import UsageError


class RegionInputs(NamedTuple):
    """The regions of one image as the network's inputs, by the names that the network gives them.

    For several images, each tensor has a further axis in front.

    Attributes:
        features: (regions, v_feature_size), the whole image's first. A region to be predicted has a row of zeros; its
            box and mask stay.
        image_loc: (regions, 5): x1, y1, x2, y2 in fractions of the image's sides, and the box's share of its area.
        image_mask: (regions,): 1 = region, 0 = padding.
    """

    features: Tensor
    image_loc: Tensor
    image_mask: Tensor


def region_inputs(
    boxes: Tensor | np.ndarray,
    features: Tensor | np.ndarray,
    size: tuple[float, float],
    gone: Tensor | None = None,
) -> RegionInputs:
    """Return a detector's regions as the network's inputs, with the whole image as the first region.

    Args:
        boxes: (regions, 4): x1, y1, x2, y2 in pixels.
        features: (regions, v_feature_size) of the detector, not normalised; their mean stands for the whole image.
        size: (width, height) of the image in pixels.
        gone: True for removed regions, (regions,), whose features are zeros: they are left out of the mean, as in
            pre-training. None if no region was removed.

    Raises:
        UsageError: boxes and features differ in number, there is no region, or the image's size is 0.

    Source:
        Lu et al. 2019, arXiv:1908.02265, section 3.1.
    """
    boxes, features = torch.as_tensor(boxes), torch.as_tensor(features)
    if features.ndim != 2 or not len(features) or boxes.shape != (len(features), 4):
        raise UsageError(
            f"boxes {tuple(boxes.shape)} and features {tuple(features.shape)} have to be (regions, 4) and"
            " (regions, features), of one region at least."
        )
    if min(size) <= 0:
        raise UsageError(f"an image's width and height have to be over 0, not {size}.")
    corners = boxes / boxes.new_tensor(size).repeat(2)
    area = (corners[:, 2:] - corners[:, :2]).prod(dim=1, keepdim=True)
    whole = corners.new_tensor([[0, 0, 1, 1, 1]])
    left = len(features) if gone is None else max(1, int((~gone).sum()))
    return RegionInputs(
        features=torch.cat([features.sum(dim=0, keepdim=True) / left, features]),
        image_loc=torch.cat([whole, torch.cat([corners, area], dim=1)]),
        image_mask=torch.ones(1 + len(features), dtype=torch.long, device=features.device),
    )


def batch_regions(images: Sequence[RegionInputs]) -> RegionInputs:
    """Stack the regions of several images, padded with zeros that the mask leaves out."""
    return RegionInputs(*(pad_sequence(list(arrays), batch_first=True) for arrays in zip(*images, strict=True)))
