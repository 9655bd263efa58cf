"""What adapters of models that read regions share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedModel

from vlcheck._util.hashing import digest
from vlcheck._util.paths import expanded
from vlcheck.errors import NotApplicable, UsageError
from vlcheck.models.adapters.base import Adapter, log_softmax, own
from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.huggingface import Hosted
from vlcheck.models.adapters.tokenizing import Texts
from vlcheck.models.adapters.tryout import PLAIN, ask, check_rows
from vlcheck.models.loading.pretrained import Pretrained
from vlcheck.models.protocol import Encoded
from vlcheck.models.regions.classes import FILE, RegionClasses
from vlcheck.models.regions.extractor import find_extractor
from vlcheck.models.regions.regions import RegionExtractor, Regions, look


@dataclass(frozen=True, eq=False)
class RegionFeatures(Features):
    """Images as their regions, or why an image has none: told when it is asked about, so that others can be.

    Attributes:
        gone: (images, regions), which regions were taken out.
    """

    refused: Mapping[int, Exception] = field(default_factory=dict)
    gone: Tensor = field(default_factory=lambda: torch.zeros(0, 0, dtype=torch.bool))

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
        classes: what its head for regions tells, where their names are known.
    """

    network: Any
    extractor: RegionExtractor
    classes: RegionClasses

    def name_classes(self, folders: Sequence[Path], size: int) -> None:
        """Offer masked regions where one of the folders says what the head's classes are, and the head is there.

        Raises:
            UsageError: as `RegionClasses.read`.
        """
        classes = RegionClasses.read(folders, size) if size else None
        if classes:
            self.classes, self.fingerprint = classes, digest(self.fingerprint, repr(classes))
            return
        self.kinds = {metric: kind for metric, kind in self.kinds.items() if metric != "mrc"}
        places = " or ".join(str(folder / FILE) for folder in folders)
        why = f"what its classes of regions are called is not in {places}" if size else "it has no head for regions"
        self.lacks = {**self.lacks, "mrc": why}

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> RegionFeatures:
        """Look at each image by itself: beside a larger one a detector would see other pixels at the edge."""
        refused: dict[int, Exception] = {}
        inputs, gone = [], []
        for number, image in enumerate(images):
            try:
                regions = look(self.extractor, image)
            except (NotApplicable, UsageError) as reason:
                refused[number] = reason.with_traceback(None)  # which would keep the image in memory
                regions = _nothing(self.extractor.width)
            inputs.append(self.inputs(regions, image.size))
            gone.append(torch.zeros(len(regions.boxes), dtype=torch.bool) if regions.gone is None else regions.gone)
        tensors = [pad_sequence([*arrays], batch_first=True) for arrays in zip(*inputs, strict=True)]
        features = RegionFeatures.of(*map(self._place, tensors))
        return replace(features, refused=refused, gone=pad_sequence(gone, batch_first=True))

    def one_region(self) -> RegionFeatures:
        """A picture with one region of zeros: a plain picture has none to be found."""
        inputs = self.inputs(_nothing(self.extractor.width), PLAIN.size)
        features = RegionFeatures.of(*(self._place(array[None]) for array in inputs))
        return replace(features, gone=torch.zeros(1, 1, dtype=torch.bool))

    @torch.inference_mode()
    def mrc(self, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """P(word) as the class of the regions that were taken out of each image, their mean.

        Raises:
            UsageError: the model has no head for it, or the names of its classes are not known.
            NotApplicable: no region was taken out, a word is no class, or a text would not be read in full.
        """
        self._demand("mrc")
        features = own(encoded, texts, self)
        if not isinstance(features, RegionFeatures):
            raise TypeError(f"{self.name} is asked about what it encoded, not about {type(features).__name__}")
        numbers = [[self.classes.numbers_of(word) for word in asked] for asked in words]
        told_apart = chain.from_iterable(
            self._told_apart(features, rows, texts) for rows in self._chunks(range(len(texts)))
        )
        return [
            np.array([float(of_classes[[*one]].sum()) for one in asked])
            for of_classes, asked in zip(told_apart, numbers, strict=True)
        ]

    def _told_apart(self, features: RegionFeatures, rows: Sequence[int], texts: Sequence[str]) -> Iterator[Tensor]:
        """P(class), (classes,), of what was taken out of each row's image."""
        probs = log_softmax(self.region_logits(features, rows, [texts[row] for row in rows])).exp().double().cpu()
        for own_probs, row in zip(probs, rows, strict=True):
            gone = features.gone[features.index[row]]
            if not gone.any():
                raise NotApplicable("no region was taken out of the picture, so that none can be asked for")
            yield own_probs[gone].mean(0)

    def region_logits(self, features: Features, rows: Sequence[int], texts: Sequence[str]) -> Tensor:
        """Logits (rows, regions, classes) of each region of the image that each row means, read with its text."""
        raise NotImplementedError

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

    @property
    def n_classes(self) -> int:
        """How many classes its head for regions tells; 0 where it has none."""
        return 0

    def __init__(
        self, name: str, fingerprint: str, network: PreTrainedModel, images: RegionExtractor, texts: Texts
    ) -> None:
        super().__init__(name, digest(fingerprint, images.fingerprint), network, images, texts)
        self.extractor = images

    @classmethod
    def load(cls, checkpoint: Pretrained, *, device: str = "cpu", dtype: str = "float32") -> Self:
        model = super().load(checkpoint, device=device, dtype=dtype)
        if "mrc" in cls.kinds:
            detector = expanded(checkpoint.detector)
            model.name_classes([checkpoint.folder, *([detector] if detector.is_dir() else [])], model.n_classes)
        return model

    def try_out(self) -> None:
        """Put one region and a question, the longest one that is read, through the network.

        Raises:
            Exception: whatever comes of parts that do not fit.
        """
        check_rows(self.texts.tokenizer, self.rows)
        ask(self, self.one_region(), self.texts.longest("a"))

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
