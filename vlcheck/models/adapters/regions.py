"""The base classes of adapters for models that read regions."""

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
from vlcheck.models.adapters.tryout import PLAIN, ask_everything, check_rows
from vlcheck.models.loading.pretrained import Pretrained
from vlcheck.models.protocol import Encoded
from vlcheck.models.regions.classes import FILE, RegionClasses
from vlcheck.models.regions.extractor import find_extractor
from vlcheck.models.regions.regions import RegionExtractor, Regions, look


@dataclass(frozen=True, eq=False)
class RegionFeatures(Features):
    """Images as their regions. An image without any keeps the reason, which is raised when the image is asked about.

    Attributes:
        refused: index of an image -> the error that its extraction raised.
        gone: True for the regions that were removed, (images, regions).
    """

    refused: Mapping[int, Exception] = field(default_factory=dict)
    gone: Tensor = field(default_factory=lambda: torch.zeros(0, 0, dtype=torch.bool))

    def each(self, rows: Sequence[int]) -> tuple[Tensor, ...]:
        """Copy the regions of each row's image. Raises the reason of an image that has none. See `Features.each`."""
        self._refuse(rows)
        return super().each(rows)

    def distinct(self, rows: Sequence[int]) -> tuple[tuple[Tensor, ...], Tensor]:
        """Copy each image's regions once; raise the reason of an image without any. See `Features.distinct`."""
        self._refuse(rows)
        return super().distinct(rows)

    def _refuse(self, rows: Sequence[int]) -> None:
        for image in (self.index[row] for row in rows):
            if image in self.refused:
                raise self.refused[image].with_traceback(None)


class ReadsRegions(Adapter):
    """A model that reads regions. They are extracted once for all texts of an image.

    Attributes:
        network: the network, in its dtype, on its device.
        extractor: finds the regions of a picture.
        classes: the classes of its head for regions, if their names are known.
    """

    network: Any
    extractor: RegionExtractor
    classes: RegionClasses

    def name_classes(self, folders: Sequence[Path], size: int) -> None:
        """Offer mrc if the model has a head for regions, and one of the folders has the names of its classes.

        Args:
            folders: the folders to search, in order.
            size: number of classes of the head; 0 for no head.

        Raises:
            UsageError: the file of names cannot be read, or does not fit the head.
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
        """Extract the regions of each image by itself: padding beside a larger image would change pixels at the edge.

        Args:
            images: RGB images of any size.
        """
        refused: dict[int, Exception] = {}
        inputs, gone = [], []
        for number, image in enumerate(images):
            try:
                regions = look(self.extractor, image)
            except (NotApplicable, UsageError) as reason:
                refused[number] = reason.with_traceback(None)  # a traceback would keep the image in memory
                regions = _nothing(self.extractor.width)
            inputs.append(self.inputs(regions, image.size))
            gone.append(torch.zeros(len(regions.boxes), dtype=torch.bool) if regions.gone is None else regions.gone)
        tensors = [pad_sequence([*arrays], batch_first=True) for arrays in zip(*inputs, strict=True)]
        features = RegionFeatures.of(*map(self._place, tensors))
        return replace(features, refused=refused, gone=pad_sequence(gone, batch_first=True))

    def one_region(self) -> RegionFeatures:
        """Return a picture with one region of zeros, to try the network with: no region is found in a plain picture."""
        inputs = self.inputs(_nothing(self.extractor.width), PLAIN.size)
        features = RegionFeatures.of(*(self._place(array[None]) for array in inputs))
        return replace(features, gone=torch.zeros(1, 1, dtype=torch.bool))

    @torch.inference_mode()
    def mrc(self, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """Return P(word) as the class of the removed regions of each image, averaged over these regions.

        Args:
            encoded: n images, encoded by this model.
            texts: n texts.
            words: n lists of class names.

        Returns:
            For each text an array, shape (len(words[i]),), in [0, 1].

        Raises:
            UsageError: the model has no head for regions, or the names of its classes are not known.
            NotApplicable: no region was removed, a word is no class, or a text is too long.
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
        """Yield P(class), (classes,), of the removed regions of each row's image."""
        probs = log_softmax(self.region_logits(features, rows, [texts[row] for row in rows])).exp().double().cpu()
        for own_probs, row in zip(probs, rows, strict=True):
            gone = features.gone[features.index[row]]
            if not gone.any():
                raise NotApplicable("no region was taken out of the picture, so that none can be asked for")
            yield own_probs[gone].mean(0)

    def region_logits(self, features: Features, rows: Sequence[int], texts: Sequence[str]) -> Tensor:
        """Return the logits of the class of each region of each row's image, read with the row's text.

        Args:
            features: encoded images.
            rows: rows of the selection.
            texts: a text for each of these rows.

        Returns:
            Logits, (rows, regions, classes).
        """
        raise NotImplementedError

    def inputs(self, regions: Regions, size: tuple[int, int]) -> Sequence[Tensor]:
        """Return the network's inputs for the regions of one image, without a batch axis.

        Args:
            regions: the image's regions.
            size: (width, height) of the image in pixels.

        Returns:
            Arrays, each (regions, ...), one of them a mask. In a batch they are padded with zeros.
        """
        raise NotImplementedError

    def _place(self, tensor: Tensor) -> Tensor:
        """Return a tensor on the network's device, and in its dtype unless it holds whole numbers."""
        weight = next(self.network.parameters())
        return tensor.to(weight) if tensor.is_floating_point() else tensor.to(weight.device)


