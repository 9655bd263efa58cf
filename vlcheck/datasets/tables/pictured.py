"""The pictures of a table, each with the rows about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vlcheck._util.compressed import BrokenFile
from vlcheck.cases.case import MASK, ImageFile
from vlcheck.cases.encoded_image import EncodedImage
from vlcheck.cases.left_out import Reason
from vlcheck.datasets.limits import LONGEST_CAPTION, is_text
from vlcheck.datasets.tables.columns import USUAL, Columns
from vlcheck.datasets.tables.table import TablePart, TableRow, picture_of
from vlcheck.errors import UsageError, argument, printable


@dataclass(frozen=True)
class CaseRow:
    """The fields of a row.

    Attributes:
        where: its place for messages.
        fields: the values that are not null, by field.
    """

    where: str
    fields: Mapping[str, Any]

    @property
    def captions(self) -> list[str]:
        """Its captions that can be used, with single spaces; a list holds several."""
        said = self.fields.get("caption")
        texts = (one for one in (said if isinstance(said, list) else [said]) if isinstance(one, str))
        clean = (" ".join(one.split()) for one in texts if is_text(one) and MASK not in one and "\0" not in one)
        return [one for one in clean if one and len(one) <= LONGEST_CAPTION]


@dataclass(frozen=True)
class Pictured:
    """A picture, and the rows about it.

    Attributes:
        name: the picture's name, wherever the table is stored.
        image: the picture.
        rows: the rows.
    """

    name: str
    image: EncodedImage
    rows: list[CaseRow]


def read_pictured(parts: Sequence[TablePart], wanted: Columns, left_out: Counter[str]) -> Iterator[Pictured]:
    """Yield the pictures of a table: at once if a row holds its picture, at the end if rows name files.

    Args:
        parts: the files of the table.
        wanted: the columns that the user named.
        left_out: counts of rows without a picture, to which this adds.

    Raises:
        UsageError: If a part cannot be read to its end, has no column of captions or of pictures, or names an address.
    """
    files: dict[EncodedImage, Pictured] = {}
    for part in parts:
        try:
            for one in _read_part(part, wanted, left_out):
                if not isinstance(one.image, ImageFile):
                    yield one
                elif one.image in files:
                    files[one.image].rows.extend(one.rows)
                else:
                    files[one.image] = one
        except BrokenFile as error:
            raise UsageError(f"{error}.") from error
    yield from files.values()


def _read_part(part: TablePart, wanted: Columns, left_out: Counter[str]) -> Iterator[Pictured]:
    names = part.columns()
    found = {one: column for one, column in wanted.found_in(names, part.where).items() if one != "boxes"}
    column = found.get("image")
    if column is None:
        there = ", ".join(map(printable, names))
        raise UsageError(
            f"{part.where}: has no column of pictures ({' or '.join(USUAL['image'])}); its columns: {there}. Name one,"
            f" {argument('columns', 'image=NAME')}."
        )
    for chunk in part.chunks(found):
        paths = chunk.fields.get("image")
        for at in range(chunk.rows):
            row = chunk.row(at)
            path = None if paths is None else paths[at]
            if paths is not None and not path:
                left_out[str(Reason("row names no picture"))] += 1
                continue
            image = picture_of(row, path, column, part.folder)
            fields = {one: values[at] for one, values in chunk.fields.items() if values[at] is not None}
            yield Pictured(_name(row, path), image, [CaseRow(row.where, fields)])


def _name(row: TableRow, path: object) -> str:
    return row.name if path is None else str(path)
