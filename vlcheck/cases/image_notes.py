"""Notes that travel with a picture beside its pixels: the file that it was read from, and regions that were removed.

A model receives Pillow images. A model that reads a detector's regions needs more: regions that were computed
beforehand are found by the file's name, and regions are removed from a list, not from pixels. Both notes are kept in
`Image.info`, which Pillow copies to every image that is derived from this one. A note may therefore be out of date; it
is valid only for the same pixels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

if TYPE_CHECKING:
    from vlcheck.cases.box import Box

_STRIP = 1_000_000  # pixels
_FILE = "vlcheck file"
_ABLATION = "vlcheck ablation"


class Ablation(NamedTuple):
    """A note of regions that were removed from a picture.

    Attributes:
        original: the picture before.
        boxes: boxes of the removed regions, in pixels of the original; none means all regions.
    """

    original: Image.Image
    boxes: tuple[Box, ...]


def note_file(image: Image.Image, path: Path) -> None:
    """Note the file that a picture was read from.

    Args:
        image: the picture; its `info` is changed.
        path: the file.
    """
    image.info[_FILE] = path


def noted_file(image: Image.Image) -> Path | None:
    """Return the file that a picture was read from, or None; the picture may have been edited since."""
    path = image.info.get(_FILE)
    return path if isinstance(path, Path) else None


def note_ablation(image: Image.Image, ablation: Ablation) -> None:
    """Note the regions that were removed to make this picture.

    Args:
        image: the picture after; its `info` is changed.
        ablation: the picture before, and the boxes.
    """
    image.info[_ABLATION] = ablation, pixel_sha256(image)


def ablation_of(image: Image.Image) -> Ablation | None:
    """Return the note of removed regions; None if there is none, or if the picture was edited since."""
    ablation, pixels = image.info.get(_ABLATION, (None, ""))
    return ablation if isinstance(ablation, Ablation) and pixels == pixel_sha256(image) else None


def pixel_sha256(image: Image.Image) -> str:
    """Hash mode, size and pixels: equal hashes mean that a model sees the same picture."""
    digest = hashlib.sha256(f"{image.mode} {image.width}x{image.height} ".encode())
    for strip in strips(image.size):
        digest.update(image.crop(strip).tobytes())
    return digest.hexdigest()


def strips(size: tuple[int, int]) -> Iterator[tuple[int, int, int, int]]:
    """Yield horizontal strips of a picture, so that work in strips needs little memory.

    Args:
        size: width and height in pixels.

    Yields:
        Boxes (left, upper, right, lower) in pixels, from top to bottom.
    """
    width, height = size
    rows = max(1, _STRIP // max(1, width))
    yield from ((0, top, width, min(top + rows, height)) for top in range(0, height, rows))
