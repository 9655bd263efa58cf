"""Tables as they are read: parts with columns, rows in chunks, and cells that are read again when they are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from vlcheck.cases.encoded_image import EncodedImage, ImageFile, ImageWithin
from vlcheck.errors import UsageError, printable

CHUNK = 10_000  # rows that are read at once, without their pictures
EXTRA = "pip install 'vlcheck[tables]'"


class TableRow(Protocol):
    """A row that is read again when it is needed."""

    @property
    def name(self) -> str:
        """Its name within the table, wherever the table is stored, e.g. "train.parquet-17"."""

    @property
    def where(self) -> str:
        """Its place for messages: file and row."""

    def value(self, column: str) -> object:
        """Read one of its cells. Raises UsageError if it cannot be read."""


@dataclass(frozen=True)
class TableChunk:
    """Some rows, without the pictures that are stored in them.

    Attributes:
        fields: the values of each field, row by row; a picture's field is there if it holds paths.
        rows: their number.
        row: returns the row with an index.
    """

    fields: Mapping[str, Sequence[object]]
    rows: int
    row: Callable[[int], TableRow]


class TablePart(Protocol):
    """A file of a table, or a whole one.

    Attributes:
        where: its place for messages.
        folder: the folder from which paths of pictures lead.
    """

    @property
    def where(self) -> str: ...

    @property
    def folder(self) -> Path: ...

    def columns(self) -> Sequence[str]:
        """Return the names of its columns. Raises UsageError or BrokenFile if it cannot be read."""

    def chunks(self, columns: Mapping[str, str]) -> Iterator[TableChunk]:
        """Read its rows.

        Args:
            columns: the column of each field that is wanted.

        Raises:
            UsageError: If a column has a type that cannot be used.
            BrokenFile: If the part ends too early or is damaged; the rows before are valid.
        """


@dataclass(frozen=True)
class PictureCell:
    """A picture's content in a row, which is read again whenever it is called.

    Attributes:
        row: the row.
        column: the column of pictures.
        folder: the folder from which a path leads, if the row has a path in place of the content.
    """

    row: TableRow
    column: str
    folder: Path

    def __call__(self) -> bytes:
        """Return the encoded picture. Raises UsageError if there is none, or the row names an address."""
        value = self.row.value(self.column)
        if isinstance(value, Mapping):
            value = value.get("bytes") or value.get("path")
        if isinstance(value, str):
            return _content(within(self.folder, value, self.row.where))
        if not isinstance(value, bytes) or not value:
            raise UsageError(f"{self.row.where}: column {self.column!r} holds no picture.")
        return value


def picture_of(row: TableRow, said: object, column: str, folder: Path) -> EncodedImage:
    """Return the picture of a row, which is not opened yet.

    Args:
        row: the row.
        said: the path that the row names; None if its column holds the pictures themselves.
        column: the column of pictures.
        folder: the folder from which paths lead.

    Raises:
        UsageError: If the row names an address, or a path out of the folder.
    """
    if said is None:
        return ImageWithin(row.where, PictureCell(row, column, folder))
    if not isinstance(said, str) or not said.strip():
        raise UsageError(f"{row.where}: column {column!r} holds no picture.")
    return ImageFile(within(folder, said, row.where))


def within(folder: Path, said: str, where: str) -> Path:
    """Return the path that a row names.

    Args:
        folder: the folder from which it leads.
        said: the path as the row has it.
        where: the row's place, for messages.

    Raises:
        UsageError: If it is an address, or leads out of the folder.
    """
    if "://" in said:
        raise UsageError(
            f"{where}: {printable(said, 80)!r} is an address, and vlcheck fetches none; pictures have to be bytes in"
            f" the table, or files below {folder}."
        )
    path = Path(said)
    if "\0" in said or ".." in path.parts or (path.is_absolute() and not path.is_relative_to(folder)):
        raise UsageError(f"{where}: {printable(said, 80)!r} is no path of a file below {folder}.")
    return folder / path


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}).") from error
