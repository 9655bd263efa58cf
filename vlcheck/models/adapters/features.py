"""Encoded images, which a model keeps between questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import torch
from torch import Tensor


@dataclass
class LastReading:
    """The latest predictions over a selection of images with texts: at one mask, or of an answer.

    Attributes:
        of: the images and texts that `log_probs` belong to.
        wording: the wording of the question that they belong to; "" for predictions at a mask.
        log_probs: log-probabilities; None before the first question.
        cut: for each text whether the thought before the answer did not end itself; empty without thoughts.
        compared: the images and texts whose words were compared last.
        masses: for each of these texts, the probability that one of the compared words occurs.
    """

    of: tuple[tuple[int, ...], tuple[str, ...]] = ((), ())
    wording: str = ""
    log_probs: Tensor | None = None
    cut: tuple[bool, ...] = ()
    compared: tuple[tuple[int, ...], tuple[str, ...]] = ((), ())
    masses: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class Features:
    """Images that a model encoded before it read any text, and a selection of them.

    Attributes:
        tensors: each (images, ...): tokens of an encoder; or pixels and their mask, if the model reads image and text
            together.
        index: the selected images, in order; an image may be selected several times.
        last: the latest predictions; shared by all selections of the same images.
    """

    tensors: tuple[Tensor, ...]
    index: tuple[int, ...]
    last: LastReading = field(default_factory=LastReading)

    @classmethod
    def of(cls, *tensors: Tensor) -> Self:
        """Return a selection of all images.

        Args:
            tensors: each (images, ...).
        """
        return cls(tensors, tuple(range(len(tensors[0]))))

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, index: Sequence[int]) -> Self:
        return replace(self, index=tuple(self.index[number] for number in index))

    def each(self, rows: Sequence[int]) -> tuple[Tensor, ...]:
        """Return the tensors of the images of some rows of the selection, each (rows, ...)."""
        chosen = [self.index[row] for row in rows]
        return tuple(tensor[chosen] for tensor in self.tensors)

    def distinct(self, rows: Sequence[int]) -> tuple[tuple[Tensor, ...], Tensor]:
        """Return the images of some rows of the selection, each image once.

        Args:
            rows: rows of the selection.

        Returns:
            Tensors, each (distinct images, ...), and for each row the index of its image in these, (rows,).
        """
        chosen = [self.index[row] for row in rows]
        places = {image: place for place, image in enumerate(dict.fromkeys(chosen))}
        images = torch.tensor([places[image] for image in chosen], device=self.tensors[0].device)
        return tuple(tensor[[*places]] for tensor in self.tensors), images
