"""The 3 x 3 grid of a picture with a number in each cell, for pages, pictures and terminals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vlcheck.perturb.place import CELLS, Cell
from vlcheck.report.text.columns import aligned

ROWS = tuple(CELLS[start : start + 3] for start in range(0, len(CELLS), 3))


@dataclass(frozen=True)
class GridCell:
    """A cell of the grid.

    Attributes:
        cell: its name.
        share: the darkness of its drawing, in [0, 1]; None for a cell of which nothing is known.
        lines: the texts in it, the most important first.
    """

    cell: Cell
    share: float | None
    lines: tuple[str, ...]


def all_cells(cells: Sequence[GridCell], empty: str = "not asked") -> list[GridCell]:
    """Return the nine cells of the grid, row by row.

    Args:
        cells: those of which something is known, in any order.
        empty: the text in the others.
    """
    known = {one.cell: one for one in cells}
    return [known.get(cell) or GridCell(cell, None, (empty,)) for cell in CELLS]


def cell_lines(cells: Sequence[GridCell]) -> Iterator[str]:
    """Yield the grid as lines for a terminal, with the first line of each cell.

    Args:
        cells: the nine cells, row by row.
    """
    names = ("", "left", "middle", "right")
    rows = [
        [name, *(one.lines[0] for one in cells[3 * place : 3 * place + 3])]
        for place, name in enumerate(("top", "middle", "bottom"))
    ]
    yield from aligned([names, *rows])
