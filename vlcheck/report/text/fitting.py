"""Lines of text fitted to the width of a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

_GAP = "  "  # between two cells of a table; prose has none
_INDENT = 2


class _Column(NamedTuple):
    """The first and the last character of a column, the latter excluded."""

    start: int
    end: int

    @property
    def width(self) -> int:
        return self.end - self.start


def fitted(lines: Iterable[str], width: int | None) -> Iterator[str]:
    """Yield lines that are no wider than a terminal.

    Prose is wrapped between words. A table is drawn in parts, each of them with the first column.

    Args:
        lines: lines of prose and tables; cells of a table are at least two spaces apart.
        width: the width in characters; None for any.
    """
    for is_table, some in groupby(lines, _is_row):
        block = list(some)
        if width is None or max(map(len, block)) <= width:
            yield from block
        elif is_table:
            yield from _parts(block, width)
        else:
            yield from (piece for line in block for piece in _wrapped(line, width))


def _is_row(line: str) -> bool:
    return _GAP in line.strip()


def _wrapped(line: str, width: int) -> list[str]:
    """Return a line in pieces; the second and later ones are indented. A long word, such as a path, stays whole."""
    indent = " " * (len(line) - len(line.lstrip()) + _INDENT)
    pieces = textwrap.wrap(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return pieces or [""]


def _parts(rows: Sequence[str], width: int) -> Iterator[str]:
    """Yield a table in parts; if the first column leaves no room for the others, its cells have lines of their own."""
    length = max(map(len, rows))
    padded = [row.ljust(length) for row in rows]
    first, *rest = _columns(padded)
    room = width - first.width - len(_GAP)
    beside = all(column.width <= room for column in rest)
    for some in _that_fit(rest, room if beside else width - _INDENT):
        for row in padded:
            name, cells = row[first.start : first.end], row[some[0].start : some[-1].end].rstrip()
            if beside:
                yield f"{name}{_GAP}{cells}".rstrip()
            else:
                yield from (line for line in (name.rstrip(), " " * _INDENT + cells) if line)


def _columns(rows: Sequence[str]) -> list[_Column]:
    """Return the columns of rows of equal length: the stretches between gaps that all rows have."""
    blank = [all(row[at] == " " for row in rows) for at in range(len(rows[0]))]
    columns: list[_Column] = []
    for at, is_blank in enumerate(blank):
        if is_blank:
            continue
        if columns and at - columns[-1].end < len(_GAP):
            columns[-1] = _Column(columns[-1].start, at + 1)
        else:
            columns.append(_Column(at, at + 1))
    return columns


def _that_fit(columns: Sequence[_Column], room: int) -> Iterator[list[_Column]]:
    """Yield neighbouring columns that fit into a number of characters together; a wider one alone."""
    some: list[_Column] = []
    for column in columns:
        if some and column.end - some[0].start > room:
            yield some
            some = []
        some.append(column)
    if some:
        yield some
