"""Detection of files that hold the same picture, in whatever format."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vlcheck.cases.case import ImageSource
from vlcheck.cases.encoded_image import EncodedImage
from vlcheck.cases.tones import BLOCK, SIDE
from vlcheck.errors import UsageError

GLANCED = 2  # levels by which `EncodedImage.glance` may differ between two formats
BRIGHT, COLORED, MEAN = (
    8,
    40,
    2,
)  # levels by which blocks of a re-encoded copy may differ: in brightness, in one color, and in the mean
_STEP = 8  # levels of brightness in a group; only pictures of neighboring groups are compared


class _Glances:
    """The glances of pictures of one size and similar brightness, as rows of one array."""

    def __init__(self) -> None:
        self._images: list[EncodedImage] = []
        self._rows = np.empty((1, SIDE * SIDE), np.uint8)

    def add(self, image: EncodedImage, glance: NDArray[np.uint8]) -> None:
        """Add a picture.

        Args:
            image: the picture.
            glance: its glance, flat.
        """
        if len(self._images) == len(self._rows):
            self._rows = np.concatenate([self._rows, np.empty_like(self._rows)])
        self._rows[len(self._images)] = glance
        self._images.append(image)

    def near(self, glance: NDArray[np.uint8]) -> Iterator[EncodedImage]:
        """Yield the pictures whose glance differs by no more than two file formats do, in the order of their adding."""
        rows = self._rows[: len(self._images)]
        far = np.maximum(rows, glance) - np.minimum(rows, glance)
        return (self._images[at] for at in np.flatnonzero(far.max(axis=1) <= GLANCED))


@dataclass
class Copies:
    """The pictures seen so far; only those of one size and similar brightness are compared."""

    _first: dict[str, str] = field(default_factory=dict)
    _groups: dict[tuple[tuple[int, int], int], _Glances] = field(default_factory=lambda: defaultdict(_Glances))

    def key(self, image: ImageSource) -> str:
        """Return the key of the first picture seen of which this one is a copy, or its own key."""
        if image.key not in self._first:
            self._first[image.key] = self._original(image) if isinstance(image, EncodedImage) else image.key
        return self._first[image.key]

    def _original(self, image: EncodedImage) -> str:
        try:
            glance = image.glance.reshape(-1)
            group = int(glance.mean()) // _STEP
            copies = (other for other in self._near(image.size, group, glance) if _is_alike(image.open(), other.open()))
            if original := next(copies, None):
                return original.key
        except UsageError:  # the error is raised again when the picture is shown
            return image.key
        self._groups[image.size, group].add(image, glance)
        return image.key

    def _near(self, size: tuple[int, int], group: int, glance: NDArray[np.uint8]) -> Iterator[EncodedImage]:
        for near in (group, group - 1, group + 1):
            if (size, near) in self._groups:
                yield from self._groups[size, near].near(glance)


def _is_alike(one: Image.Image, other: Image.Image) -> bool:
    """Return True if two pictures differ by no more than encoding causes; a thing that moved differs by more."""
    apart, bright = _apart(one, other), _apart(one.convert("L"), other.convert("L"))
    return bool(bright.max() <= BRIGHT and apart.max() <= COLORED and apart.mean() < MEAN)


def _apart(one: Image.Image, other: Image.Image) -> NDArray[np.int16]:
    """Return the differences between the means of blocks, in levels."""
    means, others = (np.asarray(each.reduce(BLOCK)).astype(np.int16) for each in (one, other))
    apart: NDArray[np.int16] = np.abs(means - others)
    return apart
