"""The only module that opens pictures of others: it accepts nothing but pictures, of limited size.

Pillow chooses a reader by a file's content, whatever its name, and some readers do more than read: PostScript is a
program, for which Ghostscript is started. The accepted formats are therefore listed, and checked before a reader is
called.
"""

from __future__ import annotations

import io
import math
import mmap
import re
import struct
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import IO, cast

from PIL import Image, TiffImagePlugin

from vlcheck._util.numbers import figure
from vlcheck.errors import UsageError

MOST_PIXELS = 100_000_000
MOST_BYTES = 1_000_000_000  # a file of 100 megapixels, four channels of 16 bits, uncompressed, has 800 million
MOST_SCANS = 200  # a JPEG usually has at most a dozen
MOST_PARTS = 200_000  # chunks of a PNG, segments of a JPEG's header; many programs write a chunk for each 8 kB
SMALL_PIXELS = 1_000_000  # largest size of the small copies in stores and results

Content = bytes | mmap.mmap
"""The content of a picture's file."""

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8"
_SCAN_MARKER = 0xDA
_ALONE = frozenset((0x00, 0x01, *range(0xD0, 0xDA), 0xFF))  # markers of JPEG that no length follows
_SCAN = re.compile(rb"\xff\xda")
_OF_SCANS = ("JPEG", "MPO")
_TILE_WIDTH, _TILE_LENGTH = 322, 323  # tags of TIFF

# Pillow's names of formats, and usual names. JPEG includes files of several pictures, as phones write them (MPO).
FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "JPEG": "JPEG",
        "PNG": "PNG",
        "WEBP": "WebP",
        "GIF": "GIF",
        "BMP": "BMP",
        "TIFF": "TIFF",
        "PPM": "PPM",
        "AVIF": "AVIF",  # if Pillow was built with it
    }
)

# Formats that messages name when they are refused: offset of the signature, signature, name.
_REFUSED: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%!PS", "PostScript (EPS)"),
    (0, b"\xc5\xd0\xd3\xc6", "PostScript (EPS)"),
    (0, b"%PDF", "PDF"),
    (0, b"8BPS", "Photoshop (PSD)"),
    (0, b"\xd7\xcd\xc6\x9a", "WMF"),
    (40, b" EMF", "EMF"),
    (0, b"\0\0\1\0", "ICO"),
    (0, b"icns", "ICNS"),
    (0, b"\xd0\xcf\x11\xe0", "an OLE document (FPX, MIC)"),
    (0, b"\0\0\0\x0cjP", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (0, b"\0\0\0\x0cJXL", "JPEG XL"),
    (4, b"ftyphei", "HEIC"),
    (4, b"ftyphev", "HEIC"),
    (0, b"<svg", "SVG"),
    (0, b"<?xml", "XML"),
    (0, b"<!DOCTYPE", "a web page"),
    (0, b"<html", "a web page"),
    (0, b"version https://git-lfs", "a pointer of Git LFS to the picture"),
)
_SIGNS = max(at + len(sign) for at, sign, _ in _REFUSED)  # bytes that are enough to recognise all of them


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """Open a picture's file to read its header.

    Raises:
        UsageError: If the file is not an accepted picture, or an error is raised while it is open; the message names
            the file and the fault.
    """
    check_file(path)
    try:
        with _reading("picture"):
            prefix = _prefix(path)
            _check_header(path, prefix)
            with _open(path, prefix, [*FORMATS], MOST_PIXELS) as image, _unwarned(image):
                yield image
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error


@contextmanager
def decoding(path: Path) -> Iterator[Image.Image]:
    """Open a picture's file to decode its pixels, which happens on first access.

    Raises:
        UsageError: If the file is not an accepted picture, or cannot be decoded.
    """
    with opened(path) as image:
        _check_scans(path, image)
        _check_tiles(image)
        yield image


