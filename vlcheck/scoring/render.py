"""Rendering: the pixels of pictures, with each source decoded once, and thumbnails."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from PIL import Image, ImageChops

from vlcheck._util.foreign_code import contained
from vlcheck.cases.case import ImageSource
from vlcheck.cases.image_notes import strips
from vlcheck.cases.picture import UNCHANGED, Picture
from vlcheck.cases.rgb import to_rgb
from vlcheck.errors import ForeignFault, NotApplicable, UsageError
from vlcheck.metrics.answer import Answer

THUMBNAIL_SIDE = 256
THUMBNAIL_QUALITY = 80
LARGE_SIDE = 512
LARGE_QUALITY = 75
_COMMENT, _PIXELS = 0xFE, 0xDA  # markers of segments of a JPEG
_SIZE = re.compile(rb"(\d{1,9}) (\d{1,9})")  # the JPEG comment of a thumbnail: width and height of its original


@dataclass(frozen=True)
class _Decoded:
    """A decoded source, from which several edits can start."""

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
    """Render pictures; adjacent pictures of one source are rendered from one decoding.

    Yields:
        Each picture with its RGB pixels. If it has none, with the answer to all queries about it instead: an error if
        the source cannot be decoded or an edit raises, "unasked" if an edit does not apply or changes nothing.

    Raises:
        MemoryError: there is no room for a picture beside the others.
    """
    for _, group in groupby(pictures, key=lambda picture: picture.source.key):
        yield from _render_siblings(list(group))


def _render_siblings(siblings: Sequence[Picture]) -> Iterator[tuple[Picture, Image.Image | Answer]]:
    """Render pictures of one source; its memory is freed before the next source is opened."""
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
    del decoded, image  # memory: no edit starts from it any more
    yield last, outcome.pop()


def _render(picture: Picture, unedited: Image.Image) -> Image.Image | Answer:
    image = _attempt(picture.render)
    if isinstance(image, Answer):
        named = f"{', '.join(edit.name for edit in picture.edits)}: " if picture.edits and image.error else ""
        return replace(image, error=named + image.error)
    return Answer(unasked=UNCHANGED) if picture.edits and _equal(image, unedited) else image


def _attempt(draw: Callable[[], Image.Image]) -> Image.Image | Answer:
    """Return the pixels of a picture, or the answer that says why there are none. Raises MemoryError."""
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
    """Return a JPEG of at most THUMBNAIL_SIDE pixels on the long side, with the original's size in its comment."""
    return _jpeg(image, THUMBNAIL_SIDE, THUMBNAIL_QUALITY)


def large_jpeg(image: Image.Image) -> bytes:
    """Return a JPEG of at most LARGE_SIDE pixels on the long side, with the original's size in its comment."""
    return _jpeg(image, LARGE_SIDE, LARGE_QUALITY)


def _jpeg(image: Image.Image, longest: int, quality: int) -> bytes:
    scale = longest / max(longest, *image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    small = image.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=2.0)
    file = io.BytesIO()
    small.save(file, "JPEG", quality=quality, comment=" ".join(map(str, image.size)))
    return file.getvalue()


def size_of_shown(thumbnail: bytes) -> list[int]:
    """Return width and height in pixels of a thumbnail's original; an empty list if they are missing or damaged."""
    comment = next((content for marker, content in _segments(thumbnail) if marker == _COMMENT), b"")
    said = _SIZE.fullmatch(comment)
    return [int(side) for side in said.groups()] if said else []


def _segments(jpeg: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the marker and the content of each segment before the pixels, as far as they can be read."""
    at = 2  # after the marker of the start
    while jpeg[at : at + 1] == b"\xff" and len(jpeg) >= at + 4 and jpeg[at + 1] != _PIXELS:
        length = int.from_bytes(jpeg[at + 2 : at + 4])
        yield jpeg[at + 1], jpeg[at + 4 : at + 2 + length]
        at += 2 + length
