"""From pictures to pixels: each source is decoded once, and what cannot be shown says why."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from PIL import Image, ImageChops

from vlcheck._util.foreign_code import contained
from vlcheck._util.image_files import SMALL_PIXELS, open_jpeg
from vlcheck.cases.case import ImageSource
from vlcheck.cases.image_notes import strips
from vlcheck.cases.picture import UNCHANGED, Picture
from vlcheck.cases.rgb import to_rgb
from vlcheck.errors import ForeignFault, NotApplicable, UsageError
from vlcheck.metrics.answer import Answer

THUMBNAIL_SIDE = 256
THUMBNAIL_QUALITY = 80
_SIZE = re.compile(rb"(\d{1,9}) (\d{1,9})")  # a thumbnail's comment


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
        yield from _render_siblings(list(group))


def _render_siblings(siblings: Sequence[Picture]) -> Iterator[tuple[Picture, Image.Image | Answer]]:
    """Render pictures of one source, which is out of memory before the next one is opened."""
    source = siblings[0].source
    image = _attempt(source.open)
    if isinstance(image, Answer):
        yield from ((picture, image) for picture in siblings)
        return
    decoded = _Decoded(source, image)
    *others, last = siblings
    for picture in others:
        yield picture, _render(replace(picture, source=decoded), image)
    outcome = [_render(replace(last, source=decoded), image) if last.edits else image]
    del decoded, image  # memory: nobody begins from it any more
    yield last, outcome.pop()


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
    return image.size == other.size and not any(
        ImageChops.difference(image.crop(strip), other.crop(strip)).getbbox() for strip in strips(image.size)
    )


def thumbnail_jpeg(image: Image.Image) -> bytes:
    """Shrink to at most THUMBNAIL_SIDE pixels on the long side, as JPEG; a comment says what it is a copy of."""
    scale = THUMBNAIL_SIDE / max(THUMBNAIL_SIDE, *image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    small = image.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=2.0)
    file = io.BytesIO()
    small.save(file, "JPEG", quality=THUMBNAIL_QUALITY, comment=" ".join(map(str, image.size)))
    return file.getvalue()


def size_of_shown(thumbnail: bytes) -> list[int]:
    """Width and height, in pixels, of what a thumbnail is a copy of; empty where it does not say so, or is damaged."""
    try:
        with open_jpeg(thumbnail, SMALL_PIXELS) as image:
            said = _SIZE.fullmatch(image.info.get("comment", b""))
    except UsageError:
        return []
    return [int(side) for side in said.groups()] if said else []
