"""Corpora of one caption, or one JSON object, a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import msgspec

from vlcheck._util.compressed import DAMAGE, BrokenFile, decompressed
from vlcheck.audit.caption import EMPTY, Caption, Unread, fault_of, usable
from vlcheck.audit.corpora.json_rows import decoder_of, found_in
from vlcheck.datasets.tables.columns import Columns
from vlcheck.errors import UsageError

BLOCK = 1 << 20  # bytes that are read at once
LONGEST_LINE = 1 << 24  # bytes
SAMPLED = 1000  # lines whose fields are looked at to find the captions
_NO_TEXT = "the line is not UTF-8"
_NO_OBJECT = "the line is no JSON object"
_TOO_LONG = f"the line has more than {LONGEST_LINE} bytes"
_BOM = b"\xef\xbb\xbf"
_WIDE = (b"\xff\xfe", b"\xfe\xff")


class WholeLines(NamedTuple):
    """Whole lines of a file.

    Attributes:
        first: the number of the first line, from 1.
        content: the lines, with their ends.
        too_long: whether it is one line that is longer than LONGEST_LINE, of which the content is the beginning.
    """

    first: int
    content: bytes
    too_long: bool = False


def line_blocks(file: BinaryIO) -> Iterator[WholeLines]:
    """Read a file in blocks of whole lines; of a line that is too long, the rest is passed over."""
    number, rest = 1, b""
    while piece := _piece(file):
        rest += piece
        if end := rest.rfind(b"\n") + 1:
            yield WholeLines(number, rest[:end])
            number, rest = number + rest.count(b"\n"), rest[end:]
        elif len(rest) > LONGEST_LINE:
            yield WholeLines(number, rest[:BLOCK], too_long=True)
            number, rest = number + 1, _after_the_line(file)
    if rest:
        yield WholeLines(number, rest)


def _piece(file: BinaryIO) -> bytes:
    """Read BLOCK bytes, or up to a place where the file is damaged; the next call raises what is wrong there."""
    read = getattr(file, "read1", file.read)
    parts = [read(BLOCK)]
    while parts[-1] and (missing := BLOCK - sum(map(len, parts))) > 0:
        try:
            parts.append(read(missing))
        except DAMAGE:
            break
    return b"".join(parts)


def _after_the_line(file: BinaryIO) -> bytes:
    """Pass over the rest of a line; return what was read beyond it."""
    while piece := _piece(file):
        if b"\n" in piece:
            return piece.partition(b"\n")[2]
    return b""


def read_text_lines(path: Path, unread: Unread) -> Iterator[list[Caption]]:
    """Yield the captions of a text file, one a line; blank lines are nothing.

    Args:
        path: the file.
        unread: the record in which lines that are not UTF-8 are counted.
    """
    for block in _blocks_of(path, unread):
        captions = []
        for number, line in enumerate(_lines(path, block, unread), block.first):
            why = fault_of(line)
            if not why:
                captions.append(Caption(line.strip()))
            elif why != EMPTY:
                unread.skip(why, partial(_place, path, number))
        yield captions


def _lines(path: Path, block: WholeLines, unread: Unread) -> list[str]:
    """Return lines as texts, with "" for one that is not UTF-8, which is counted."""
    try:
        return block.content.decode().split("\n")
    except UnicodeDecodeError:
        lines = enumerate(block.content.split(b"\n"), block.first)
        return [_decoded(line, partial(_place, path, at), unread) for at, line in lines]


def _decoded(line: bytes, place: Callable[[], str], unread: Unread) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        unread.skip(_NO_TEXT, place)
        return ""


def read_json_lines(path: Path, wanted: Columns, pictures: Path | None, unread: Unread) -> Iterator[list[Caption]]:
    """Yield the captions of a file with one JSON object a line.

    Args:
        path: the file.
        wanted: the columns that the user named.
        pictures: the folder that holds the pictures; None if none are to be opened.
        unread: the record in which lines that are no object are counted.

    Raises:
        UsageError: If the first lines have no column of captions.
    """
    decoder: msgspec.json.Decoder[Any] | None = None
    for block in _blocks_of(path, unread):
        if decoder is None:
            names = _names(block)
            decoder = decoder_of(wanted.found_in(names, str(path))) if names else None
        objects = _objects(path, block, decoder or decoder_of({}), unread)
        yield usable(found_in(objects, pictures), partial(_place_of_object, path, block), unread)


def _names(block: WholeLines) -> list[str]:
    """Return the fields of the first objects of a block."""
    names: dict[str, None] = {}
    for line in block.content.split(b"\n")[:SAMPLED]:
        try:
            names |= dict.fromkeys(msgspec.json.decode(line, type=dict[str, msgspec.Raw]))
        except msgspec.MsgspecError:
            continue
    return [*names]


def _objects(path: Path, block: WholeLines, decoder: msgspec.json.Decoder[Any], unread: Unread) -> list[Any]:
    """Return the objects of the lines that are not blank; None for one that is no object, which is counted."""
    try:
        return decoder.decode_lines(block.content)
    except msgspec.MsgspecError:
        lines = enumerate(block.content.split(b"\n"), block.first)
        return [_object(line, partial(_place, path, at), decoder, unread) for at, line in lines if line.strip()]


def _object(line: bytes, place: Callable[[], str], decoder: msgspec.json.Decoder[Any], unread: Unread) -> Any:
    try:
        return decoder.decode(line)
    except msgspec.MsgspecError:
        unread.skip(_NO_OBJECT if _is_text(line) else _NO_TEXT, place)
        return None


def _place(path: Path, number: int) -> str:
    return f"{path}:{number}"


def _place_of_object(path: Path, block: WholeLines, at: int) -> str:
    """Return the place of the object with an index; blank lines hold none."""
    numbers = (number for number, line in enumerate(block.content.split(b"\n"), block.first) if line.strip())
    return _place(path, next(islice(numbers, at, None)))


def _is_text(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _blocks_of(path: Path, unread: Unread) -> Iterator[WholeLines]:
    """Yield the blocks of a file without its byte order mark; lines that are too long are counted."""
    read = 0
    try:
        with decompressed(path) as file:
            for block in line_blocks(file):
                if block.first == 1 and block.content.startswith(_WIDE):
                    raise UsageError(f"{path}: is UTF-16; a file in UTF-8 is accepted. Save it again.")
                if block.too_long:
                    unread.skip(_TOO_LONG, partial(_place, path, block.first))
                    continue
                yield block if block.first > 1 else WholeLines(1, block.content.removeprefix(_BOM))
                read = block.first + block.content.count(b"\n") - 1
    except BrokenFile as error:
        unread.unfinished.append(f"{error}; read up to line {read}")
