"""The columns of a table: which of them holds the captions, the pictures and so on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from vlcheck._util.foreign_files import read_toml
from vlcheck.errors import UsageError, argument, nearest, printable

# The fields of a case or a caption, and the names under which a column is found if none is named for it.
USUAL: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "caption": ("caption", "captions", "text", "txt"),
        "image": ("image", "jpg", "jpeg", "png", "webp", "image_path", "file_name"),
        "id": ("id",),
        "target": ("target",),
        "bare": ("bare",),
        "candidates": ("candidates",),
        "foils": ("foils",),
        "present": ("present",),
        "about": ("about",),
        "region": ("region",),
        "other_region": ("other_region",),
        "tags": ("tags",),
        "source": ("source",),
        "licence": ("licence", "license"),
        "boxes": ("boxes",),
    }
)

ColumnsSaid = str | Mapping[str, str] | None
"""Columns as a user names them; see `parse_columns`."""


@dataclass(frozen=True)
class Columns:
    """The columns that a user named.

    Attributes:
        named: the column of each field.
    """

    named: Mapping[str, str] = field(default_factory=dict)

    def found_in(self, names: Collection[str], where: str) -> Mapping[str, str]:
        """Return the column of each field that a table has.

        Args:
            names: the names of the table's columns.
            where: the table, for messages.

        Raises:
            UsageError: If a named column is missing, or there is no column of captions; the message lists the columns
                that there are.
        """
        for one, column in self.named.items():
            if column not in names:
                raise UsageError(f"{where}: has no column {printable(column)!r} for {one}. {nearest(column, names)}")
        usual = {one: next((name for name in also if name in names), None) for one, also in USUAL.items()}
        found = {one: name for one, name in usual.items() if name is not None} | dict(self.named)
        if "caption" not in found:
            there = ", ".join(map(printable, names)) or "none"
            raise UsageError(
                f"{where}: has no column of captions ({' or '.join(USUAL['caption'])}); its columns: {there}. Name one,"
                f" {argument('columns', 'caption=NAME')}."
            )
        return found


def parse_columns(said: ColumnsSaid) -> Columns:
    """Return the columns that a text, a file or a mapping names.

    Args:
        said: `field=column` pairs, separated by commas; the path of a TOML file of such pairs, which ends with
            ".toml"; or a mapping. None or "" names no column.

    Raises:
        UsageError: If a part is no pair, a field is unknown or named twice; the message names the accepted fields.

    Example:
        >>> parse_columns("caption=text,image=jpg").named
        {'caption': 'text', 'image': 'jpg'}
    """
    if not said:
        return Columns()
    if not isinstance(said, str):
        return _checked(said, argument("columns", repr(dict(said))))
    where = argument("columns", printable(said))
    if said.lower().endswith(".toml"):
        return _checked(read_toml(Path(said).expanduser()), where)
    pairs: dict[str, str] = {}
    for part in said.split(","):
        one, mark, column = (text.strip() for text in part.partition("="))
        if not mark or not column:
            raise UsageError(f"{where}: {part.strip()!r} is no pair; FIELD=COLUMN is accepted, separated by commas.")
        if one in pairs:
            raise UsageError(f"{where}: {one} is named twice; it has one column.")
        pairs[one] = column
    return _checked(pairs, where)


def _checked(pairs: Mapping[str, object], where: str) -> Columns:
    for one, column in pairs.items():
        if one not in USUAL:
            raise UsageError(f"{where}: {printable(str(one))!r} is no field of a case. {nearest(str(one), USUAL)}")
        if not isinstance(column, str) or not column:
            raise UsageError(f"{where}: {one} is {printable(repr(column))}; it has to be the name of a column.")
    return Columns({one: str(column) for one, column in pairs.items()})
