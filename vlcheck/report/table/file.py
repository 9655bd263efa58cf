"""The table of verdicts as a file, in CSV or Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from vlcheck._util.csv_cells import csv_cell
from vlcheck._util.files import Others, begins, demand_place, placing
from vlcheck.datasets.tables.arrow import import_extra
from vlcheck.report.table.columns import COLUMNS, Cell, Kind, column_cells, table_rows
from vlcheck.results.file import ResultLines

_MARK = b"vlcheck verdicts"  # in the metadata of a file of Parquet, by which it is recognised
_ARROW: Mapping[Kind, str] = MappingProxyType(
    {"text": "string", "whole number": "int64", "number": "float64", "flag": "bool_", "JSON": "string"}
)


@dataclass(frozen=True)
class TableFormat:
    """A format of the table.

    Attributes:
        write: writes the table of some results to a path.
        is_ours: whether a file is an older table in this format.
        demand: raises UsageError if what the format needs is not installed; it is given the words for the file.
    """

    write: Callable[[Path, ResultLines], None]
    is_ours: Callable[[Path], bool]
    demand: Callable[[str], object]


def csv_text(results: ResultLines) -> str:
    """Return the table of a run's verdicts as CSV.

    Missing cells are empty. A text that a spreadsheet would take for a formula has an apostrophe before it.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(column.name for column in COLUMNS)
    writer.writerows(map(_in_csv, row) for row in table_rows(results))
    return text.getvalue()


def _in_csv(cell: Cell) -> object:
    return str(cell).lower() if isinstance(cell, bool) else csv_cell(cell)


def check_table_path(path: Path, others: Others, option: str) -> None:
    """Check that a table can be written to a path, where at most an older table of the same format may be.

    Args:
        path: the path, which ends in one of `FORMATS`, in any case.
        others: files that it must not replace, by the option that names them.
        option: the option that names the path, for the message.

    Raises:
        UsageError: the table cannot be written there, or a package is not installed; the message names the option.
    """
    format_of = FORMATS[path.suffix.lower()]
    format_of.demand(f"{option} {path}")
    demand_place(path, option, "table", is_ours=format_of.is_ours, others=others)


def write_table(path: Path, results: ResultLines, option: str) -> None:
    """Write the table of a run's verdicts, whole or not at all.

    Args:
        path: the file to write, which ends in one of `FORMATS`, in any case.
        results: the run's results.
        option: the option that names the path, for the message.

    Raises:
        UsageError: it cannot be written; the message names the option.
    """
    with placing(path, option) as draft:
        FORMATS[path.suffix.lower()].write(draft, results)


def _write_csv(path: Path, results: ResultLines) -> None:
    path.write_bytes(csv_text(results).encode())  # not as text: its lines end in the same way on every system


def _is_csv(path: Path) -> bool:
    return begins(path, ",".join(column.name for column in COLUMNS).encode())


def _write_parquet(path: Path, results: ResultLines) -> None:
    arrow = _arrow(str(path))
    fields = [
        arrow.field(column.name, getattr(arrow, _ARROW[column.kind])(), metadata={"meaning": column.meaning})
        for column in COLUMNS
    ]
    cells = {column.name: its for column, its in column_cells([*table_rows(results)])}
    table = arrow.table(cells, schema=arrow.schema(fields, metadata={_MARK: b"1"}))
    arrow.parquet.write_table(table, path)


def _is_parquet(path: Path) -> bool:
    arrow = _arrow(str(path))
    try:
        return path.stat().st_size == 0 or _MARK in (arrow.parquet.read_schema(path).metadata or {})
    except arrow.ArrowInvalid:
        return False


def _arrow(where: str) -> Any:
    """Return pyarrow, with its submodule parquet. Raises UsageError if it is not installed."""
    import_extra("pyarrow.parquet", where)
    return import_extra("pyarrow", where)


FORMATS: Mapping[str, TableFormat] = MappingProxyType(
    {
        ".csv": TableFormat(_write_csv, _is_csv, str),
        ".parquet": TableFormat(_write_parquet, _is_parquet, _arrow),
    }
)
