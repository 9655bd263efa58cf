"""A part of a photograph, as a picture of its own."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from vlcheck._util.hashing import digest
from vlcheck.cases.box import Box
from vlcheck.cases.case import ImageFile
from vlcheck.datasets.boxes import in_full, is_seen, sticks_out
from vlcheck.datasets.fitness import MOVED
from vlcheck.errors import NotApplicable, UsageError

OUTSIDE = "box of the pair is no part of its picture"


@dataclass(frozen=True)
class PictureCrop:
    """The part of a photograph that a caption is about; it is cut out when its pixels are needed.

    Attributes:
        file: the photograph.
        box: the part, in pixels of the stored photograph.
    """

    file: ImageFile
    box: Box

    @property
    def key(self) -> str:
        """A digest of the photograph's content and of the part."""
        return digest("crop", self.file.key, *map(str, self._corners))

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        left, top, right, bottom = self._corners
        return right - left, bottom - top

    def open(self) -> Image.Image:
        """Decode the photograph, and cut out the part.

        Raises:
            UsageError: If the file cannot be read or decoded.
        """
        return self.file.open().crop(self._corners)

    def check(self) -> None:
        """Raise NotApplicable if the box is no part of the picture, or may refer to pixels that were turned."""
        if self.file.moved:
            raise NotApplicable(MOVED) from UsageError(str(self.file.path))
        if not is_seen(self.box) or sticks_out(self.box, self.file.size):
            raise NotApplicable(OUTSIDE) from UsageError(f"{self.file.path}: {in_full(self.box, self.file.size)}")

    @property
    def _corners(self) -> tuple[int, int, int, int]:
        """Left, upper, right and lower edge in whole pixels, within the photograph."""
        (width, height), box = self.file.size, self.box
        left, top = max(0, round(box.x)), max(0, round(box.y))
        return left, top, min(width, round(box.x + box.width)), min(height, round(box.y + box.height))
