"""Photographs as they are stored: in a file of their own, or as bytes within a larger file."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from vlcheck._util.image_files import check_file, decoding, decoding_content, opened, opened_content
from vlcheck.cases.image_notes import note_file
from vlcheck.cases.rgb import to_rgb
from vlcheck.cases.tones import glance, is_colorless
from vlcheck.errors import UsageError

_ORIENTATION = 0x0112
_ORIENTATIONS, _TURNED = range(1, 9), range(5, 9)


class EncodedImage(ABC):
    """A photograph in a format of picture files, turned upright by its EXIF orientation."""

    @property
    @abstractmethod
    def key(self) -> str:
        """The SHA-256 of the encoded content, in hexadecimal digits."""

    @property
    @abstractmethod
    def place(self) -> str:
        """The place that it is stored in, for messages."""

    @abstractmethod
    def _header(self) -> AbstractContextManager[Image.Image]:
        """Open the picture to read its header. Raises UsageError if it is no accepted picture."""

    @abstractmethod
    def _pixels(self) -> AbstractContextManager[Image.Image]:
        """Open the picture to decode it. Raises UsageError if it is no accepted picture, or cannot be decoded."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, upright."""
        (width, height), orientation = self._header_says
        return (height, width) if orientation in _TURNED else (width, height)

    @property
    def stored(self) -> tuple[int, int]:
        """Width and height of the stored pixels, before they are turned upright."""
        return self._header_says[0]

    @property
    def moved(self) -> bool:
        """True if the stored pixels are mirrored or turned to stand upright."""
        return self._header_says[1] != 1

    @cached_property
    def _header_says(self) -> tuple[tuple[int, int], int]:
        """Width and height of the stored pixels, and the EXIF orientation, 1 to 8."""
        with self._header() as image:
            orientation = image.getexif().get(_ORIENTATION, 1)
            return image.size, orientation if orientation in _ORIENTATIONS else 1

    @cached_property
    def colorless(self) -> bool:
        """True if the picture has no color."""
        with self._pixels() as image:
            return is_colorless(image)

    @property
    def glance(self) -> NDArray[np.uint8]:
        """Brightness of the parts of the stored picture: (16, 16), uint8; file formats differ by two levels at most."""
        with self._pixels() as image:
            return glance(image)

    def open(self) -> Image.Image:
        """Decode to an upright RGB image.

        Raises:
            UsageError: If the picture cannot be read or decoded.
        """
        with self._pixels() as image:
            ImageOps.exif_transpose(image, in_place=True)
            upright = to_rgb(image)
            return image.copy() if upright is image else upright  # a copy no longer refers to its file

    def check(self) -> None:
        """Raise UsageError unless the picture exists and its header describes one of acceptable size."""
        _ = self.size


@dataclass(frozen=True)
class ImageFile(EncodedImage):
    """A photograph on disk.

    Attributes:
        path: the file.
    """

    path: Path

    @property
    def place(self) -> str:
        return str(self.path)

    @cached_property
    def key(self) -> str:
        """The SHA-256 of the file's content, in hexadecimal digits."""
        check_file(self.path)
        try:
            with self.path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise UsageError(f"{self.path}: cannot be read ({error.strerror}).") from error

    def open(self) -> Image.Image:
        """Decode the file to an upright RGB image.

        Raises:
            UsageError: If the file cannot be read or decoded.
        """
        upright = super().open()
        note_file(upright, self.path)
        return upright

    def _header(self) -> AbstractContextManager[Image.Image]:
        return opened(self.path)

    def _pixels(self) -> AbstractContextManager[Image.Image]:
        return decoding(self.path)


@dataclass(frozen=True)
class ImageWithin(EncodedImage):
    """A photograph within a larger file, which is read again whenever it is needed, and not kept.

    Attributes:
        where: the place that it is stored in, for messages; no other photograph has the same.
        read: reads the encoded content. Raises UsageError if it cannot be read.
    """

    where: str
    read: Callable[[], bytes] = field(compare=False, repr=False)

    @property
    def place(self) -> str:
        return self.where

    @cached_property
    def key(self) -> str:
        """The SHA-256 of the encoded content, in hexadecimal digits."""
        return hashlib.sha256(self.read()).hexdigest()

    def _header(self) -> AbstractContextManager[Image.Image]:
        return opened_content(self.read(), self.place)

    def _pixels(self) -> AbstractContextManager[Image.Image]:
        return decoding_content(self.read(), self.place)
