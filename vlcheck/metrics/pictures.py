"""Pictures that are given to a metric as they are, not encoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image


@dataclass(frozen=True)
class Pictures:
    """A selection of pictures; it takes the place of encoded images where a metric reads the pictures themselves.

    Attributes:
        images: RGB images.
    """

    images: tuple[Image.Image, ...]

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: Sequence[int]) -> Pictures:
        return Pictures(tuple(self.images[number] for number in index))
