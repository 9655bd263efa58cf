"""What adapters of models that read regions share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import torch
from PIL import Image
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedModel

from vlcheck.digest import digest
from vlcheck.errors import NotApplicable, UsageError
from vlcheck.models.asking import Adapter
from vlcheck.models.features import Features
from vlcheck.models.hosted import Hosted
from vlcheck.models.pretrained import Pretrained
from vlcheck.models.regions import RegionExtractor, Regions, find_extractor, look
from vlcheck.models.texts import Texts


@dataclass(frozen=True, eq=False)
class RegionFeatures(Features):
    """Images as their regions, or why an image has none: told when it is asked about, so that others can be."""

    refused: Mapping[int, Exception] = field(default_factory=dict)

    def each(self, rows: Sequence[int]) -> tuple[Tensor, ...]:
        self._refuse(rows)
        return super().each(rows)

    def distinct(self, rows: Sequence[int]) -> tuple[tuple[Tensor, ...], Tensor]:
        self._refuse(rows)
        return super().distinct(rows)

    def _refuse(self, rows: Sequence[int]) -> None:
        for image in (self.index[row] for row in rows):
            if image in self.refused:
                raise self.refused[image].with_traceback(None)


class ReadsRegions(Adapter):
    """A model of regions. They are extracted once for all texts of an image.

    Attributes:
        network: in its dtype, on its device.
        extractor: finds regions.
    """

    network: Any
    extractor: RegionExtractor

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> RegionFeatures:
        """Look at each image by itself: beside a larger one a detector would see other pixels at the edge."""
        refused: dict[int, Exception] = {}
        inputs = []
        for number, image in enumerate(images):
            try:
                regions = look(self.extractor, image)
            except (NotApplicable, UsageError) as reason:
                refused[number] = reason.with_traceback(None)  # which would keep the image in memory
                regions = _nothing(self.extractor.width)
            inputs.append(self.inputs(regions, image.size))
        tensors = [pad_sequence([*arrays], batch_first=True) for arrays in zip(*inputs, strict=True)]
        return replace(RegionFeatures.of(*map(self._place, tensors)), refused=refused)

    def inputs(self, regions: Regions, size: tuple[int, int]) -> Sequence[Tensor]:
        """What the network reads of an image of a size (width, height) in pixels: arrays (regions, ...).

        They are filled up with zeros for the image of most regions: a mask is among them.
        """
        raise NotImplementedError

    def _place(self, tensor: Tensor) -> Tensor:
        """On the network's device, and in its dtype unless they are whole numbers."""
        weight = next(self.network.parameters())
        return tensor.to(weight) if tensor.is_floating_point() else tensor.to(weight.device)


class HostedReader(ReadsRegions, Hosted):
    """A model of regions that transformers hosts.

    Attributes:
        width: how its config calls the features of a region.
    """

    width: ClassVar[str]

    def __init__(
        self, name: str, fingerprint: str, network: PreTrainedModel, images: RegionExtractor, texts: Texts
    ) -> None:
        super().__init__(name, digest(fingerprint, images.fingerprint), network, images, texts)
        self.extractor = images

    @classmethod
    def viewer(cls, checkpoint: Pretrained, network: PreTrainedModel) -> RegionExtractor:
        width: int = getattr(network.config, cls.width)
        return find_extractor(checkpoint.detector, device=str(network.device), width=width)


def _nothing(width: int) -> Regions:
    """In the place of an image that is not asked about."""
    return Regions(torch.zeros(1, 4, dtype=torch.float64), torch.zeros(1, width, dtype=torch.float64))


def relative(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Boxes in widths and heights of the image, 0 to 1."""
    return boxes / boxes.new_tensor(size).repeat(2)


def all_seen(regions: Regions) -> Tensor:
    """A mask of ones, (regions,)."""
    return torch.ones(len(regions.boxes), dtype=torch.long)
