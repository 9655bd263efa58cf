"""WebDataset shards: tar files in which neighboring members of one name are a sample.

They are read by the standard library: vlcheck takes samples in order, and the place of each picture in its shard. The
package webdataset shuffles, decodes and batches for trainings, and gives no such place.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import msgspec

from vlcheck._util.compressed import BrokenFile, decompressed, is_compressed
from vlcheck.datasets.tables.columns import USUAL
from vlcheck.datasets.tables.paths import files_of
from vlcheck.datasets.tables.table import TableChunk
from vlcheck.errors import UsageError, printable

SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")
LARGEST_TEXT = 1 << 24  # bytes of a member that is read as a text
_SAMPLED = 100  # samples whose members are looked at to know the columns
_AT_ONCE = 1_000  # samples of a chunk
_BLOCK = 512
_NAME = re.compile(r"((?:.*/)?[^/.]+)\.([^/]+)", re.DOTALL)  # a sample's name ends at the first dot of the last part


@dataclass
class _Sample:
    """Members of one name: their texts, and the places of all of them, by suffix."""

    key: str
    texts: dict[str, object] = field(default_factory=dict)
    places: dict[str, tuple[int, int]] = field(default_factory=dict)

    def named(self, column: str) -> object:
        """Return a text; `json.NAME` is a key of the member `json`."""
        if column in self.texts or not column.startswith("json."):
            return self.texts.get(column)
        document = self.texts.get("json")
        return document.get(column.removeprefix("json.")) if isinstance(document, dict) else None


@dataclass(frozen=True)
class ShardRow:
    """A sample of a shard.

    Attributes:
        path: the shard.
        key: the name of the sample.
        places: offset and size of its members, in bytes, by suffix.
    """

    path: Path
    key: str
    places: Mapping[str, tuple[int, int]]

    @property
    def name(self) -> str:
        return f"{self.path.name}-{self.key}"

    @property
    def where(self) -> str:
        return f"{self.path}: {printable(self.key)}"

    def value(self, column: str) -> object:
        _demand_plain(self.path)
        suffix = next((one for one in (column, *USUAL["image"]) if one in self.places), None)
        if suffix is None:
            return None
        offset, size = self.places[suffix]
        try:
            with self.path.open("rb") as file:
                file.seek(offset)
                return file.read(size)
        except OSError as error:
            raise UsageError(f"{self.path}: cannot be read ({error.strerror}).") from error


@dataclass(frozen=True)
class ShardPart:
    """A shard.

    Attributes:
        path: the tar file.
    """

    path: Path

    @property
    def where(self) -> str:
        return str(self.path)

    @property
    def folder(self) -> Path:
        return self.path.parent

    def columns(self) -> Sequence[str]:
        names: dict[str, None] = {}
        try:
            for sample in islice(_samples(self.path, {"json"}), _SAMPLED):
                names |= dict.fromkeys(sample.places)
                document = sample.texts.get("json")
                names |= dict.fromkeys(f"json.{key}" for key in document) if isinstance(document, dict) else {}
        except BrokenFile:
            if not names:
                raise
        return tuple(names)

    def chunks(self, columns: Mapping[str, str]) -> Iterator[TableChunk]:
        read = {one: column for one, column in columns.items() if one != "image"}
        texts = {column.partition(".")[0] if column.startswith("json.") else column for column in read.values()}
        samples: list[_Sample] = []
        try:
            for sample in _samples(self.path, texts):
                samples.append(sample)
                if len(samples) == _AT_ONCE:
                    yield self._chunk(samples, read)
                    samples = []
        except BrokenFile:
            yield self._chunk(samples, read)
            raise
        yield self._chunk(samples, read)

    def _chunk(self, samples: list[_Sample], read: Mapping[str, str]) -> TableChunk:
        fields = {one: [sample.named(column) for sample in samples] for one, column in read.items()}
        rows = [ShardRow(self.path, sample.key, sample.places) for sample in samples]
        return TableChunk(fields, len(rows), rows.__getitem__)


def shard_parts(path: Path) -> tuple[ShardPart, ...]:
    """Return the shards that a path names: one, a folder, a pattern or a series. Raises UsageError if there is none."""
    return tuple(map(ShardPart, files_of(path, SUFFIXES)))


def seekable_shards(path: Path) -> tuple[ShardPart, ...]:
    """Return the shards that a path names, whose pictures can be read again.

    Raises:
        UsageError: If there is none, or one is compressed, so that its pictures have no offsets.
    """
    parts = shard_parts(path)
    for part in parts:
        _demand_plain(part.path)
    return parts


def _demand_plain(path: Path) -> None:
    if is_compressed(path):
        raise UsageError(f"{path}: is compressed, so that pictures cannot be read again; decompress it.")


def _samples(path: Path, texts: set[str]) -> Iterator[_Sample]:
    """Yield the samples of a shard.

    Args:
        path: the shard.
        texts: the suffixes of the members to read as texts.

    Raises:
        BrokenFile: If the shard ends too early or is damaged; the message names the last sample that is whole.
    """
    sample: _Sample | None = None
    whole = "none"
    try:
        for member, content in _members(path, texts):
            named = _NAME.fullmatch(member.name)
            if not named:
                continue
            if sample is None or named[1] != sample.key:
                if sample is not None:
                    yield sample
                    whole = sample.key
                sample = _Sample(named[1])
            suffix = named[2].lower()
            sample.places[suffix] = (member.offset_data, member.size)
            if content is not None:
                sample.texts[suffix] = content
    except BrokenFile as error:
        raise BrokenFile(f"{error}, after sample {printable(whole)}") from error
    if sample is not None:
        yield sample


def _members(path: Path, texts: set[str]) -> Iterator[tuple[tarfile.TarInfo, object]]:
    """Yield the files of a shard, with the content of those that are texts."""
    with _tar(path) as (tar, file):
        while member := tar.next():
            tar.members = []  # type: ignore[attr-defined]  # else they would be kept, and memory would grow
            if not member.isreg():
                continue
            suffix = named[2].lower() if (named := _NAME.fullmatch(member.name)) else ""
            yield member, _text(tar, member, suffix) if suffix in texts else None
        _demand_end(path, tar, file)


def _text(tar: tarfile.TarFile, member: tarfile.TarInfo, suffix: str) -> object:
    """Return a member as a text, or as the value of its JSON; bytes if it is neither."""
    if member.size > LARGEST_TEXT:
        return b""
    file = tar.extractfile(member)
    content = file.read() if file else b""
    if len(content) < member.size:
        raise tarfile.ReadError("unexpected end of data")
    try:
        return msgspec.json.decode(content) if suffix == "json" else content.decode("utf-8-sig")
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return b""


@contextmanager
def _tar(path: Path) -> Iterator[tuple[tarfile.TarFile, BinaryIO]]:
    """Open a shard. Raises BrokenFile for what tarfile raises while it is open."""
    with decompressed(path) as file:
        try:
            with tarfile.open(fileobj=file, mode="r|" if is_compressed(path) else "r:") as tar:
                yield tar, file
        except tarfile.TarError as error:
            raise BrokenFile(f"{path}: is truncated or damaged ({error})") from error


def _demand_end(path: Path, tar: tarfile.TarFile, file: BinaryIO) -> None:
    """Raise BrokenFile unless a plain shard ends with zeros; tarfile takes a damaged block for the end, too."""
    if is_compressed(path):
        return
    file.seek(tar.offset)
    rest = file.read(_BLOCK)
    if len(rest) < _BLOCK or rest.strip(b"\0"):
        raise BrokenFile(f"{path}: is truncated or damaged (no end at byte {tar.offset})")