@contextmanager
def opened_content(content: bytes, where: str) -> Iterator[Image.Image]:
    """Open a picture's content, as `opened` does with a file.

    Args:
        content: the content of a picture's file.
        where: the place that it is from, for messages.

    Raises:
        UsageError: If it is no accepted picture, or an error is raised while it is open.
    """
    try:
        if len(content) > MOST_BYTES:
            raise UsageError(_too_large(len(content)))
        with _reading("picture"):
            _check_parts(content, content[:_SIGNS])
            with _open(io.BytesIO(content), content[:_SIGNS], [*FORMATS], MOST_PIXELS) as image, _unwarned(image):
                yield image
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error


@contextmanager
def decoding_content(content: bytes, where: str) -> Iterator[Image.Image]:
    """Open a picture's content to decode its pixels, which happens on first access.

    Args:
        content: the content of a picture's file.
        where: the place that it is from, for messages.

    Raises:
        UsageError: If it is no accepted picture, or cannot be decoded.
    """
    with opened_content(content, where) as image:
        if image.format in _OF_SCANS:
            _demand_few_scans(content)
        _check_tiles(image)
        yield image


def open_jpeg(content: bytes, most: int = MOST_PIXELS) -> Image.Image:
    """Open a JPEG made by vlcheck, from a store or a results file; it is decoded on first access.

    Args:
        content: the whole file.
        most: the largest accepted number of pixels.

    Raises:
        UsageError: If it is not a JPEG, damaged, or too large.
    """
    with _reading("JPEG"):
        return _open(io.BytesIO(content), content[:_SIGNS], ["JPEG"], most)


def check_file(path: Path) -> None:
    """Raise UsageError unless a path names a regular file of acceptable size; reading a pipe would never end."""
    try:
        if not path.is_file():
            raise UsageError(f"{path}: {'is no file' if path.exists() else 'no such photograph'}.")
        size = path.stat().st_size
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}).") from error
    if size > MOST_BYTES:
        raise UsageError(f"{path}: {_too_large(size)}")


def _too_large(size: int) -> str:
    return f"has {_millions(size, MOST_BYTES)} megabytes; at most {_millions(MOST_BYTES)} are accepted."


@contextmanager
def _reading(what: str) -> Iterator[None]:
    """Raise UsageError for whatever a reader raises on damaged bytes, except for lack of memory."""
    try:
        yield
    except (UsageError, MemoryError):
        raise
    except Exception as error:
        raise UsageError(f"not a {what} that decodes ({error}).") from error


def _prefix(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_SIGNS)


def _open(source: Path | io.BytesIO, prefix: bytes, formats: Sequence[str], most: int) -> Image.Image:
    """Read the header with the readers of these formats alone.

    Raises:
        UsageError: If the content is of another format, or the picture has too many pixels.
    """
    try:
        image = _identified(source, prefix, formats)
    except Image.DecompressionBombError as error:
        raise UsageError(f"{error} At most {_millions(most)} megapixels are accepted.") from error
    width, height = image.size
    if width * height > most:
        image.close()
        raise UsageError(
            f"{width} x {height} pixels are {_millions(width * height, most)} megapixels;"
            f" at most {_millions(most)} are accepted. Scale it down."
        )
    return image


@contextmanager
def _unwarned(image: Image.Image) -> Iterator[None]:
    """Decode a TIFF of bearable size without Pillow's warning, which comes as it is decoded.

    Filters of warnings belong to all threads, and pictures are read in several: for no other picture is one changed.
    """
    large = image.width * image.height > (Image.MAX_IMAGE_PIXELS or math.inf)
    if image.format != "TIFF" or not large:
        yield
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def _identified(source: Path | io.BytesIO, prefix: bytes, formats: Sequence[str]) -> Image.Image:
    """Open a picture with the first reader that takes it, as `Image.open` does, but without its warning.

    Pillow warns of pictures a little under our limit.
    """
    Image.init()  # makes Pillow know all readers that it has
    for reader, accepts in (Image.OPEN[name] for name in formats if name in Image.OPEN):
        with suppress(SyntaxError, IndexError, TypeError, struct.error):  # by which a reader says that it is another's
            if not accepts or accepts(prefix) is True:
                if isinstance(source, io.BytesIO):
                    source.seek(0)
                return reader(cast(IO[bytes], source), "")  # it takes a path, too
    raise UsageError(_unidentified(prefix, formats))


