"""Image regions of a detector, as ViLBERT reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from vlcheck.errors import UsageError


class Regions(NamedTuple):
    """Regions by the names under which the network takes them, of an image or, with an axis before, of several.

    Attributes:
        features: (regions, v_feature_size), the whole image's first. A region that is to be predicted is a row of
            zeros; its box and mask stay.
        image_loc: (regions, 5): x1, y1, x2, y2 in widths and heights of the image, and the share of it in the box.
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
) -> Regions:
    """Put the whole image before the regions of one image, and boxes in its units (Lu et al. 2019, section 3.1).

    Args:
        boxes: (regions, 4): x1, y1, x2, y2 in pixels.
        features: (regions, v_feature_size) of the detector, not normalised; the mean of them stands for the image.
        size: width and height of the image in pixels.
        gone: (regions,), which were taken out, rows of zeros: the image's mean is of the others, as in pre-training.

    Raises:
        UsageError: not a box for each row of features, no region at all, or an image without extent.
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
    return Regions(
        features=torch.cat([features.sum(dim=0, keepdim=True) / left, features]),
        image_loc=torch.cat([whole, torch.cat([corners, area], dim=1)]),
        image_mask=torch.ones(1 + len(features), dtype=torch.long, device=features.device),
    )


def batch_regions(images: Sequence[Regions]) -> Regions:
    """Put images side by side, filled up to the most regions with zeros that the mask leaves out."""
    return Regions(*(pad_sequence(list(arrays), batch_first=True) for arrays in zip(*images, strict=True)))
