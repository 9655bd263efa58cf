"""Columns of Arrow, the form in which Parquet files and data sets of the hub are read."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from vlcheck.datasets.tables.table import EXTRA
from vlcheck.errors import UsageError, argument, printable


def import_extra(module: str, where: str) -> Any:
    """Import a module of the extra `tables`.

    Args:
        module: its name.
        where: the data that need it, for messages.

    Raises:
        UsageError: If it is not installed; the message names the extra.
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise UsageError(f"{where}: needs {package}, which is not installed: {EXTRA}.") from error


def is_text_type(kind: Any) -> bool:
    """Return True for a column of texts."""
    types = import_module("pyarrow.types")
    inner = kind.value_type if types.is_dictionary(kind) else kind
    return bool(types.is_string(inner) or types.is_large_string(inner) or types.is_string_view(inner))


def demand_pictures(kind: Any, column: str, where: str) -> None:
    """Raise UsageError unless a column can hold pictures.

    Args:
        kind: the type of the column.
        column: its name.
        where: the table, for messages.
    """
    types = import_module("pyarrow.types")
    feature = types.is_struct(kind) and {"bytes", "path"} <= {kind.field(at).name for at in range(kind.num_fields)}
    if not (_is_bytes(kind) or feature or is_text_type(kind)):
        raise UsageError(
            f"{where}: column {column!r} is {kind}; pictures are accepted as bytes, as paths, or as the feature Image"
            " of datasets, {bytes, path}."
        )


def demand_texts(kind: Any, one: str, column: str, where: str) -> None:
    """Raise UsageError unless a column can hold a field other than pictures, whose values are read with the rows.

    Args:
        kind: the type of the column.
        one: the field.
        column: the column's name.
        where: the table, for messages.
    """
    wanted = "captions are accepted as a text, or a list of texts" if one == "caption" else "texts are accepted"
    refused = not _is_texts(kind) if one == "caption" else _holds_bytes(kind)
    if refused:
        raise UsageError(
            f"{where}: column {printable(column, 80)!r} is {printable(str(kind), 80)}, and {one} is to be read from it;"
            f" {wanted}. Name another, {argument('columns', f'{one}=NAME')}."
        )


def _is_texts(kind: Any) -> bool:
    """Return True for a column of texts, or of lists of texts."""
    return is_text_type(kind.value_type if _is_list(kind) else kind)


def _is_list(kind: Any) -> bool:
    types = import_module("pyarrow.types")
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _holds_bytes(kind: Any) -> bool:
    """Return True if there may be bytes in a column, at any depth: they are not looked at, and may be pictures."""
    types = import_module("pyarrow.types")
    if types.is_struct(kind):
        return any(_holds_bytes(kind.field(at).type) for at in range(kind.num_fields))
    return _holds_bytes(kind.value_type) if _is_list(kind) else _is_bytes(kind)


def _is_bytes(kind: Any) -> bool:
    types = import_module("pyarrow.types")
    return bool(types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind))


def read_fields(batch: Any, columns: Mapping[str, str]) -> dict[str, list[object]]:
    """Return the values of columns; a text that is not UTF-8 is returned as bytes.

    Args:
        batch: a table or record batch of pyarrow.
        columns: the column of each field.
    """
    return {one: _values(batch.column(column)) for one, column in columns.items()}


def _values(column: Any) -> list[object]:
    try:
        return list(column.to_pylist())
    except UnicodeDecodeError:
        return [_value(one) for one in column]


def _value(scalar: Any) -> object:
    try:
        return scalar.as_py()
    except UnicodeDecodeError:
        return b""
