"""From pictures to pixels: each source is decoded once, and what cannot be shown says why."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from PIL import Image, ImageChops

from vlcheck.cases.case import ImageSource
from vlcheck.cases.rgb import to_rgb
from vlcheck.errors import ForeignFault, NotApplicable, UsageError
from vlcheck.foreign import contained
from vlcheck.query import UNCHANGED, Picture
from vlcheck.scoring.answer import Answer

THUMBNAIL_SIDE = 256
THUMBNAIL_QUALITY = 80


@dataclass(frozen=True)
class _Decoded:
    """A source that has been decoded, so that several edits can begin from it."""

    origin: ImageSource
    image: Image.Image

    @property
    def key(self) -> str:
        return self.origin.key

    @property
    def size(self) -> tuple[int, int]:
        return self.image.size

    def open(self) -> Image.Image:
        return self.image.copy()


def render_all(pictures: Iterable[Picture]) -> Iterator[tuple[Picture, Image.Image | Answer]]:
    """Render pictures, those of one source from one decoding where they are adjacent.

    Yields:
        Each picture with its RGB pixels, or with the answer to all that is asked about it: an error where it does
        not decode, or an edit raises; unasked where an edit does not apply, or has changed nothing.

    Raises:
        MemoryError: there is no room for a picture beside the others.
    """
    for _, group in groupby(pictures, key=lambda picture: picture.source.key):
        siblings = list(group)
        source = siblings[0].source
        image = _attempt(source.open)
        if isinstance(image, Answer):
            yield from ((picture, image) for picture in siblings)
            continue
        decoded = _Decoded(source, image)
        for picture in siblings:
            yield picture, _render(replace(picture, source=decoded), image)


def _render(picture: Picture, unedited: Image.Image) -> Image.Image | Answer:
    image = _attempt(picture.render)
    if isinstance(image, Answer):
        named = f"{', '.join(edit.name for edit in picture.edits)}: " if picture.edits and image.error else ""
        return replace(image, error=named + image.error)
    return Answer(unasked=UNCHANGED) if picture.edits and _equal(image, unedited) else image


def _attempt(draw: Callable[[], Image.Image]) -> Image.Image | Answer:
    """Draw a picture, or say why there is none. Raises MemoryError."""
    try:
        with contained():
            return to_rgb(draw())
    except NotApplicable as reason:
        return Answer(unasked=str(reason))
    except (UsageError, ForeignFault) as error:
        if isinstance(error.__cause__, MemoryError):
            raise error.__cause__ from None
        return Answer(error=str(error))


def _equal(image: Image.Image, other: Image.Image) -> bool:
    return image.size == other.size and ImageChops.difference(image, other).getbbox() is None


def thumbnail_jpeg(image: Image.Image) -> bytes:
    """Shrink to at most THUMBNAIL_SIDE pixels on the long side, as JPEG; a comment says what it is a copy of."""
    small = image.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    file = io.BytesIO()
    small.save(file, "JPEG", quality=THUMBNAIL_QUALITY, comment=" ".join(map(str, image.size)))
    return file.getvalue()


def size_of_shown(thumbnail: bytes) -> list[int]:
    """Width and height, in pixels, of what a thumbnail is a copy of; empty where an older vlcheck made it."""
    with Image.open(io.BytesIO(thumbnail)) as image:
        return [int(side) for side in image.info.get("comment", b"").split()]
