"""Caption corpora of any layout, read in chunks so that memory stays flat."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType

import msgspec

from vlcheck._util.compressed import BrokenFile, decompressed, plain_suffix
from vlcheck._util.foreign_files import demand_file
from vlcheck._util.paths import expanded, there_is
from vlcheck.audit.caption import Caption, NamedBox, Unread
from vlcheck.audit.corpora.json_files import read_json_file
from vlcheck.audit.corpora.line_files import read_json_lines, read_text_lines
from vlcheck.audit.corpora.table_captions import read_parts
from vlcheck.datasets.tables.columns import Columns, parse_columns
from vlcheck.datasets.tables.hub import hub_stream
from vlcheck.datasets.tables.parquet import parquet_parts
from vlcheck.datasets.tables.shards import shard_parts
from vlcheck.datasets.tables.table import TablePart
from vlcheck.errors import UsageError

__all__ = ["Caption", "Corpus", "NamedBox", "Unread", "open_corpus"]

ACCEPTED = (
    "COCO's captions (.json), JSON lines (.jsonl), text with a caption a line (.txt), Parquet (.parquet), WebDataset"
    " shards (.tar) or hf:NAME[:SPLIT]"
)
_KINDS: Mapping[str, str] = MappingProxyType(
    {".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet", ".tar": "webdataset"}
)
KINDS = ("hf", "json", "jsonl", "parquet", "text", "webdataset")
_SNIFFED = 1 << 20  # bytes

Reader = Callable[[Unread], Iterator[list[Caption]]]


@dataclass(frozen=True)
class Corpus:
    """A caption corpus: an iterable of lists of some thousand captions, which is read anew by each loop.

    Attributes:
        name: the text that it was opened by.
        kind: its layout: "json", "jsonl", "text", "parquet", "webdataset" or "hf".
        read: reads the corpus; it is given the record of what is not read.
        unread: the record of everything that was not read, up to the chunk that was read last.
    """

    name: str
    kind: str
    read: Reader
    unread: Unread = field(default_factory=Unread)

    def __iter__(self) -> Iterator[list[Caption]]:
        """Yield the captions in chunks. Raises UsageError if there is none, or the corpus cannot be read."""
        self.unread.clear()
        some = False
        for chunk in self.read(self.unread):
            if chunk:
                some = True
                yield chunk
        if not some:
            raise UsageError(f"{self.name}: has no caption.", *self.unread.lines())


def open_corpus(
    spec: str | Path,
    *,
    columns: Columns | Mapping[str, str] | str | None = None,
    pictures: Path | None = None,
    instances: Path | None = None,
) -> Corpus:
    """Open a corpus; nothing but its beginning is read before it is iterated.

    Args:
        spec: a path whose suffix says the layout (a further .gz, .bz2, .xz or .zst is decompressed); `KIND:PATH` for a
            file with another name; or `hf:NAME[:SPLIT]`.
        columns: the columns of captions and pictures, as `parse_columns` reads them.
        pictures: the folder from which the names of pictures lead; None if pictures in files are not to be opened.
        instances: COCO's file with the boxes of the pictures of a COCO captions file.

    Raises:
        UsageError: If the spec names no file, or its layout is not known; the message names what is accepted.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     _ = Path(folder, "captions.jsonl").write_text('{"caption": "a red bus"}')
        ...     [caption.text for chunk in open_corpus(f"{folder}/captions.jsonl") for caption in chunk]
        ['a red bus']
    """
    said = str(spec)
    wanted = columns if isinstance(columns, Columns) else parse_columns(columns)
    scheme, colon, rest = said.partition(":")
    named = bool(colon) and scheme in KINDS and not there_is(said)
    path = expanded(rest if named else said)
    kind = scheme if named else _kind_of(path)
    if kind in ("text", "json", "jsonl"):
        demand_file(path)
    readers: Mapping[str, Reader] = {
        "text": partial(read_text_lines, path),
        "jsonl": partial(read_json_lines, path, wanted, pictures),
        "json": partial(read_json_file, path, wanted, pictures, instances),
        "parquet": partial(_read_tables, parquet_parts, path, wanted),
        "webdataset": partial(_read_tables, shard_parts, path, wanted),
        "hf": partial(_read_tables, _hub_parts, path, wanted),
    }
    return Corpus(said, kind, readers[kind])


def _read_tables(
    parts: Callable[[Path], Sequence[TablePart]], path: Path, wanted: Columns, unread: Unread
) -> Iterator[list[Caption]]:
    return read_parts(parts(path), wanted, unread)


def _hub_parts(path: Path) -> Sequence[TablePart]:
    """Return the data set of a text NAME[:SPLIT]; a name that is a folder's may hold colons."""
    said = str(path)
    name, _, split = (said, "", "") if there_is(said) else said.partition(":")
    return (hub_stream(name, split),)


def _kind_of(path: Path) -> str:
    """Return the layout of a file by its name; a .json file that holds one object a line is one of JSON lines."""
    if path.is_dir():
        raise UsageError(
            f"{path}: is a folder; {ACCEPTED} is accepted; parquet:FOLDER and webdataset:FOLDER take all files of one."
        )
    kind = _KINDS.get(plain_suffix(path), "text")
    return "jsonl" if kind == "json" and _holds_lines(path) else kind


def _holds_lines(path: Path) -> bool:
    """Return True if the first line is an object, and another one follows."""
    try:
        with decompressed(path) as file:
            lines = file.read(_SNIFFED).split(b"\n")
    except BrokenFile:  # is told when the corpus is read
        return False
    try:
        fields = msgspec.json.decode(lines[0], type=dict[str, msgspec.Raw])
    except msgspec.MsgspecError:
        return False
    return "annotations" not in fields and any(line.strip() for line in lines[1:])
