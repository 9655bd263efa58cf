"""What a picture says of itself beside its pixels: the file it is of, and what was taken out of it.

A model gets pictures of Pillow, and one that reads a detector's regions has to know more: regions that were computed
beforehand are found by the file, and regions are taken out of a list, not out of pixels. Both stand in `Image.info`,
which Pillow hands on to whatever is made of a picture: a note may be out of date, and holds only for the same pixels.
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
    """What was taken out of a picture.

    Attributes:
        original: the picture before.
        boxes: whose regions are taken out, in its pixels; none for all regions.
    """

    original: Image.Image
    boxes: tuple[Box, ...]


def note_file(image: Image.Image, path: Path) -> None:
    """Say of which file a picture is."""
    image.info[_FILE] = path


def noted_file(image: Image.Image) -> Path | None:
    """The file that a picture was read from; it may have been edited since."""
    path = image.info.get(_FILE)
    return path if isinstance(path, Path) else None


def note_ablation(image: Image.Image, ablation: Ablation) -> None:
    """Say of which picture this one is what ablation left."""
    image.info[_ABLATION] = ablation, pixel_sha256(image)


def ablation_of(image: Image.Image) -> Ablation | None:
    """What was taken out of a picture; None where nothing was, or where the picture was edited since."""
    ablation, pixels = image.info.get(_ABLATION, (None, ""))
    return ablation if isinstance(ablation, Ablation) and pixels == pixel_sha256(image) else None


def pixel_sha256(image: Image.Image) -> str:
    """Digest mode, size and pixels: equal digests mean that a model sees the same."""
    digest = hashlib.sha256(f"{image.mode} {image.width}x{image.height} ".encode())
    for strip in strips(image.size):
        digest.update(image.crop(strip).tobytes())
    return digest.hexdigest()


def strips(size: tuple[int, int]) -> Iterator[tuple[int, int, int, int]]:
    """Yield boxes (left, upper, right, lower) that part a picture from top to bottom: what is done by strips takes no
    memory for the whole of it once more.
    """
    width, height = size
    rows = max(1, _STRIP // max(1, width))
    yield from ((0, top, width, min(top + rows, height)) for top in range(0, height, rows))
