"""Corpora in tables: Parquet files, WebDataset shards and data sets of the hub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from PIL import Image

from vlcheck._util.compressed import BrokenFile
from vlcheck.audit.caption import Caption, Found, Unread, usable
from vlcheck.audit.corpora.json_rows import KEPT, boxes_of
from vlcheck.datasets.tables.columns import Columns
from vlcheck.datasets.tables.table import TableChunk, TablePart, TableRow, picture_of


def read_parts(parts: Sequence[TablePart], wanted: Columns, unread: Unread) -> Iterator[list[Caption]]:
    """Yield the captions of a table; a part that is damaged ends early, and the others are read.

    Args:
        parts: its files.
        wanted: the columns that the user named.
        unread: the record of captions that are left out, and of damaged parts.

    Raises:
        UsageError: If a part has no column of captions.
    """
    for part in parts:
        read = 0
        try:
            found = wanted.found_in(part.columns(), part.where)
            columns = {one: column for one, column in found.items() if one in KEPT}
            for chunk in part.chunks(columns):
                yield usable(_found(chunk, columns, part.folder), partial(_place, chunk), unread)
                read += chunk.rows
        except BrokenFile as error:
            unread.unfinished.append(f"{error}; read {read} rows of it")


def _place(chunk: TableChunk, at: int) -> str:
    return chunk.row(at).where


def _found(chunk: TableChunk, columns: Mapping[str, str], folder: Path) -> Iterator[Found]:
    paths, boxes, column = chunk.fields.get("image"), chunk.fields.get("boxes"), columns.get("image")
    for at, said in enumerate(chunk.fields["caption"]):
        row = chunk.row(at)
        path = None if paths is None else paths[at] or ""
        picture = partial(_decoded, row, path, column, folder) if column else None
        yield Found(said, row.name if path is None else str(path), boxes_of(boxes[at]) if boxes else (), picture)


def _decoded(row: TableRow, path: object, column: str, folder: Path) -> Image.Image:
    return picture_of(row, path, column, folder).open()
