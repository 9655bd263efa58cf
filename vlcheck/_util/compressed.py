"""Files that may be compressed, read from their beginning: plain, .gz, .bz2, .xz and .zst."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, cast

from vlcheck._util.foreign_files import demand_file
from vlcheck.errors import UsageError


class BrokenFile(Exception):
    """A file whose content ends, or is damaged, before its end; what was read before that place is valid."""


DAMAGE = (EOFError, OSError, lzma.LZMAError, zlib.error)
"""What reading raises where compressed content is damaged or ends too early."""


def _zstandard(path: Path) -> BinaryIO:
    """Open a file that zstd compressed. Raises UsageError without pyarrow, which reads it."""
    try:
        from pyarrow import input_stream
    except ImportError as error:
        raise UsageError(f"{path}: needs pyarrow to be decompressed: pip install 'vlcheck[tables]'.") from error
    file: BinaryIO = input_stream(str(path), compression="zstd")
    return file


def _plain(path: Path) -> BinaryIO:
    return path.open("rb")


_OPENERS: Mapping[str, Callable[[Path], BinaryIO]] = MappingProxyType(
    {
        ".gz": lambda path: cast(BinaryIO, gzip.GzipFile(path)),
        ".tgz": lambda path: cast(BinaryIO, gzip.GzipFile(path)),
        ".bz2": lambda path: cast(BinaryIO, bz2.BZ2File(path)),
        ".xz": lambda path: cast(BinaryIO, lzma.LZMAFile(path)),  # noqa: SIM115 - its caller closes it
        ".zst": _zstandard,
    }
)


def is_compressed(path: Path) -> bool:
    """Return True if a file's name says that it is compressed."""
    return path.suffix.lower() in _OPENERS


def plain_suffix(path: Path) -> str:
    """Return the suffix of a file without that of its compression, in lower case: ".json" of "a.json.gz"."""
    if path.suffix.lower() == ".tgz":
        return ".tar"
    return (Path(path.stem) if is_compressed(path) else path).suffix.lower()


@contextmanager
def decompressed(path: Path) -> Iterator[BinaryIO]:
    """Open a file to read its content, decompressed if its name says that it is compressed.

    Raises:
        UsageError: If it is no file that can be opened.
        BrokenFile: If reading comes to a place where the compressed content is damaged, or ends too early.
    """
    demand_file(path)
    try:
        file = _OPENERS.get(path.suffix.lower(), _plain)(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror or error}).") from error
    with file:
        try:
            yield file
        except DAMAGE as error:
            raise BrokenFile(f"{path}: its content is damaged or ends too early ({error})") from error
