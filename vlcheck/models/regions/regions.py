"""Regions of a detector, which LXMERT, VisualBERT and ViLBERT read instead of pixels.

The spec of such a model names the extractor of its regions:

- `FOLDER,regions=DETECTOR` or `HUB_ID,regions=DETECTOR`: a checkpoint of transformers;
- `vilbert:FOLDER,regions=DETECTOR`: a checkpoint of ViLBERT's original code.

DETECTOR is one of two things: a file with weights of torchvision's Faster R-CNN (`detector`), which reads every picture
as it is shown, also an edited one; or a folder of precomputed regions (`precomputed`), for unedited photographs. The
published models were trained on 2048 features of another detector, and torchvision's makes 1024: use precomputed
regions for them, and the detector for models that were trained with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from PIL import Image
from torch import Tensor
from torchvision.ops import box_area

from vlcheck.cases.box import Box
from vlcheck.cases.image_notes import ablation_of
from vlcheck.errors import NotApplicable

SAID_BY = ",regions="
MOST_OVERLAP = 0.5  # a region that holds a larger share of a box than this is removed with the box


@dataclass(frozen=True, eq=False)
class Regions:
    """The regions that a detector finds in an image; all tensors are on the CPU, and numbers are float64.

    Attributes:
        boxes: (n, 4): x1, y1, x2, y2 in pixels.
        features: (n, width).
        labels: the class of each region; None if the classes have no names.
        gone: True for the regions that were removed, (n,); None if none was.
    """

    boxes: Tensor
    features: Tensor
    labels: tuple[str, ...] | None = None
    gone: Tensor | None = None

    def without(self, boxes: Sequence[Box]) -> Regions:
        """Remove the regions that hold more than half of one of these boxes, or all regions if there is no box.

        A removed region keeps its place and gets features of zeros. LXMERT and ViLBERT were shown such regions in
        training, to predict their class. A model thus never has to read a picture without any region.

        Args:
            boxes: boxes in pixels of the image; empty to remove all regions.

        Raises:
            NotApplicable: no region holds more than half of a box.

        Source:
            The measure, intersection over target, is that of Frank et al. 2021, arXiv:2109.04448. Their code replaces
            the features of a removed region by the mean features of a corpus, which a single picture does not have.
        """
        target = self.boxes.new_tensor([(box.x, box.y, box.x + box.width, box.y + box.height) for box in boxes])
        gone = (overlap(self.boxes, target) > MOST_OVERLAP).any(1) if boxes else torch.ones(len(self.boxes)).bool()
        if not gone.any():
            raise NotApplicable("no region of the detector holds more than half of the thing that is to be removed")
        return replace(self, features=self.features.masked_fill(gone[:, None], 0), gone=gone)


class RegionExtractor(Protocol):
    """Finds the regions of an image.

    Attributes:
        fingerprint: content hash of everything that decides the regions.
        width: number of features of a region.
    """

    fingerprint: str
    width: int

    def __call__(self, image: Image.Image) -> Regions:
        """Return at least one region of an RGB image.

        Raises:
            NotApplicable: the extractor cannot read this image; the message is the reason in reports.
            UsageError: its files are damaged or do not fit.
        """


def overlap(boxes: Tensor, targets: Tensor) -> Tensor:
    """Return the share of each target that lies in each box (intersection over target).

    Args:
        boxes: (m, 4): x1, y1, x2, y2 in pixels.
        targets: (n, 4), likewise.

    Returns:
        Shares, (m, n), in [0, 1].
    """
    corner = torch.maximum(boxes[:, None, :2], targets[:, :2])
    sides = (torch.minimum(boxes[:, None, 2:], targets[:, 2:]) - corner).clamp(min=0)
    shares: Tensor = sides.prod(-1) / box_area(targets)
    return shares


def regions_of(extractor: RegionExtractor, image: Image.Image) -> Regions:
    """Return the regions of an image; those that a perturbation removed have features of zeros.

    Args:
        extractor: finds the regions. If some were removed from the image, it reads the original image.
        image: an RGB image.

    Raises:
        NotApplicable: the extractor cannot read the image, or finds no region to remove.
    """
    ablation = ablation_of(image)
    return regions_of(extractor, ablation.original).without(ablation.boxes) if ablation else extractor(image)
