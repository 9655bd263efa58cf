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
from vlcheck.models.regions.regions import RegionExtractor, Regions, regions_of


@dataclass(frozen=True, eq=False)
class RegionFeatures(Features):
    """Images as their regions. If the regions of an image cannot be extracted, any question about it raises the error.

    Attributes:
        refused: index of an image -> the error that its extraction raised.
        gone: True for the regions that were removed from their image, (images, regions).
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
    """The base class of models that read regions. They are extracted once for all texts of an image.

    Attributes:
        network: the network, in its dtype, on its device.
        texts: the tokenizer.
        extractor: finds the regions of a picture.
        classes: the classes of the head for regions, if their names are known.
    """

    network: Any
    texts: Texts
    extractor: RegionExtractor
    classes: RegionClasses

    def pictures_said(self) -> str:
        return f"regions of {type(self.extractor).__name__}, {self.extractor.width} features each"

    def texts_said(self) -> str:
        return self.texts.said()

    def name_classes(self, folders: Sequence[Path], size: int) -> None:
        """Offer mrc if the model has a head for regions, and one of the folders has the names of its classes.

        Args:
            folders: the folders to search, in order.
            size: number of classes of the head; 0 for no head.

        Raises:
            UsageError: the file of names cannot be read, or has another number of classes than the head.
        """
        classes = RegionClasses.read(folders, size) if size else None
        if classes:
            self.classes, self.fingerprint = classes, digest(self.fingerprint, repr(classes))
            return
        self.kinds = {metric: kind for metric, kind in self.kinds.items() if metric != "mrc"}
        places = " or ".join(str(folder / FILE) for folder in folders)
        why = f"the names of its classes of regions are not in {places}" if size else "it has no head for regions"
        self.lacks = {**self.lacks, "mrc": why}

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> RegionFeatures:
        """Extract the regions of each image separately: padding to a larger image would change pixels at the edge.

        Args:
            images: n RGB images of any size.
        """
        refused: dict[int, Exception] = {}
        inputs, gone = [], []
        for number, image in enumerate(images):
            try:
                regions = regions_of(self.extractor, image)
            except (NotApplicable, UsageError) as reason:
                refused[number] = reason.with_traceback(None)  # a traceback would keep the image in memory
                regions = _nothing(self.extractor.width)
            inputs.append(self.inputs(regions, image.size))
            gone.append(torch.zeros(len(regions.boxes), dtype=torch.bool) if regions.gone is None else regions.gone)
        tensors = [pad_sequence([*arrays], batch_first=True) for arrays in zip(*inputs, strict=True)]
        features = RegionFeatures.of(*map(self._place, tensors))
        return replace(features, refused=refused, gone=pad_sequence(gone, batch_first=True))

    def one_region(self) -> RegionFeatures:
        """Return an encoded picture with one region of zeros, for the trial at load."""
        inputs = self.inputs(_nothing(self.extractor.width), PLAIN.size)
        features = RegionFeatures.of(*(self._place(array[None]) for array in inputs))
        return replace(features, gone=torch.zeros(1, 1, dtype=torch.bool))

    @torch.inference_mode()
    def mrc(self, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """Return P(word) as the class of the regions that were removed from each image, averaged over these regions.

        Args:
            encoded: n images, encoded by this model.
            texts: n texts.
            words: n lists of names of classes.

        Returns:
            For each text an array, shape (len(words[i]),), in [0, 1].

        Raises:
            UsageError: the model has no head for regions, or the names of its classes are not known.
            NotApplicable: an image has no removed region, a word is no class, or a text is too long.
        """
        self._demand("mrc")
        features = own(encoded, texts, self)
        if not isinstance(features, RegionFeatures):
            raise TypeError(f"{self.name} needs images that it encoded itself, not {type(features).__name__}")
        numbers = [[self.classes.numbers_of(word) for word in asked] for asked in words]
        chunks = self._chunks(range(len(texts)))
        probs = chain.from_iterable(self._class_probs(features, rows, texts) for rows in chunks)
        return [
            np.array([float(of_classes[[*one]].sum()) for one in asked])
            for of_classes, asked in zip(probs, numbers, strict=True)
        ]

    def _class_probs(self, features: RegionFeatures, rows: Sequence[int], texts: Sequence[str]) -> Iterator[Tensor]:
        """Yield P(class), (classes,), of the removed regions of each row's image."""
        probs = log_softmax(self.region_logits(features, rows, [texts[row] for row in rows])).exp().double().cpu()
        for own_probs, row in zip(probs, rows, strict=True):
            gone = features.gone[features.index[row]]
            if not gone.any():
                raise NotApplicable("no region was taken out of the picture, so no class can be asked for")
            yield own_probs[gone].mean(0)

    def region_logits(self, features: Features, rows: Sequence[int], texts: Sequence[str]) -> Tensor:
        """Return the logits of the classes of all regions of each row's image, read together with a text.

        Args:
            features: encoded images.
            rows: rows of the selection.
            texts: one text for each row.

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
            Tensors, each (regions, ...), one of them an attention mask. A batch is padded with zeros.
        """
        raise NotImplementedError

    def _place(self, tensor: Tensor) -> Tensor:
        """Return a tensor on the network's device; floats also in the network's dtype."""
        weight = next(self.network.parameters())
        return tensor.to(weight) if tensor.is_floating_point() else tensor.to(weight.device)


class HostedReader(ReadsRegions, Hosted):
    """The base class of models of transformers that read regions.

    Attributes:
        width: the config's setting that states the number of features of a region.
    """

    width: ClassVar[str]

    @property
    def n_classes(self) -> int:
        """The number of classes of the head for regions; 0 if there is none."""
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
        """Run the network once on a region of zeros and on the longest text that it reads.

        Raises:
            Exception: the parts of the checkpoint do not fit one another.
        """
        check_rows(self.texts.tokenizer, self.rows)
        ask_everything(self, self.one_region(), self.texts.longest("a"))

    @classmethod
    def viewer(cls, checkpoint: Pretrained, network: PreTrainedModel) -> RegionExtractor:
        width: int = getattr(network.config, cls.width)
        return find_extractor(checkpoint.detector, device=str(network.device), width=width)


def _nothing(width: int) -> Regions:
    """Return one region of zeros, in place of the regions of an image that cannot be asked about."""
    return Regions(torch.zeros(1, 4, dtype=torch.float64), torch.zeros(1, width, dtype=torch.float64))


def relative(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Return boxes as fractions of the width and height of the image.

    Args:
        boxes: (n, 4): x1, y1, x2, y2 in pixels.
        size: (width, height) of the image in pixels.

    Returns:
        Boxes, (n, 4), in [0, 1].
    """
    return boxes / boxes.new_tensor(size).repeat(2)


def all_seen(regions: Regions) -> Tensor:
    """Return an attention mask of ones, (regions,), int64."""
    return torch.ones(len(regions.boxes), dtype=torch.long)
