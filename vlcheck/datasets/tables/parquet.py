"""Parquet files, read by row groups; a picture is read again from its row group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from vlcheck._util.compressed import BrokenFile
from vlcheck._util.foreign_files import demand_file
from vlcheck.datasets.tables.arrow import demand_pictures, demand_texts, import_extra, is_text_type, read_fields
from vlcheck.datasets.tables.paths import files_of
from vlcheck.datasets.tables.table import CHUNK, TableChunk
from vlcheck.errors import UsageError, printable

_BUFFER = 1 << 20  # bytes of a column that are read at once: the pages of a large row group are not kept
_AT_ONCE = 16  # rows of pictures that are decoded at once


@dataclass(frozen=True)
class ParquetRow:
    """A row of a Parquet file.

    Attributes:
        path: the file.
        group: index of its row group.
        at: index in the row group.
        number: index in the file.
    """

    path: Path
    group: int
    at: int
    number: int

    @property
    def name(self) -> str:
        return f"{self.path.name}-{self.number}"

    @property
    def where(self) -> str:
        return f"{self.path}: row {self.number}"

    def value(self, column: str) -> object:
        try:
            with _opened(self.path) as file:
                batches = file.iter_batches(_AT_ONCE, row_groups=[self.group], columns=[column], use_threads=False)
                before = 0
                for batch in batches:
                    if self.at < before + batch.num_rows:
                        return batch.column(0)[self.at - before].as_py()
                    before += batch.num_rows
        except (BrokenFile, UnicodeDecodeError) as error:
            raise UsageError(f"{self.where}: {error}.") from error
        raise UsageError(f"{self.where}: is not there any more.")


@dataclass(frozen=True)
class ParquetPart:
    """A Parquet file.

    Attributes:
        path: the file.
    """

    path: Path

    @property
    def where(self) -> str:
        return str(self.path)

    @property
    def folder(self) -> Path:
        return self.path.parent

    def columns(self) -> Sequence[str]:
        with _opened(self.path) as file:
            return tuple(file.schema_arrow.names)

    def chunks(self, columns: Mapping[str, str]) -> Iterator[TableChunk]:
        with _opened(self.path) as file:
            read = without_pictures(file.schema_arrow, columns, self.where)
            number = 0
            for group in range(file.num_row_groups):
                begin = number
                batches = file.iter_batches(CHUNK, row_groups=[group], columns=[*set(read.values())], use_threads=False)
                for batch in batches if read else ():
                    row = partial(self._row, group, begin, number)
                    yield TableChunk(read_fields(batch, read), batch.num_rows, row)
                    number += batch.num_rows

    def _row(self, group: int, begin: int, number: int, at: int) -> ParquetRow:
        return ParquetRow(self.path, group, number + at - begin, number + at)


def parquet_parts(path: Path) -> tuple[ParquetPart, ...]:
    """Return the Parquet files that a path names: one, a folder, a pattern or a series.

    Raises:
        UsageError: If there is none, or pyarrow is not installed.
    """
    import_extra("pyarrow.parquet", str(path))
    return tuple(map(ParquetPart, files_of(path, (".parquet",))))


def without_pictures(schema: Any, columns: Mapping[str, str], where: str) -> dict[str, str]:
    """Return the columns to read with the rows: all but that of pictures, unless it holds paths.

    Args:
        schema: the schema of pyarrow.
        columns: the column of each field.
        where: the table, for messages.

    Raises:
        UsageError: If the column of pictures has another type, or another column holds bytes, or captions are no texts.
    """
    read = dict(columns)
    for one, column in read.items():
        if one != "image":
            demand_texts(schema.field(column).type, one, column, where)
    if "image" in read:
        kind = schema.field(read["image"]).type
        demand_pictures(kind, read["image"], where)
        if not is_text_type(kind):
            del read["image"]
    return read


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a file. Raises BrokenFile for what pyarrow raises while it is open."""
    demand_file(path)
    arrow, parquet = import_extra("pyarrow", str(path)), import_extra("pyarrow.parquet", str(path))
    try:
        with parquet.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False) as file:
            yield file
    except (arrow.ArrowException, OSError) as error:
        raise BrokenFile(f"{path}: is not Parquet that can be read ({printable(str(error), 120)})") from error