def _check_header(path: Path, prefix: bytes) -> None:
    """Raise UsageError for a header that would take minutes to read."""
    if prefix.startswith((*_PARTS,)):
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            _check_parts(content, prefix)


def _check_parts(content: Content, prefix: bytes) -> None:
    """Raise UsageError for a header of too many parts; they can be empty, and number millions.

    Args:
        content: the content of the file.
        prefix: its beginning.
    """
    parts = next((walk for sign, walk in _PARTS.items() if prefix.startswith(sign)), None)
    if parts and sum(1 for _ in islice(parts(content), MOST_PARTS + 1)) > MOST_PARTS:
        raise UsageError(f"a header of more than {MOST_PARTS} parts. Save it again.")


def _chunks(content: Content) -> Iterator[int]:
    """Yield the offsets of the chunks of a PNG."""
    place = len(_PNG)
    while place + 4 <= len(content):
        yield place
        place += 12 + int.from_bytes(content[place : place + 4])


def _segments(content: Content) -> Iterator[int]:
    """Yield the offsets of a JPEG's segments up to the first scan, also of fill bytes and markers without length."""
    place = len(_JPEG)
    while place + 4 <= len(content) and content[place] == 0xFF and content[place + 1] != _SCAN_MARKER:
        yield place
        marker = content[place + 1]
        length = 0 if marker in _ALONE else max(int.from_bytes(content[place + 2 : place + 4]), 2)
        place += 1 if marker == 0xFF else 2 + length


_PARTS: Mapping[bytes, Callable[[Content], Iterator[int]]] = MappingProxyType({_PNG: _chunks, _JPEG: _segments})


def _check_scans(path: Path, image: Image.Image) -> None:
    """Raise UsageError for a JPEG that would take hours; a scan can be a few bytes, and goes over all pixels."""
    if image.format in _OF_SCANS:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            _demand_few_scans(content)


def _demand_few_scans(content: Content) -> None:
    scans = sum(1 for _ in _SCAN.finditer(content))
    if scans > MOST_SCANS:
        raise UsageError(f"a JPEG of {scans} scans; at most {MOST_SCANS} are accepted. Save it again.")


def _check_tiles(image: Image.Image) -> None:
    """Raise UsageError for a TIFF that would take all memory; a tile can be larger than its picture."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return
    width, length = (int(image.tag_v2.get(tag, 0)) for tag in (_TILE_WIDTH, _TILE_LENGTH))
    if width * length > MOST_PIXELS:
        raise UsageError(
            f"a TIFF in tiles of {width} x {length} pixels; at most {_millions(MOST_PIXELS)} megapixels are accepted."
            " Save it again."
        )


def _unidentified(prefix: bytes, formats: Sequence[str]) -> str:
    """Describe unaccepted content, and the accepted formats."""
    found = next((name for at, sign, name in _REFUSED if prefix[at:].startswith(sign)), "")
    known = [FORMATS[name] for name in formats]
    accepted = f"{', '.join(known[:-1])} and {known[-1]} are" if len(known) > 1 else f"{known[0]} is"
    return f"not a picture that decodes: {f'it holds {found}; ' if found else ''}{accepted} accepted by content."


def _millions(number: int, *limits: int) -> str:
    """Format bytes or pixels in millions, with enough digits to differ from the limits: 100.01."""
    return figure(number / 1e6, 0, [limit / 1e6 for limit in limits])
