"""Columns of Arrow, the form in which Parquet files and data sets of the hub are read."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from vlcheck.datasets.tables.table import EXTRA
from vlcheck.errors import UsageError


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
    binary = types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind)
    feature = types.is_struct(kind) and {"bytes", "path"} <= {kind.field(at).name for at in range(kind.num_fields)}
    if not (binary or feature or is_text_type(kind)):
        raise UsageError(
            f"{where}: column {column!r} is {kind}; pictures are accepted as bytes, as paths, or as the feature Image"
            " of datasets, {bytes, path}."
        )


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