class HostedReader(ReadsRegions, Hosted):
    """A model of transformers that reads regions.

    Attributes:
        width: name of the config's setting for the number of features of a region.
    """

    width: ClassVar[str]

    @property
    def n_classes(self) -> int:
        """The number of classes of its head for regions; 0 if it has none."""
        return 0

    def __init__(
        self, name: str, fingerprint: str, network: PreTrainedModel, images: RegionExtractor, texts: Texts
    ) -> None:
        super().__init__(name, digest(fingerprint, images.fingerprint), network, images, texts)
        self.extractor = images

    @classmethod
    def load(cls, checkpoint: Pretrained, *, device: str = "cpu", dtype: str = "float32") -> Self:
        """Load a checkpoint, and the names of its classes of regions. See `Hosted.load`."""
        model = super().load(checkpoint, device=device, dtype=dtype)
        if "mrc" in cls.kinds:
            detector = expanded(checkpoint.detector)
            model.name_classes([checkpoint.folder, *([detector] if detector.is_dir() else [])], model.n_classes)
        return model

    def try_out(self) -> None:
        """Put one region and the longest question that the network reads through it.

        Raises:
            Exception: the parts of the checkpoint do not fit one another.
        """
        check_rows(self.texts.tokenizer, self.rows)
        ask_everything(self, self.one_region(), self.texts.longest("a"))

    @classmethod
    def viewer(cls, checkpoint: Pretrained, network: PreTrainedModel) -> RegionExtractor:
        """Load the detector that the spec names in place of an image processor. See `Hosted.viewer`."""
        width: int = getattr(network.config, cls.width)
        return find_extractor(checkpoint.detector, device=str(network.device), width=width)


def _nothing(width: int) -> Regions:
    """Return one region of zeros, in place of an image that is not asked about."""
    return Regions(torch.zeros(1, 4, dtype=torch.float64), torch.zeros(1, width, dtype=torch.float64))


def relative(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Return boxes in fractions of the image's width and height.

    Args:
        boxes: (n, 4): x1, y1, x2, y2 in pixels.
        size: (width, height) of the image in pixels.

    Returns:
        Boxes, (n, 4), in [0, 1].
    """
    return boxes / boxes.new_tensor(size).repeat(2)


def all_seen(regions: Regions) -> Tensor:
    """Return an attention mask of ones, (regions,)."""
    return torch.ones(len(regions.boxes), dtype=torch.long)
