"""Regions of a detector, which LXMERT, VisualBERT and ViLBERT read in place of pixels.

Such a model is named with what finds its regions, DETECTOR:

- `FOLDER,regions=DETECTOR` or `HUB_ID,regions=DETECTOR`: a checkpoint of transformers;
- `vilbert:FOLDER,regions=DETECTOR`: one of ViLBERT's original code.

DETECTOR is a file, weights of torchvision's Faster R-CNN (`region_detector`), which looks at every picture as it is
shown; or a folder of regions that were computed beforehand (`region_files`). Models were trained on 2048 features of
another detector, and torchvision's makes 1024: the files are for them, the weights for models trained on such.
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
MOST_OVERLAP = 0.5  # of a box, in a region that is left when the box is taken out


@dataclass(frozen=True, eq=False)
class Regions:
    """What a detector finds in an image: on the CPU and in float64, of which a model takes what it needs.

    Attributes:
        boxes: (n, 4): x1, y1, x2, y2 in pixels.
        features: (n, width).
        labels: the class of each, where classes have names.
        gone: (n,), which of them were taken out; None for none.
    """

    boxes: Tensor
    features: Tensor
    labels: tuple[str, ...] | None = None
    gone: Tensor | None = None

    def without(self, boxes: Sequence[Box]) -> Regions:
        """Take out the regions that hold more than half of one of these boxes, or all where there is no box.

        A region that is taken out is where it was and looks like nothing, zeros: so LXMERT and ViLBERT were shown
        regions that they had to predict in training, and no model has to read a picture without any. Frank et al. 2021
        (arXiv:2109.04448) take out by the same measure, intersection over target, and their code puts the mean of all
        features of a corpus there, which a single picture cannot tell.

        Raises:
            NotApplicable: no region holds so much of them.
        """
        target = self.boxes.new_tensor([(box.x, box.y, box.x + box.width, box.y + box.height) for box in boxes])
        gone = (overlap(self.boxes, target) > MOST_OVERLAP).any(1) if boxes else torch.ones(len(self.boxes)).bool()
        if not gone.any():
            raise NotApplicable("no region of the detector holds more than half of what is to be taken out")
        return replace(self, features=self.features.masked_fill(gone[:, None], 0), gone=gone)


class RegionExtractor(Protocol):
    """What finds regions in images.

    Attributes:
        fingerprint: content hash of all that decides what it finds.
        width: features of a region.
    """

    fingerprint: str
    width: int

    def __call__(self, image: Image.Image) -> Regions:
        """At least one region of an RGB image.

        Raises:
            NotApplicable: it cannot look at this image; the message is the reason under which it is counted.
            UsageError: its files are not as they have to be.
        """


def overlap(boxes: Tensor, targets: Tensor) -> Tensor:
    """The share of each target that lies in each box, intersection over target: (boxes, targets)."""
    corner = torch.maximum(boxes[:, None, :2], targets[:, :2])
    sides = (torch.minimum(boxes[:, None, 2:], targets[:, 2:]) - corner).clamp(min=0)
    shares: Tensor = sides.prod(-1) / box_area(targets)
    return shares


def look(extractor: RegionExtractor, image: Image.Image) -> Regions:
    """The regions of an image, or, of one that regions were taken out of, what is left of the original's."""
    ablation = ablation_of(image)
    return look(extractor, ablation.original).without(ablation.boxes) if ablation else extractor(image)
