"""Cases: one image, a caption that is true of it, and the word of the caption that is tested."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from vlcheck._util.image_files import check_file, decoding, opened
from vlcheck.cases.box import Box
from vlcheck.cases.image_notes import note_file
from vlcheck.cases.rgb import to_rgb
from vlcheck.cases.tones import glance, is_colorless
from vlcheck.cases.words import words_of
from vlcheck.errors import UsageError

MASK = "[MASK]"
_ORIENTATION = 0x0112
_ORIENTATIONS, _TURNED = range(1, 9), range(5, 9)


def filled(template: str, word: str) -> str:
    """Return a text with a word in the place of its mask.

    Args:
        template: the text, with "[MASK]".
        word: the word.
    """
    return template.replace(MASK, word)


class ImageSource(Protocol):
    """An image that is opened only when its pixels are needed."""

    @property
    def key(self) -> str:
        """A digest of the content: equal keys mean equal pixels."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, known without decoding."""

    def open(self) -> Image.Image:
        """Decode to RGB."""


@dataclass(frozen=True)
class ImageFile:
    """A photograph on disk, turned upright by its EXIF orientation.

    Attributes:
        path: the file.
    """

    path: Path

    @cached_property
    def key(self) -> str:
        """The SHA-256 of the file's content, in hexadecimal digits."""
        check_file(self.path)
        try:
            with self.path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise UsageError(f"{self.path}: cannot be read ({error.strerror}).") from error

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
        with opened(self.path) as image:
            orientation = image.getexif().get(_ORIENTATION, 1)
            return image.size, orientation if orientation in _ORIENTATIONS else 1

    @cached_property
    def colorless(self) -> bool:
        """True if the picture has no color."""
        with decoding(self.path) as image:
            return is_colorless(image)

    @cached_property
    def glance(self) -> NDArray[np.uint8]:
        """Brightness of the parts of the stored picture: (16, 16), uint8; file formats differ by two levels at most."""
        with decoding(self.path) as image:
            return glance(image)

    def open(self) -> Image.Image:
        """Decode the file to an upright RGB image.

        Raises:
            UsageError: If the file cannot be read or decoded.
        """
        with decoding(self.path) as image:
            ImageOps.exif_transpose(image, in_place=True)
            upright = to_rgb(image)
            upright = image.copy() if upright is image else upright  # a copy no longer refers to its file
        note_file(upright, self.path)
        return upright

    def check(self) -> None:
        """Raise UsageError unless the file exists and its header describes a picture of acceptable size."""
        _ = self.size


@dataclass(frozen=True, kw_only=True)
class Case:
    """One image, a caption that is true of it, and the target word that is tested.

    Attributes:
        id: unique within its source, ASCII, usable as a pytest id.
        image: the source of the picture.
        caption: a true sentence about the picture, with its contextual hint; contains `target` exactly once as a word.
        target: the word that is masked.
        bare: a short text without the hint, with "[MASK]" in the target's place; None if it would not identify the
            target.
        candidates: words that could replace the target and would make the text false. P(target) is renormalised over
            the target and these words; without any it is used as it is.
        foils: whole sentences that are false of the picture, for what no other word says: plurals, existence, who does
            what to whom. A model that only compares texts compares the caption with them.
        about: words, in lower case, that must be true of a picture for the caption to be true; a picture that lacks one
            of them refutes the caption. By default the words of the target.
        present: words, in lower case, that are true of the picture, or not known to be false.
        region: boxes of the thing that the target names, in pixels of the upright source image.
        tags: the target's kind ("object", "color", "side", "hand"...) and further tags that selections ask for.
        source: origin of the picture, for attribution.
        licence: licence under which the picture may be shown.
        masked: the caption with "[MASK]" in the target's place; computed.

    Example:
        >>> picture = ImageFile(Path("cat.jpg"))  # opened only when its pixels are needed
        >>> Case(id="cat", image=picture, caption="A cat on a sofa", target="cat", tags=frozenset({"object"})).masked
        'A [MASK] on a sofa'
    """

    id: str
    image: ImageSource
    caption: str
    target: str
    bare: str | None = None
    candidates: tuple[str, ...] = ()
    foils: tuple[str, ...] = ()
    about: frozenset[str] = frozenset()
    present: Set[str] = frozenset()
    region: tuple[Box, ...] = ()
    tags: frozenset[str] = frozenset()
    source: str = ""
    licence: str = ""
    masked: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        found = len(word_pattern(self.target).findall(self.caption))
        if found != 1:
            times = "is not a word of" if not found else f"is {found} times in"
            raise UsageError(
                f"case {self.id}: the target {self.target!r} {times} the caption {self.caption!r};"
                " it has to be there exactly once."
            )
        if self.bare is not None and self.bare.count(MASK) != 1:
            raise UsageError(f"case {self.id}: bare {self.bare!r} has to hold {MASK} exactly once.")
        if amiss := foil_fault(self.caption, self.foils):
            raise UsageError(f"case {self.id}: the foil {amiss}.")
        if not self.about:
            object.__setattr__(self, "about", words_of(self.target))
        object.__setattr__(self, "masked", word_pattern(self.target).sub(MASK, self.caption))

    def refuted_by(self, other: Case) -> bool:
        """Return True if the caption is known to be false of the other case's picture."""
        return self.image.key != other.image.key and not self.about <= other.present


def foil_fault(caption: str, foils: Iterable[str]) -> str:
    """Return why some texts cannot be the foils of a caption; "" if they can.

    Args:
        caption: the caption.
        foils: the texts, compared without regard to case and spaces.
    """
    seen: dict[str, str] = {folded(caption): "is the caption itself; a foil has to be false of the picture"}
    for foil in foils:
        if not foil.strip():
            return f"{foil!r} is empty; it has to be a whole sentence"
        if MASK in foil:
            return f"{foil!r} holds {MASK}; it has to be a whole sentence"
        if why := seen.get(folded(foil)):
            return f"{foil!r} {why}"
        seen[folded(foil)] = "is there twice; each is compared with the caption once"
    return ""


def folded(text: str) -> str:
    """Return a text in the form in which words and foils are compared: without regard to case and spaces."""
    return " ".join(text.casefold().split())


def word_pattern(word: str) -> re.Pattern[str]:
    """Return a case-insensitive pattern for a word that is not part of a longer one ("left" is not in "leftover")."""
    return re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])", re.IGNORECASE)
