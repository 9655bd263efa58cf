"""Detection of files that hold the same picture, in whatever format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vlcheck.cases.case import ImageSource
from vlcheck.cases.encoded_image import EncodedImage
from vlcheck.cases.tones import BLOCK
from vlcheck.errors import UsageError

GLANCED = 2  # levels by which `EncodedImage.glance` may differ between two formats
BRIGHT, COLORED, MEAN = (
    8,
    40,
    2,
)  # levels by which blocks of a re-encoded copy may differ: in brightness, in one color, and in the mean
_STEP = 8  # levels of brightness in a group; only pictures of neighboring groups are compared


class _Seen(NamedTuple):
    image: EncodedImage
    glance: NDArray[np.int16]


@dataclass
class Copies:
    """The pictures seen so far; only those of one size and similar brightness are compared."""

    _first: dict[str, str] = field(default_factory=dict)
    _groups: dict[tuple[tuple[int, int], int], list[_Seen]] = field(default_factory=dict)

    def key(self, image: ImageSource) -> str:
        """Return the key of the first picture seen of which this one is a copy, or its own key."""
        if image.key not in self._first:
            self._first[image.key] = self._original(image) if isinstance(image, EncodedImage) else image.key
        return self._first[image.key]

    def _original(self, image: EncodedImage) -> str:
        try:
            seen = _Seen(image, image.glance.astype(np.int16))
            group = int(seen.glance.mean()) // _STEP
            copies = (other for other in self._near(image.size, group) if _is_copy(seen, other))
            if original := next(copies, None):
                return original.image.key
        except UsageError:  # the error is raised again when the picture is shown
            return image.key
        self._groups.setdefault((image.size, group), []).append(seen)
        return image.key

    def _near(self, size: tuple[int, int], group: int) -> Iterator[_Seen]:
        for near in (group, group - 1, group + 1):
            yield from self._groups.get((size, near), ())


def _is_copy(one: _Seen, other: _Seen) -> bool:
    return np.abs(one.glance - other.glance).max() <= GLANCED and _is_alike(one.image.open(), other.image.open())


def _is_alike(one: Image.Image, other: Image.Image) -> bool:
    """Return True if two pictures differ by no more than encoding causes; a thing that moved differs by more."""
    apart, bright = _apart(one, other), _apart(one.convert("L"), other.convert("L"))
    return bool(bright.max() <= BRIGHT and apart.max() <= COLORED and apart.mean() < MEAN)


def _apart(one: Image.Image, other: Image.Image) -> NDArray[np.int16]:
    """Return the differences between the means of blocks, in levels."""
    means, others = (np.asarray(each.reduce(BLOCK)).astype(np.int16) for each in (one, other))
    apart: NDArray[np.int16] = np.abs(means - others)
    return apart
