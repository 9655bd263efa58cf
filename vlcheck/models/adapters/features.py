"""Images as a model keeps them between questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import torch
from torch import Tensor


@dataclass
class LastReading:
    """The latest predictions at one mask, or as an answer, of these images and texts.

    Attributes:
        of: the images and texts.
        log_probs: what was predicted.
        compared: the images and texts of which words were compared last.
        masses: how likely any of these words is, text by text.
    """

    of: tuple[tuple[int, ...], tuple[str, ...]] = ((), ())
    log_probs: Tensor | None = None
    compared: tuple[tuple[int, ...], tuple[str, ...]] = ((), ())
    masses: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class Features:
    """What a model made of images before any text, and which of the images are meant.

    Attributes:
        tensors: each (images, ...): tokens of an encoder, or pixels and their mask where image and text are read
            together.
        index: the images meant, in order.
        last: what was read over them last; lives and goes with the features, shared by every selection of them.
    """

    tensors: tuple[Tensor, ...]
    index: tuple[int, ...]
    last: LastReading = field(default_factory=LastReading)

    @classmethod
    def of(cls, *tensors: Tensor) -> Self:
        """All images of tensors (images, ...)."""
        return cls(tensors, tuple(range(len(tensors[0]))))

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, index: Sequence[int]) -> Self:
        return replace(self, index=tuple(self.index[number] for number in index))

    def each(self, rows: Sequence[int]) -> tuple[Tensor, ...]:
        """Copy out the tensors of the image that each of these rows of the selection means: (rows, ...)."""
        chosen = [self.index[row] for row in rows]
        return tuple(tensor[chosen] for tensor in self.tensors)

    def distinct(self, rows: Sequence[int]) -> tuple[tuple[Tensor, ...], Tensor]:
        """Copy out each image that these rows mean once, and say which of those each row means, (rows,)."""
        chosen = [self.index[row] for row in rows]
        places = {image: place for place, image in enumerate(dict.fromkeys(chosen))}
        images = torch.tensor([places[image] for image in chosen], device=self.tensors[0].device)
        return tuple(tensor[[*places]] for tensor in self.tensors), images
